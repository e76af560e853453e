// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// Copies every page written to one swap device into memory shared with the recorder, as it is written.
//
// Events go, in the order of the kernel, through a ring buffer of small equal records; contents go into a
// pool of pages, used round and round, whose place the event names. Only pages charged to the recorded
// memory cgroup are copied: swap receives cold pages of the whole machine. No kernel headers are needed:
// the few fields used are declared here and relocated at load time (CO-RE). Rebuild with `make bpf`.

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define SECTORS_PER_PAGE (PAGE_SIZE / 512)
#define MOST_PAGES 512   // pages in one bio: a huge page
#define POOL_PAGES 16384 // must be a power of two
#define POOL_SLACK 1024  // pages of the pool never lent out, as CPUs may hand in theirs out of order
#define RING_BYTES (32 << 20)
#define HANDLE_BYTES 8 // size of an object of zsmalloc's cache of handles
#define GIB_SHIFT 30
#define MOST_GIB 65536

char LICENSE[] SEC("license") = "Dual BSD/GPL";
#ifdef SOURCE_DIGEST
const char source[] SEC(".source") = SOURCE_DIGEST " clang " __clang_version__;
#endif

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
};
struct zram {
	struct zram_table_entry *table;
};
struct kmem_cache {
	unsigned int object_size;
};
#pragma clang attribute pop

enum pageflags { PG_head = 6 };
enum memcg_stat_item { MEMCG_SWAP = 51 };

enum kind { OUT, IN, FREE, ZERO, FOREIGN, LOST };

// One event, 32 bytes; workloads/recorder/bpf/ring.py reads it.
struct event {
	__u64 time_ns; // CLOCK_MONOTONIC
	__u32 slot;    // the first, of `pages`
	__u32 pages;
	__u32 kind;
	__u32 task;  // thread that ran
	__u32 taken; // OUT and LOST: how many pages of the pool were taken before this one
	__u32 unused;
};

// What the recorder tells (first part) and asks; workloads/recorder/bpf/control.py mirrors it.
struct control {
	__u64 cgroup;     // inode of the cgroup's directory
	__u64 direct_map; // virtual address of physical address 0, once found
	__u64 vmemmap;    // address of the struct page of frame 0, once found
	__u64 pattern[4]; // first bytes of the page of known content
	__u64 frame;      // its page frame
	__u32 device;     // as the kernel counts: major << 20 | minor
	__u32 probing;    // the next read of block 0, the swap header, is ours: find the direct map
	__u32 armed;      // record
	__u32 returned;   // pages of the pool handed back
	__u32 taken;      // pages of the pool lent out
	__u32 found;      // the direct map and vmemmap are known
	__u64 memcg;      // address of the cgroup's struct mem_cgroup, once seen
	__u64 dropped;    // events that found the ring full
	__u64 freed;      // slots of the cgroup that the kernel freed, as memcg counts
	__u32 swap_type;  // number of the swap area + 1, once seen
	__u32 page_struct; // bytes in a struct page
};
struct control control;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} ring SEC(".maps");

struct pool_page {
	__u8 bytes[PAGE_SIZE];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, POOL_PAGES);
	__type(key, __u32);
	__type(value, struct pool_page);
} pool SEC(".maps");

// The first slot that a task last wrote, until vmscan reports that folio: one it reports without was zero.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} writing SEC(".maps");

// zsmalloc's handle of each slot, and back. The recorder sizes both by the slots of the device.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} handles SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} slots SEC(".maps");

static struct event *begin(enum kind kind, __u32 slot, __u32 pages)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event) {
		__sync_fetch_and_add(&control.dropped, 1);
		return 0;
	}
	event->time_ns = bpf_ktime_get_ns();
	event->slot = slot;
	event->pages = pages;
	event->kind = kind;
	event->task = bpf_get_current_pid_tgid();
	event->taken = 0;
	event->unused = 0;
	return event;
}

// The consumer looks every few milliseconds: waking it for each event costs more than all the rest.
static void end(struct event *event)
{
	bpf_ringbuf_submit(event, BPF_RB_NO_WAKEUP);
}

static void note(enum kind kind, __u32 slot, __u32 pages)
{
	struct event *event = begin(kind, slot, pages);

	if (event)
		end(event);
}

static bool mine(struct mem_cgroup *memcg)
{
	if (!memcg)
		return false;
	if (!control.memcg && BPF_CORE_READ(memcg, css.cgroup, kn, id) == control.cgroup)
		control.memcg = (__u64)memcg;
	return (__u64)memcg == control.memcg;
}

static struct folio *folio_of(struct page *page)
{
	__u64 head = BPF_CORE_READ(page, compound_head);

	return head & 1 ? (struct folio *)(head - 1) : (struct folio *)page;
}

static struct mem_cgroup *memcg_of(struct folio *folio)
{
	// The low bits say what else the word may point to; folios of user memory have none of them.
	__u64 data = BPF_CORE_READ(folio, memcg_data);

	return data & 3 ? 0 : (struct mem_cgroup *)data;
}

// Copies page number `index` of a folio's frames, the contents of `slot`.
static void copy_out(__u64 page, __u32 slot)
{
	__u64 frame = (page - control.vmemmap) / bpf_core_type_size(struct page);
	const void *from = (const void *)(control.direct_map + (frame << PAGE_SHIFT));
	struct event *event = begin(OUT, slot, 1);
	struct pool_page *to;
	__u32 place;

	if (!event)
		return;
	event->taken = __sync_fetch_and_add(&control.taken, 1);
	place = event->taken & (POOL_PAGES - 1);
	to = bpf_map_lookup_elem(&pool, &place);
	if (event->taken - control.returned >= POOL_PAGES - POOL_SLACK || !to ||
	    bpf_probe_read_kernel(to, sizeof(*to), from))
		event->kind = LOST;
	end(event);
}

struct walk {
	struct bio_vec *segments;
	struct bio_vec segment;
	__u32 done; // bytes of the segment
	__u32 slot;
};

static long copy_next(__u64 index, void *data)
{
	struct walk *walk = data;
	__u32 frame;

	if (walk->done >= walk->segment.bv_len) {
		if (bpf_probe_read_kernel(&walk->segment, sizeof(walk->segment), walk->segments))
			return 1;
		walk->segments++;
		walk->done = 0;
	}
	frame = (walk->segment.bv_offset + walk->done) >> PAGE_SHIFT;
	copy_out((__u64)walk->segment.bv_page + frame * bpf_core_type_size(struct page), walk->slot + index);
	walk->done += PAGE_SIZE;
	return 0;
}

// A page written by this device's new owner: what zsmalloc kept for the slot before is gone.
static long forget(__u64 index, void *data)
{
	__u32 slot = *(__u32 *)data + index;
	__u64 *handle = bpf_map_lookup_elem(&handles, &slot);

	if (handle && *handle) {
		bpf_map_delete_elem(&slots, handle);
		*handle = 0;
	}
	return 0;
}

static long try_gib(__u64 index, void *data)
{
	__u64 base = *(__u64 *)data - (index << GIB_SHIFT);
	__u64 seen[4];

	if (bpf_probe_read_kernel(seen, sizeof(seen), (void *)(base + (control.frame << PAGE_SHIFT))) ||
	    seen[0] != control.pattern[0] || seen[1] != control.pattern[1] || seen[2] != control.pattern[2] ||
	    seen[3] != control.pattern[3])
		return 0;
	control.direct_map = base;
	control.found = 1;
	return 1;
}

// The recorder reads a block of the device into a page whose frame it knows and which still holds a pattern.
// The bio names its struct page, so vmemmap follows. The direct map begins at a whole GiB below any slab
// object, and only at the right one the pattern stands where the frame says.
static void find_direct_map(struct page *page)
{
	__u64 base = (bpf_get_current_task() >> GIB_SHIFT) << GIB_SHIFT;

	control.page_struct = bpf_core_type_size(struct page);
	control.vmemmap = (__u64)page - control.frame * bpf_core_type_size(struct page);
	bpf_loop(MOST_GIB, try_gib, &base, 0);
}

SEC("tp_btf/block_bio_queue")
int BPF_PROG(bio_queue, struct bio *bio)
{
	__u32 operation, pages, first, task = bpf_get_current_pid_tgid();
	struct walk walk = {};
	struct folio *folio;

	if (bio->bi_bdev->bd_dev != control.device)
		return 0;
	operation = bio->bi_opf & 0xff; // REQ_OP_READ 0, REQ_OP_WRITE 1
	first = bio->bi_iter.bi_sector / SECTORS_PER_PAGE;
	pages = bio->bi_iter.bi_size >> PAGE_SHIFT;
	walk.segments = BPF_CORE_READ(bio, bi_io_vec) + bio->bi_iter.bi_idx;
	if (operation > 1 || !pages || pages > MOST_PAGES ||
	    bpf_probe_read_kernel(&walk.segment, sizeof(walk.segment), walk.segments++))
		return 0;
	if (control.probing && operation == 0 && first == 0)
		find_direct_map(walk.segment.bv_page);
	if (!control.armed)
		return 0;
	if (operation == 0) {
		note(IN, first, pages);
		return 0;
	}
	bpf_loop(pages, forget, &first, 0);
	folio = folio_of(walk.segment.bv_page);
	if (!mine(memcg_of(folio))) {
		note(FOREIGN, first, pages);
		return 0;
	}
	if (!control.swap_type)
		control.swap_type = (BPF_CORE_READ(folio, swap.val) >> 58) + 1;
	bpf_map_update_elem(&writing, &task, &first, 0);
	walk.done = bio->bi_iter.bi_bvec_done;
	walk.slot = first;
	bpf_loop(pages, copy_next, &walk, 0);
	return 0;
}

static long remember(__u64 index, void *data)
{
	struct walk *walk = data;
	struct zram_table_entry *entry = (struct zram_table_entry *)walk->segments;
	__u32 slot = walk->slot + index;
	__u64 *handle = bpf_map_lookup_elem(&handles, &slot);
	__u64 value;

	entry = (void *)entry + slot * (__u64)bpf_core_type_size(struct zram_table_entry);
	value = BPF_CORE_READ(entry, handle);
	// A same-filled page's entry holds its value, which no kernel address equals in practice.
	if (handle && (__s64)value < 0 && !bpf_map_update_elem(&slots, &value, &slot, 0))
		*handle = value;
	return 0;
}

// zram is done with a write: its table now names the handle, by whose release the free is seen.
SEC("tp_btf/block_bio_complete")
int BPF_PROG(bio_complete, void *queue, struct bio *bio)
{
	struct walk walk = {};
	struct zram *zram;

	if (bio->bi_bdev->bd_dev != control.device || !control.armed || (bio->bi_opf & 0xff) != 1)
		return 0;
	zram = BPF_CORE_READ(bio, bi_bdev, bd_disk, private_data);
	walk.segments = (void *)BPF_CORE_READ(zram, table);
	walk.slot = bio->bi_iter.bi_sector / SECTORS_PER_PAGE;
	bpf_loop(bio->bi_iter.bi_size >> PAGE_SHIFT, remember, &walk, 0);
	return 0;
}

// zsmalloc gives back the handle of a slot's object: the slot is free.
SEC("tp_btf/kmem_cache_free")
int BPF_PROG(cache_free, unsigned long caller, const void *object, const struct kmem_cache *cache)
{
	__u64 key = (__u64)object, *handle;
	__u32 *found, slot;

	if (cache->object_size != HANDLE_BYTES || !control.armed)
		return 0;
	found = bpf_map_lookup_elem(&slots, &key);
	if (!found)
		return 0;
	slot = *found;
	handle = bpf_map_lookup_elem(&handles, &slot);
	if (handle)
		*handle = 0;
	bpf_map_delete_elem(&slots, &key);
	note(FREE, slot, 1);
	return 0;
}

// Kernels with function tracing name every free themselves.
SEC("fentry/zram_slot_free_notify")
int BPF_PROG(slot_free, struct block_device *device, unsigned long slot)
{
	if (device->bd_dev == control.device && control.armed)
		note(FREE, slot, 1);
	return 0;
}

// vmscan has written out a folio. One whose bio was not seen just now holds zeros, which the swap core
// keeps in a bitmap since 6.12.
SEC("tp_btf/mm_vmscan_write_folio")
int BPF_PROG(folio_written, struct folio *folio)
{
	__u32 task = bpf_get_current_pid_tgid(), slot, pages = 1, *written;
	__u64 entry, flags;

	if (!control.armed || !mine(memcg_of(folio)))
		return 0;
	entry = BPF_CORE_READ(folio, swap.val);
	slot = entry & ((1ULL << 58) - 1);
	if (control.swap_type && (entry >> 58) + 1 != control.swap_type)
		return 0;
	written = bpf_map_lookup_elem(&writing, &task);
	if (written) {
		bool seen = *written == slot;

		bpf_map_delete_elem(&writing, &task);
		if (seen)
			return 0;
	}
	// The flags are a folio's first word; their type changed, so they are not read by their name.
	if (!bpf_probe_read_kernel(&flags, sizeof(flags), folio) &&
	    flags >> bpf_core_enum_value(enum pageflags, PG_head) & 1)
		pages = BPF_CORE_READ(folio, _nr_pages);
	bpf_loop(pages, forget, &slot, 0);
	note(ZERO, slot, pages);
	return 0;
}

SEC("tp_btf/mod_memcg_state")
int BPF_PROG(memcg_state, struct mem_cgroup *memcg, int item, int change)
{
	if (change < 0 && item == bpf_core_enum_value(enum memcg_stat_item, MEMCG_SWAP) && control.armed && mine(memcg))
		__sync_fetch_and_add(&control.freed, -change);
	return 0;
}
