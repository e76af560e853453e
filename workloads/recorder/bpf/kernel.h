// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// The few fields of the kernel's that are read, by name: their offsets are relocated at load time (CO-RE).

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct block_device;
struct gendisk {
	void *private_data;
};
struct block_device {
	unsigned int bd_dev;
	struct gendisk *bd_disk;
};
struct page {
	unsigned long flags;
	unsigned long compound_head;
};
struct bio_vec {
	struct page *bv_page;
	unsigned int bv_len;
	unsigned int bv_offset;
};
struct bvec_iter {
	unsigned long long bi_sector;
	unsigned int bi_size;
	unsigned int bi_idx;
	unsigned int bi_bvec_done;
} __attribute__((packed));
struct bio {
	struct block_device *bi_bdev;
	unsigned int bi_opf;
	struct bvec_iter bi_iter;
	struct bio_vec *bi_io_vec;
};
struct kernfs_node {
	unsigned long long id;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct mem_cgroup {
	struct cgroup_subsys_state css;
};
typedef struct {
	unsigned long val;
} swp_entry_t;
struct folio {
	swp_entry_t swap;
	unsigned long memcg_data;
	unsigned int _nr_pages;
};
struct zram_table_entry {
	unsigned long handle;
	unsigned long flags;
};
struct zram {
	struct zram_table_entry *table;
};
struct kmem_cache {
	unsigned int object_size;
};
#pragma clang attribute pop

enum pageflags { PG_head = 6 };
enum zram_pageflags { ZRAM_SAME = 13 };
