// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// Copies every page written to one swap device into memory shared with the recorder, as it is written.
//
// Events go, in the order of the kernel, through a ring buffer of small equal records; contents go into a
// pool of pages, used round and round, whose place the event names. Only pages charged to the recorded
// memory cgroup are copied: swap receives cold pages of the whole machine. No kernel headers are needed:
// the few fields used are declared in kernel.h and relocated at load time (CO-RE). Rebuild with `make bpf`.

#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "kernel.h"
#include "shared.h"
#include "contents.h"
#include "direct_map.h"
#include "frees.h"

#define MOST_PAGES 512 // pages in one bio: a huge page

char LICENSE[] SEC("license") = "Dual BSD/GPL";
#ifdef SOURCE_DIGEST
const char source[] SEC(".source") = SOURCE_DIGEST " clang " __clang_version__;
#endif

// The first slot that a task last wrote, until vmscan reports that folio: one it reports without was zero.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} writing SEC(".maps");

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
	if (!slot) // the folio left the swap cache meanwhile
		return 0;
	// The flags are a folio's first word; their type changed, so they are not read by their name.
	if (!bpf_probe_read_kernel(&flags, sizeof(flags), folio) &&
	    flags >> bpf_core_enum_value(enum pageflags, PG_head) & 1)
		pages = BPF_CORE_READ(folio, _nr_pages);
	bpf_loop(pages, forget, &slot, 0);
	note(ZERO, slot, pages);
	return 0;
}
