// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
//
// What the programs and the recorder share. workloads/recorder/bpf/ring.py and control.py mirror it.

#define PAGE_SHIFT 12
#define PAGE_SIZE (1 << PAGE_SHIFT)
#define SECTORS_PER_PAGE (PAGE_SIZE / 512)
#define POOL_PAGES 16384 // must be a power of two
#define POOL_SLACK 1024  // pages of the pool never lent out, as CPUs may hand in theirs out of order
#define RING_BYTES (32 << 20)

enum kind { OUT, IN, FREE, ZERO, FOREIGN, LOST };

// One event, 32 bytes.
struct event {
	__u64 time_ns; // CLOCK_MONOTONIC
	__u32 slot;    // the first, of `pages`
	__u32 pages;
	__u32 kind;
	__u32 task;  // thread that ran
	__u32 taken; // OUT and LOST: how many pages of the pool were taken before this one
	__u32 unused;
};

// What the recorder tells, and what it asks.
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
	__u64 table;      // address of zram's table of slots, once seen
	__u32 swap_type;  // number of the swap area + 1, once seen
	__u32 table_known; // whether the fields of that table are those that we read
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
