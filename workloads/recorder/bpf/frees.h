// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// Which slots are freed. A kernel that traces its functions says so itself. On others the release of zsmalloc's
// handle is seen, by the tracepoint of its slab cache; pages without one are looked at every few milliseconds.

#define HANDLE_BYTES 8 // size of an object of zsmalloc's cache of handles

// zsmalloc's handle of each slot, and back. The recorder sizes these and the next by the slots of the device.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} handles SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} slots SEC(".maps");

// A bit for each slot that has no handle of its own, because its page is same-filled: `sweep` watches these. A word
// of `watched_words` says which 64 words of `watched` have any.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} watched SEC(".maps"), watched_words SEC(".maps");

static void watch(__u32 slot)
{
	__u32 place = slot >> 6, above = slot >> 12;
	__u64 *word = bpf_map_lookup_elem(&watched, &place);
	__u64 *summary = bpf_map_lookup_elem(&watched_words, &above);

	if (!word || !summary)
		return;
	__sync_fetch_and_or(word, 1ULL << (slot & 63));
	__sync_fetch_and_or(summary, 1ULL << (place & 63));
}

// Returns whether the slot was watched until now.
static bool unwatch(__u32 slot)
{
	__u32 place = slot >> 6;
	__u64 *word = bpf_map_lookup_elem(&watched, &place), bit = 1ULL << (slot & 63);

	return word && *word & bit && __sync_fetch_and_and(word, ~bit) & bit;
}

// A slot is written anew: what zram kept for it before is gone.
static long forget(__u64 index, void *data)
{
	__u32 slot = *(__u32 *)data + index;
	__u64 *handle = bpf_map_lookup_elem(&handles, &slot);

	if (handle && *handle) {
		bpf_map_delete_elem(&slots, handle);
		*handle = 0;
	}
	unwatch(slot);
	return 0;
}

// Reads zram's entry of a slot: whether there is a page, and the handle if it has one.
static bool in_use(__u32 slot, __u64 *handle)
{
	struct zram_table_entry *entry =
		(void *)control.table + slot * (__u64)bpf_core_type_size(struct zram_table_entry);
	__u64 value = BPF_CORE_READ(entry, handle), flags = BPF_CORE_READ(entry, flags);
	bool same = flags >> bpf_core_enum_value(enum zram_pageflags, ZRAM_SAME) & 1;

	*handle = same ? 0 : value;
	return same || value;
}

static long remember(__u64 index, void *data)
{
	__u32 slot = *(__u32 *)data + index;
	__u64 value, *handle = bpf_map_lookup_elem(&handles, &slot);

	if (!in_use(slot, &value))
		return 0;
	if (handle && value && !bpf_map_update_elem(&slots, &value, &slot, 0))
		*handle = value;
	else
		watch(slot);
	return 0;
}

// zram is done with a write. Its table now names the handle, by whose release the free of the slot is seen.
SEC("tp_btf/block_bio_complete")
int BPF_PROG(bio_complete, void *queue, struct bio *bio)
{
	__u32 first;
	struct zram *zram;

	if (bio->bi_bdev->bd_dev != control.device || !control.armed || (bio->bi_opf & 0xff) != 1)
		return 0;
	zram = BPF_CORE_READ(bio, bi_bdev, bd_disk, private_data);
	control.table = (__u64)BPF_CORE_READ(zram, table);
	first = bio->bi_iter.bi_sector / SECTORS_PER_PAGE;
	bpf_loop(bio->bi_iter.bi_size >> PAGE_SHIFT, remember, &first, 0);
	return 0;
}

static long look_at_slot(__u64 index, void *data)
{
	__u32 slot = *(__u32 *)data + index, place = slot >> 6;
	__u64 *word = bpf_map_lookup_elem(&watched, &place), handle;
	struct event *event;

	if (!word || !(*word >> (slot & 63) & 1) || in_use(slot, &handle))
		return 0;
	// Others run meanwhile: only what is still so after the event has its place in the ring happened before it.
	event = begin(FREE, slot, 1);
	if (!event)
		return 0;
	if (in_use(slot, &handle) || !unwatch(slot))
		bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
	else
		end(event);
	return 0;
}

static long look_at_word(__u64 index, void *data)
{
	__u32 above = *(__u32 *)data, place = (above << 6) + index, first = place << 6;
	__u64 *summary = bpf_map_lookup_elem(&watched_words, &above), bit = 1ULL << index;
	__u64 *word = bpf_map_lookup_elem(&watched, &place);

	if (!word || !summary || !(*summary & bit))
		return 0;
	if (*word) {
		bpf_loop(64, look_at_slot, &first, 0);
	} else {
		__sync_fetch_and_and(summary, ~bit);
		if (*word)
			__sync_fetch_and_or(summary, bit);
	}
	return 0;
}

static long look_at_summary(__u64 index, void *data)
{
	__u32 above = index;
	__u64 *summary = bpf_map_lookup_elem(&watched_words, &above);

	if (!summary)
		return 1;
	if (*summary)
		bpf_loop(64, look_at_word, &above, 0);
	return 0;
}

// Run by the recorder every few milliseconds: frees of watched slots, which release no handle that is known.
SEC("syscall")
int sweep(void *unused)
{
	if (control.table && control.armed)
		bpf_loop(1 << 20, look_at_summary, 0, 0);
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
