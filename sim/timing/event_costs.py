"""What each event of a trace costs, without waiting: from its details, the compressor's times and the costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.frontends.compiled.slots import HUGE, OBJECT, REFUSED, SAME
from sim.plugins import MAPPINGS
from sim.replay.detailed import Moved
from sim.timing.costs import Costs
from sim.timing.latency import PARTS
from sim.timing.lines import Lines, Waits
from sim.timing.setting import Setting
from sim.timing.work import COMPACT, FAILED, FREE, NO_LOCK, PAGE_IN, PAGE_OUT, UNTIMED, Column, Work
from sim.timing.writeback import with_writebacks
from workloads.traces.events import COMPACT as COMPACTION
from workloads.traces.events import FREE as FREED
from workloads.traces.events import IN, KINDS, OUT, Events
from workloads.traces.sizes import Sizes

SLOTS_OF_A_LINE = 4  # of 64 bytes: 16 for a slot of zram
OPERATION = np.array([PAGE_OUT, PAGE_IN, FREE, COMPACT, UNTIMED])  # by the kind of the event
assert len(OPERATION) == len(KINDS)


class EventCosts:
    """Computes the costs of events in one setting; `lines` are those on the way through this frontend and allocator."""

    def __init__(self, costs: Costs, setting: Setting, sizes: Sizes, lines: Lines, limited: bool) -> None:
        self.ns = {cost: costs.ns(cost) * setting.cpu_scale for cost in costs.entries}
        self.mapping = MAPPINGS.make(setting.mapping)
        self.map_ns = self.mapping.cost(costs, setting.cpus) * setting.cpu_scale
        self.compress_ns: Column = sizes.compress_ns.astype(np.float64) * setting.cpu_scale
        self.mean_decompress = float(sizes.decompress_ns.mean()) * setting.cpu_scale if len(sizes) else 0.0
        self.lines = lines
        self.cluster = costs.number("reclaim.cluster")
        # What batches before left in the caches, so that times do not depend on how events are cut in batches.
        self.page_outs = 0  # with an object
        self.met: npt.NDArray[np.int64] = np.zeros(0, np.int64)  # locks of the cluster that is not full
        self.line = -1  # of the last page-out's slot
        self.read_slot = -1  # by the last event, if it was a page-in
        self.page_size, order = lines.allocator.page_size, lines.allocator.block_order
        self.block_ns = self.ns["alloc.order1"] / 2**order if order else self.ns["alloc.page"]  # a page of a block
        self.release_ns = self.ns["alloc.release"] / 2**order
        self.scale = setting.cpu_scale
        self.first_time: int | None = None  # of the trace, ns
        self.limited = limited  # whether compression streams may lack

    def copied(self, size: Any, between: str = "") -> Column:
        """Copies of so many bytes to memory out of the caches; with `between` "cold_", from there too; float64[n]."""
        start, per_kib = self.ns[f"copy.{between}start"], self.ns[f"copy.{between}per_kib"]
        cost: Column = np.where(size > 0, start + per_kib * size / 1024, 0.0)
        return cost

    def _memory(self, events: Events, detail: Any, waits: Waits, out: Any, read: Any) -> Column:
        """Waits for the page, the slot, and what changes when an object goes; not again for what was just read."""
        kind, slot = events.kind, events.slot
        came = kind == IN
        before = np.concatenate(([self.read_slot], np.where(came, slot, -1)))
        met = came | (slot == before[:-1])
        self.read_slot = int(before[-1])
        freed = (detail["free_lock"] != NO_LOCK) & ~met
        found = read | ((kind == FREED) & ~met) | self._next_line(out, slot)
        cost: Column = out * waits.page + freed * waits.free + found * waits.slot
        return cost

    def _next_line(self, out: Any, slot: Any) -> Any:
        """Which page-outs go to a slot whose line of memory is not that of the page-out before; bool[n]."""
        lines = slot[out] // SLOTS_OF_A_LINE
        other = np.zeros(len(out), np.bool_)
        other[out] = np.diff(lines, prepend=self.line) != 0
        self.line = int(lines[-1]) if len(lines) else self.line
        return other

    def _first_of_cluster(self, stored: Any, lock: Any) -> Any:
        """Which page-outs are the first of their lock, that is of their size class, among those that reclaim does
        without the program in between; bool[n].
        """
        rows = np.flatnonzero(stored)
        cluster = (self.page_outs + np.arange(len(rows))) // self.cluster
        found = np.zeros(len(stored), np.bool_)
        if len(rows):
            keys, first = np.unique(cluster << 32 | lock[rows], return_index=True)
            found[rows[first[~np.isin(keys, self.met)]]] = True
            open_ones = np.union1d(keys, self.met)
            self.met = open_ones[open_ones >> 32 == cluster[-1]]
        return found

    def work(self, events: Events, outcome: Any, detail: Any, moved: Mapping[int, Moved], start: int) -> Work:
        """One batch of a detailed replay, of which event `start` of the trace is the first."""
        ns, kind, n, what = self.ns, events.kind, len(events), outcome["what"]
        out, read = kind == OUT, (kind == IN) & (detail["cached"] == 0)
        kept = out & ((what == OBJECT) | (what == HUGE))
        stored = kept & (detail["lock"] != NO_LOCK)  # else in a page of its own, outside the pool
        loaded = read & ((what == OBJECT) | (what == HUGE))
        spans = (detail["spans"] != 0) & (stored | loaded)
        operation = OPERATION[kind]
        failed = np.zeros(n, np.bool_)
        failed[spans] = self.mapping.fails(detail["no_page"][spans] != 0)
        operation[failed] = FAILED
        freed = detail["free_lock"] != NO_LOCK
        reads = np.where(read & ~failed, detail["reads"], 0)
        writes = (out & (what == REFUSED)).astype(np.int64)

        cost = {part: np.zeros(n) for part in PARTS}
        path = np.array([ns["path.page_out"] + ns["path.reclaim"], 0.0, ns["path.free"], 0.0, 0.0])
        cost["path"] = path[kind]
        cost["path"][kind == IN] = ns["path.fault"] + ns["readahead.hit"]
        cost["path"][read] = ns["path.fault"] + ns["path.page_in"]
        cost["path"][loaded] += ns["path.object"]
        waits = self.lines.now()
        cost["memory"] = self._memory(events, detail, waits, out, read)
        cost["memory"][stored] += waits.object
        cost["memory"][loaded] += waits.load
        cost["memory"] += self._first_of_cluster(stored, detail["lock"]) * waits.store
        coded = loaded & (what == OBJECT)
        cost["memory"][coded] += self.ns["memory.read_per_kib"] * detail["bytes"][coded] / 1024
        self.page_outs += int(stored.sum())
        cost["check"][out] = np.where(what[out] == SAME, ns["check.same_filled"], ns["check.miss"])
        compressed = detail["compressed"] != 0
        cost["compress"][compressed] = self.compress_ns[detail["page"][compressed]]
        cost["decompress"] = np.where(read & ~failed, detail["decompress_ns"] * self.scale, 0.0)
        cost["compress"] += detail["split_compress_ns"] * self.scale
        cost["decompress"] += detail["split_decompress_ns"] * self.scale
        cost["map"] = np.where(spans, self.map_ns, 0.0)
        filled, whole = read & (what == SAME), loaded & (what == HUGE)
        cost["copy"] = self.copied(np.where(kept, detail["bytes"], np.where(filled, self.page_size, 0)))
        cost["copy"] += self.copied(np.where(whole, detail["bytes"], 0), "cold_")
        cost["copy"][failed] = 0.0
        cost["copy"] += detail["split_pages"] * ns["copy.start"] + ns["copy.per_kib"] * detail["split_bytes"] / 1024
        cost["readahead"] = self._readahead(detail, reads, waits.load)
        cost["device"] = np.where((reads > 0) | (writes > 0), ns["block.submit"], 0.0)
        allocated, released = detail["allocated"] * self.block_ns, detail["released"] * self.release_ns
        allocated = np.where(detail["allocated"] > 0, allocated + ns["alloc.grow"], 0.0)
        grow, hold = np.where(stored, allocated, 0.0), np.where(stored, ns["alloc.hit"], 0.0)
        free_hold = np.where(freed, ns["alloc.free"] + released, 0.0)
        unlocked = np.where(kept & ~stored, allocated, 0.0) + np.where(freed | (kind == COMPACTION), 0.0, released)
        unlocked += detail["split_pages"] * ns["alloc.hit"] + np.where(
            (detail["split_pages"] > 0) & ~kept, allocated, 0.0
        )
        locked = hold * np.where(grow > 0, 2, 1) + grow + free_hold
        cost["alloc"] = locked + unlocked

        then = np.where(out, cost["map"] + cost["copy"] + cost["device"], 0.0)
        compress = cost["compress"] if self.limited else np.zeros(n)
        moves = self._moves(moved, detail, cost, then)
        first = sum(cost.values()) - locked - then - compress
        for i, locks in moves.items():  # its work is counted lock by lock
            first[i] -= sum(held for _, held in locks)
        lock, free_lock = detail["lock"].copy(), detail["free_lock"].copy()
        only_frees = (lock == NO_LOCK) & freed & (then == 0)  # then what it frees under is its only lock
        lock[only_frees], hold[only_frees] = free_lock[only_frees], free_hold[only_frees]
        free_lock[only_frees], free_hold[only_frees] = NO_LOCK, 0.0
        sleeps = (reads > 0) | (writes > 0) | (detail["ahead_reads"] > 0)
        simple = (grow == 0) & (free_lock == NO_LOCK) & (compress == 0) & ~sleeps & (operation != COMPACT)
        simple &= (lock != NO_LOCK) | (then == 0)
        work = Work(
            operation=operation.tolist(),
            first=np.maximum(first, 0.0).tolist(),
            compress=compress.tolist(),
            lock=lock.tolist(),
            hold=hold.tolist(),
            grow=grow.tolist(),
            then=then.tolist(),
            free_lock=free_lock.tolist(),
            free_hold=free_hold.tolist(),
            reads=reads.tolist(),
            writes=writes.tolist(),
            ahead_reads=detail["ahead_reads"].tolist(),
            simple=simple.tolist(),
            costs=cost,
            events=n,
            start=start,
            time=self._since_the_first(events),
            task=None if events.task is None else events.task.tolist(),
            moves=moves,
        )
        written_back = np.where(out, detail["writes"] - writes, 0)
        free, submit = ns["alloc.free"], ns["block.submit"]
        there, found = ns["path.page_in"] + ns["path.object"], waits.slot + waits.load
        return with_writebacks(work, written_back, there, found, self.mean_decompress, free, submit)

    def _since_the_first(self, events: Events) -> list[float] | None:
        """Times of events, ns after the first of the trace: as floats, times since 1970 would be 256 ns apart."""
        if events.time_ns is None:
            return None
        if self.first_time is None:
            self.first_time = int(events.time_ns[0])
        since: list[float] = (events.time_ns - self.first_time).astype(np.float64).tolist()
        return since

    def _readahead(self, detail: Any, reads: Any, load: float) -> Column:
        """All that a page-in does for the pages that it reads ahead; those on the device come with its own `reads`."""
        same = detail["ahead"] - detail["ahead_objects"] - detail["ahead_reads"]
        cost: Column = detail["ahead"] * (self.ns["readahead.page"] + self.ns["path.page_in"])
        cost += detail["ahead_objects"] * (self.ns["path.object"] + load)
        cost += detail["ahead_spans"] * self.map_ns + detail["ahead_ns"] * self.scale
        cost += self.copied(detail["ahead_bytes"], "cold_") + self.copied(same * self.page_size)
        return cost + np.where((detail["ahead_reads"] > 0) & (reads == 0), self.ns["block.submit"], 0.0)

    def _moves(
        self, compactions: Mapping[int, Moved], detail: Any, cost: dict[str, Column], then: Column
    ) -> dict[int, list[tuple[int, float]]]:
        """What compactions do under each lock; their costs are entered."""
        moves = {}
        for i, moved in compactions.items():
            objects, size = moved[:, 0] * self.ns["compact.object"], self.copied(moved[:, 1], "cold_")
            moves[i] = [(lock, float(objects[lock] + size[lock])) for lock in np.flatnonzero(moved[:, 0]).tolist()]
            released = float(detail["released"][i] * self.release_ns)
            cost["alloc"][i] = objects.sum() + released
            cost["copy"][i] = size.sum()
            then[i] = released
        return moves
