"""The programs in this host's kernel, held against the device, what lies on it, and the kernel's own counters."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from workloads.errors import HostError
from workloads.host.cgroup import MemoryCgroup, memory_cgroup, require_cgroup
from workloads.host.direct import SlotReader
from workloads.host.signals import deferred
from workloads.host.zram import require_zram
from workloads.host.zram_swap import SwapDevice, swap_device
from workloads.recorder.backend import Target
from workloads.recorder.bpf import drain, loaded
from workloads.recorder.bpf.backend import BpfBackend
from workloads.recorder.bpf.ring import POOL_PAGES
from workloads.recorder.program import Program
from workloads.recorder.records import OURS, PAGE_IN, PAGE_OUT, SLOT_FREE, ZERO_OUT, Records, joined

PAGE = 4096
N_SLOTS = 1 << 15
# Pages of every kind; the first half is read again, the last quarter given back, and more is written.
PROGRAM = """
import mmap, os, sys, time
def fill(n):
    memory = mmap.mmap(-1, n * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(n):
        kind = page % 8
        at = page * 4096
        if kind == 0:
            memory[at] = 0
        elif kind == 1:
            memory[at : at + 4096] = bytes([page % 255 + 1]) * 4096
        else:
            memory[at : at + 1024] = os.urandom(1024)
    return memory
first = fill(int(sys.argv[2]))
sum(first[page * 4096] for page in range(4096))
first.madvise(mmap.MADV_DONTNEED, 6144 * 4096, 2048 * 4096)
second = fill(2048)
open(sys.argv[1], "w").close()
time.sleep(600)
"""


def _missing() -> str:
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        return str(error)
    return BpfBackend.missing()


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(_missing()), reason=f"cannot watch live swap: {_missing()}"),
]


class Live:
    """A program whose swapping is watched."""

    def __init__(self, swap: SwapDevice, cgroup: MemoryCgroup, backend: BpfBackend) -> None:
        self.swap, self.cgroup, self.backend = swap, cgroup, backend
        self.before = self._pages_moved()
        self.held_before = self.on_device()
        self._records: list[Records] = []

    def _pages_moved(self) -> tuple[int, int]:
        fields = Path(f"/sys/block/{self.swap.path.name}/stat").read_text().split()
        return int(fields[2]) // 8, int(fields[6]) // 8

    def pages_moved(self) -> tuple[int, int]:
        """Read from and written to the device since the beginning, as the block layer counts."""
        now = self._pages_moved()
        return now[0] - self.before[0], now[1] - self.before[1]

    def records(self) -> Records:
        """All until now."""
        now = time.monotonic_ns()
        while not self._records or self._records[-1].until_ns < now:
            self._records.append(self.backend.read(0.05))
        return joined(self._records)

    def settled(self) -> tuple[Records, tuple[int, int], int]:
        """All until now, and by then the pages moved and those on the device.

        Again if somebody else's page was moved or freed in between: swap is the whole machine's.
        """
        while True:
            before = self.pages_moved(), self.on_device()
            records = self.records()
            if (self.pages_moved(), self.on_device()) == before:
                return records, *before

    def on_device(self) -> int:
        """Pages that the device holds, the swap header apart."""
        return self.swap.mm_stat().orig_data_size // PAGE - 1


@contextmanager
def _watched(tmp_path: Path, pages: int) -> Iterator[Live]:
    """A program that has filled so many pages and now stands still."""
    with deferred(), ExitStack() as stack:
        name = f"cswap-test-{os.getpid()}"
        swap = stack.enter_context(swap_device("lz4", N_SLOTS))
        cgroup = stack.enter_context(memory_cgroup(name))
        cgroup.limit(20 << 20)
        program = Program([sys.executable, "-c", PROGRAM, str(tmp_path / "ready"), str(pages)], None)
        stack.callback(program.reap)
        stack.callback(cgroup.kill)
        stack.callback(program.end)
        cgroup.add(program.pid)
        target = Target(swap.path, swap.major, swap.minor, N_SLOTS, cgroup.path, cgroup.version, PAGE, (), name)
        backend = stack.enter_context(BpfBackend(target))
        seen = Live(swap, cgroup, backend)
        program.begin()
        end = time.monotonic() + 60
        while not (tmp_path / "ready").exists():
            assert program.status() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        cgroup.freeze()
        yield seen


@pytest.fixture
def live(alone: None, tmp_path: Path) -> Iterator[Live]:
    with _watched(tmp_path, 8192) as seen:
        yield seen


def _replayed(records: Records) -> dict[int, int]:
    """What each slot in use holds: the row of contents, or -1 for a page of zeros or of somebody else's."""
    held: dict[int, int] = {}
    columns = (records.kind, records.slot, records.owner, records.page)
    for kind, slot, owner, page in zip(*(column.tolist() for column in columns), strict=True):
        if kind == PAGE_OUT and owner == OURS:
            held[slot] = page
        elif kind in (PAGE_OUT, ZERO_OUT):
            held[slot] = -1
        elif kind == SLOT_FREE:
            held.pop(slot, None)
    return held


def _on_device(records: Records, before: int) -> int:
    """How many pages lie on the device, whoever's, if so many did before the records."""
    written: dict[int, bool] = {}
    for kind, slot in zip(records.kind.tolist(), records.slot.tolist(), strict=True):
        if kind in (PAGE_OUT, ZERO_OUT):
            written[slot] = kind == PAGE_OUT
        elif kind == SLOT_FREE:
            before -= slot not in written
            written.pop(slot, None)
    return before + sum(written.values())


def test_what_is_seen_is_what_the_kernel_did(live: Live) -> None:
    records, moved, _ = live.settled()
    kinds = {kind: int((records.kind == kind).sum()) for kind in (PAGE_OUT, PAGE_IN, SLOT_FREE, ZERO_OUT)}
    assert (kinds[PAGE_IN], kinds[PAGE_OUT]) == moved
    assert kinds[PAGE_IN] > 1000
    assert kinds[PAGE_OUT] > 5000
    assert kinds[ZERO_OUT] > 500
    assert (np.diff(records.time_ns) >= 0).all()

    ours = (records.kind == PAGE_OUT) & (records.owner == OURS)
    assert (records.page[ours] >= 0).all()
    assert live.backend.dropped() == {}

    held = _replayed(records)
    pages = {slot: page for slot, page in held.items() if page >= 0}
    reader = SlotReader(live.swap.path, PAGE)
    slots = np.array(sorted(pages), np.int64)
    content, _, used = reader.read(slots)
    reader.close()
    assert used.all()
    np.testing.assert_array_equal(content, records.content[[pages[slot] for slot in slots.tolist()]])


def test_every_free_on_the_device_is_seen(live: Live) -> None:
    if not live.backend.sees_frees:
        pytest.skip("this kernel neither traces its functions nor has the table of slots that is known")

    records, _, held = live.settled()
    assert _on_device(records, live.held_before) == held
    live.cgroup.kill()
    time.sleep(0.05)
    records, _, held = live.settled()
    assert _on_device(records, live.held_before) == held
    assert live.cgroup.swapped() == 0


def test_a_recorder_that_is_late_loses_contents_and_says_so_but_no_event(
    alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "MOST_PAGES", 0)
    with _watched(tmp_path, 24576) as live:
        monkeypatch.undo()
        records, moved, _ = live.settled()
        ours = (records.kind == PAGE_OUT) & (records.owner == OURS)
        outs = int((records.kind == PAGE_OUT).sum())
        assert (int((records.kind == PAGE_IN).sum()), outs) == moved
        lost = int((records.page[ours] < 0).sum())
        assert int(ours.sum()) - lost == POOL_PAGES - 1024  # the first so many were caught
        assert lost > 1000
        assert live.backend.dropped() == {}


def test_a_kernel_that_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaded, "OBJECT", Path(__file__))
    with pytest.raises(HostError) as caught:
        loaded.Loaded(1, slot_free=False)
    assert "\n" not in str(caught.value)
    assert "test_bpf_live.py" in str(caught.value)


def _bpf_descriptors() -> list[str]:
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the descriptor of the folder itself
            found.append(os.readlink(path))
    return sorted(name for name in found if "bpf" in name)


def test_nothing_stays_in_the_kernel() -> None:
    before = _bpf_descriptors()
    programs = loaded.Loaded(1, slot_free=False)
    assert len(_bpf_descriptors()) > len(before)
    programs.close()
    assert _bpf_descriptors() == before
