// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// Copies the pages of a bio into the pool.

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
