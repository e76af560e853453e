"""Whose contents a page read back is: held against a simulated device that knows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.recorder.records import OURS, PAGE_IN, PAGE_OUT, READ_AS_ZEROS, UNKNOWN, Records
from workloads.recorder.tracefs.catcher import DOUBT_NS, PATIENCE_NS, Catcher
from workloads.recorder.tracefs.ringbuffer import (
    EVENT,
    FORKED,
    QUEUED_IN,
    QUEUED_OUT,
    RECLAIM_BEGINS,
    RECLAIM_ENDS,
    WRITTEN,
)

SLOTS, PAGE = 5, 16
PID = 7


@dataclass
class Device:
    """A device, its clock, and what it told the ring buffer."""

    clock: int = 100
    held: list[int] = field(default_factory=lambda: [0] * SLOTS)  # the number of the write, 0 for a free slot
    writes: list[tuple[int, int]] = field(default_factory=list)  # time and slot of write 1, 2, ...
    open: dict[int, int] = field(default_factory=dict)  # slot: the write on its way
    told: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    reads: int = 0

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def tell(self, what: int, slot: int, pid: int = PID, pages: int = 1) -> None:
        self.told.append((self.tick(), slot, pid, pages, what))

    def queue(self, slot: int) -> None:
        if slot not in self.open:
            self.tell(QUEUED_OUT, slot)
            self.writes.append((self.clock, slot))
            self.open[slot] = len(self.writes)

    def write(self, slot: int) -> None:
        if slot in self.open:
            self.held[slot] = self.open.pop(slot)
            self.tick()
            self.tell(WRITTEN, slot)

    def page_in(self, slot: int) -> None:
        self.tell(QUEUED_IN, slot)

    def free(self, slot: int) -> None:
        self.tick()
        if slot not in self.open:
            self.held[slot] = 0

    def read(
        self, slots: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        assert (np.diff(slots) > 0).all(), "slots must ascend"
        content = np.array([[self.held[s] % 256, self.held[s] // 256] * (PAGE // 2) for s in slots], np.uint8)
        times = np.array([self.tick() for _ in slots], np.int64)
        self.reads += len(slots)
        return content, times, content.any(axis=1)


def events(told: list[tuple[int, int, int, int, int]]) -> npt.NDArray[np.void]:
    return np.array(told, EVENT)


def number(content: npt.NDArray[np.uint8]) -> int:
    return int(content[0]) + 256 * int(content[1])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["queue", "write", "free", "page_in", "take", "catch", "release", "wait"]),
        st.integers(0, 1),  # few slots, much happens to each
    ),
    min_size=30,  # short ones show little
    max_size=120,
)


@given(STEPS)
@settings(max_examples=400, deadline=None)
def test_what_is_caught_is_what_was_written(steps: list[tuple[str, int]]) -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    handed: list[Records] = []
    taken = 0
    known = 0  # every event up to then was taken
    for name, slot in steps:
        if name == "take":
            catcher.take(events(device.told[taken:]))
            taken, known = len(device.told), device.clock
        elif name == "catch":
            catcher.catch()
        elif name == "release":
            handed.append(catcher.release(known))
        elif name == "wait":
            device.clock += 3
        else:
            getattr(device, name)(slot)
    for slot in list(device.open):
        device.write(slot)
    catcher.take(events(device.told[taken:]))
    catcher.catch()
    handed.append(catcher.release(device.clock))

    expected = [
        (t, PAGE_OUT if what == QUEUED_OUT else PAGE_IN, slot) for t, slot, _, _, what in device.told if what != WRITTEN
    ]
    found = [
        (int(r.time_ns[i]), int(r.kind[i]), int(r.slot[i]), r.content[r.page[i]] if r.page[i] >= 0 else None)
        for r in handed
        for i in range(len(r))
    ]
    assert [row[:3] for row in found] == expected, "all of them, once, in their order"
    writes = {time: n for n, (time, _) in enumerate(device.writes, 1)}
    for time, kind, _, content in found:
        if content is not None:
            assert kind == PAGE_OUT
            assert number(content) == writes[time], "never another write's"
    until = [r.until_ns for r in handed]
    assert all(int(r.time_ns.max(initial=0)) <= r.until_ns for r in handed)
    assert until == sorted(until)


def run(device: Device, catcher: Catcher, done: int = 0) -> Records:
    catcher.take(events(device.told[done:]))
    catcher.catch()
    return catcher.release(device.clock)


def test_what_nothing_disturbs_is_caught() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    for slot in (3, 0, 1):
        device.queue(slot)
        device.write(slot)
    device.page_in(0)
    records = run(device, catcher)
    assert records.slot.tolist() == [3, 0, 1, 0]
    assert records.page.tolist() == [0, 1, 2, -1]
    assert [number(page) for page in records.content] == [1, 2, 3]
    assert records.owner.tolist() == [OURS, OURS, OURS, UNKNOWN]


def test_freed_before_it_was_read_is_lost() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.queue(1)
    device.write(1)
    device.free(1)
    assert run(device, catcher).page.tolist() == [-1]


def test_written_again_before_the_read_was_over_is_lost() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.queue(1)
    device.write(1)
    catcher.take(events(device.told))
    device.queue(1)  # not yet told when the page is read
    device.write(1)
    catcher.catch()
    records = run(device, catcher, 2)
    assert records.page.tolist() == [-1, 0]
    assert number(records.content[0]) == 2


def test_nothing_is_decided_before_all_events_up_to_the_read_are_known() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.queue(1)
    device.write(1)
    catcher.take(events(device.told))
    before = device.clock
    catcher.catch()
    assert len(catcher.release(before)) == 0
    assert catcher.release(before).until_ns < device.writes[0][0]
    assert len(catcher.release(device.clock)) == 1


def test_a_write_that_never_ends_is_lost_in_the_end() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.queue(1)
    assert len(run(device, catcher)) == 0
    device.clock += PATIENCE_NS
    assert catcher.release(device.clock).page.tolist() == [-1]


def test_large_bios_are_a_record_a_page() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.tell(QUEUED_OUT, 1, pages=3)
    for slot in (1, 2, 3):
        device.held[slot] = slot
    device.tell(WRITTEN, 1, pages=3)
    device.tell(QUEUED_IN, 1, pages=2)
    records = run(device, catcher)
    assert records.slot.tolist() == [1, 2, 3, 1, 2]
    assert [number(page) for page in records.content] == [1, 2, 3]


def test_whose_threads_write_is_followed_through_forks() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.tell(FORKED, 8, pid=PID)
    device.tell(FORKED, 9, pid=8)
    device.tell(FORKED, 10, pid=1)
    catcher.take(events(device.told))
    for slot, pid in enumerate((9, 10, PID)):
        device.tell(QUEUED_OUT, slot, pid=pid)
        device.tell(WRITTEN, slot, pid=pid)
    assert run(device, catcher, 3).owner.tolist() == [OURS, UNKNOWN, OURS]
    device.tell(FORKED, 9, pid=1)  # the number is used again by another's child
    device.tell(QUEUED_OUT, 4, pid=9)
    device.tell(WRITTEN, 4, pid=9)
    assert run(device, catcher, 9).owner.tolist() == [UNKNOWN]


def test_missing_events_make_what_is_open_lost() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.queue(1)
    device.write(1)
    catcher.take(events(device.told))
    catcher.catch()
    catcher.doubt()
    assert catcher.release(device.clock).page.tolist() == [-1]


def test_zeros_in_a_large_bio_may_be_what_was_written() -> None:
    device = Device()
    for apart, pages, expected in ((True, 2, READ_AS_ZEROS), (True, 1, -1), (False, 1, READ_AS_ZEROS)):
        catcher = Catcher(device.read, SLOTS, PAGE, [PID], zeros_apart=apart)
        before = len(device.told)
        device.held = [0] * SLOTS
        device.tell(QUEUED_OUT, 1, pages=pages)
        device.tell(WRITTEN, 1, pages=pages)
        assert run(device, catcher, before).page.tolist() == [expected] * pages


def written_while_reclaiming(device: Device, *told: tuple[int, int]) -> list[int]:
    """Whose the page-outs are when these kinds of events, of these threads, come one after the other."""
    catcher = Catcher(device.read, SLOTS, PAGE, [PID, PID + 1])
    slot = 0
    for what, pid in told:
        device.tell(what, slot, pid=pid)
        if what == QUEUED_OUT:
            device.held[slot] = 1 + slot
            device.tell(WRITTEN, slot, pid=pid)
            slot += 1
    return run(device, catcher).owner.tolist()


def test_who_reclaims_for_the_whole_machine_may_write_anybodys_pages() -> None:
    mine, other = (QUEUED_OUT, PID), (QUEUED_OUT, PID + 1)
    begin, end = (RECLAIM_BEGINS, PID), (RECLAIM_ENDS, PID)
    assert written_while_reclaiming(Device(), mine, begin, mine, other, end, mine) == [OURS, UNKNOWN, OURS, OURS]
    assert written_while_reclaiming(Device(), begin, mine) == [UNKNOWN]


def test_a_reclaim_that_is_told_late_counts_all_the_same() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.tell(RECLAIM_BEGINS, 0)
    device.queue(1)
    device.write(1)
    first, *rest = device.told
    catcher.take(events(rest))
    catcher.catch()
    catcher.take(events([first]))
    assert catcher.release(device.clock).owner.tolist() == [UNKNOWN]


def test_after_missing_events_nobody_knows_for_a_while_whose_a_page_is() -> None:
    device = Device()
    catcher = Catcher(device.read, SLOTS, PAGE, [PID])
    device.queue(1)
    device.write(1)
    catcher.take(events(device.told))
    catcher.doubt([PID])
    assert run(device, catcher, 2).owner.tolist() == [UNKNOWN]
    device.queue(2)
    device.write(2)
    assert run(device, catcher, 2).owner.tolist() == [UNKNOWN]
    device.clock += DOUBT_NS
    device.queue(3)
    device.write(3)
    assert run(device, catcher, 4).owner.tolist() == [OURS]
