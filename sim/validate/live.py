"""Simulated against live: a trace is replayed on a zram device of this host, and mm_stat compared on the way."""

from __future__ import annotations

import mmap

import numpy as np

from allocators.zspages.zsmalloc import Zsmalloc
from sim.compressors.base import Compressor
from sim.errors import UserError
from sim.frontends.zram import Zram
from sim.sizing.sizing import size_pages
from sim.validate.comparison import Comparison
from sim.validate.prediction import Prediction
from sim.validate.recorded import Report, quiet
from workloads.host.kernel import zsmalloc_chain
from workloads.host.signals import Pending, deferred
from workloads.host.zram import PAGE, ZramDevice, require_zram, zram_device
from workloads.limits import check_slots
from workloads.traces.events import FREE, IN, LOST, OUT, Events
from workloads.traces.trace import Trace


def compare_live(
    trace: Trace,
    compressor: Compressor,
    every: int = 1000,
    chain: int | None = None,
    mem_limit: int = 0,
    report: Report = quiet,
) -> Comparison:
    """Compare mm_stat after every `every` events, and after the last, with a device that is added and removed again.

    What is read is checked against what was written last. `chain` is the longest zspage, by default the running
    kernel's; `mem_limit` in bytes, 0 for none. SIGINT and SIGTERM take effect once the device is removed. Raises
    HostError without root, zram or the compressor; UserError for a trace without contents or with pages of another
    size, and for a slot that reads back wrong.
    """
    require_zram()
    if not trace.content or trace.page_size != PAGE or not trace.n_slots:
        what = f"{trace.page_size}-byte pages in {trace.n_slots} slots" if trace.content else "no contents"
        raise UserError(f"{trace.name}: {what}; a device needs contents, in pages of {PAGE} bytes, and a slot")
    check_slots(trace.path or trace.name, trace.n_slots)
    for _ in trace.batches():  # all of them are right, or no device is added
        pass
    with report(f"{compressor.spec} on {trace.name}") as done:
        sizes = size_pages(trace, compressor, progress=done)
    allocator = Zsmalloc(chain=zsmalloc_chain() if chain is None else chain)
    prediction = Prediction(trace.n_slots, sizes, allocator, Zram(mem_limit=mem_limit, zeros_apart=False))
    comparison, ops_done = Comparison(), 0
    with (
        report(f"{trace.name} on a zram device") as done,
        deferred() as pending,
        zram_device(compressor.name, trace.n_slots, mem_limit, compressor.algorithm_params) as device,
    ):
        player = Player(trace, device, pending)
        for events in trace.batches(every):
            player.play(events)
            prediction.apply(events)
            ops_done += len(events)
            comparison.add(ops_done, device.mm_stat(), prediction.mm_stat())
            done(ops_done, trace.n_events)
    return comparison


class Player:
    """Replays a trace on a device, one operation after the other, and remembers what each slot must hold."""

    def __init__(self, trace: Trace, device: ZramDevice, pending: Pending) -> None:
        self._device = device
        self._pending = pending
        # Direct I/O wants addresses that a page divides: anonymous memory has them. The last page stays zero.
        memory = mmap.mmap(-1, (trace.unique_pages + 1) * PAGE)
        self._pages = memoryview(memory)
        self._read = mmap.mmap(-1, PAGE)
        rows = np.frombuffer(memory, np.uint8).reshape(-1, PAGE)
        start = 0
        for pages in trace.page_batches():
            rows[start : start + len(pages)] = pages
            start += len(pages)
            pending.check()
        self._empty = trace.unique_pages
        self._held = np.full(trace.n_slots, self._empty, np.int64)

    def play(self, events: Events) -> None:
        """Do the operations of some events. Raises KeyboardInterrupt when a signal has come."""
        columns = (events.kind.tolist(), events.slot.tolist(), events.page.tolist())
        for kind, slot, page in zip(*columns, strict=True):
            self._pending.check()
            if kind == OUT:
                if self._device.write(slot, self._content(page)):
                    self._held[slot] = page
            elif kind == IN:
                self._check(slot)
            elif kind in (FREE, LOST):
                self._device.discard(slot)
                self._held[slot] = self._empty
            else:
                self._device.compact()

    def _content(self, page: int) -> memoryview:
        return self._pages[page * PAGE : (page + 1) * PAGE]

    def _check(self, slot: int) -> None:
        self._device.read(slot, self._read)
        if self._read[:] != bytes(self._content(int(self._held[slot]))):
            raise UserError(f"{self._device.name}: slot {slot} reads back other contents than were written to it")
