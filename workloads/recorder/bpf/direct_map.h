// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// Where the kernel's direct map of memory lies, found with a page of known content.

#define GIB_SHIFT 30
#define MOST_GIB 65536

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

	control.table_known = bpf_core_field_exists(struct zram_table_entry, handle) &&
			      bpf_core_field_exists(struct zram_table_entry, flags) &&
			      bpf_core_enum_value_exists(enum zram_pageflags, ZRAM_SAME);
	control.vmemmap = (__u64)page - control.frame * bpf_core_type_size(struct page);
	bpf_loop(MOST_GIB, try_gib, &base, 0);
}
