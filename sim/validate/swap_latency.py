"""Predicted latency of reclaim and of page faults against measured ones: pages of a process that is swapped to zram.

The prediction is that of direct I/O (`sim.validate.latency`) and `path.fault` and `path.reclaim` on top, which are
measured in the same run on same-filled pages: nothing is fitted to the pages of the trace. Those costs are medians,
but the kernel puts off work and does it for many pages at once: a fault in 31 moves its batch of new pages to the LRU
lists (PAGEVEC_SIZE in include/linux/pagevec.h), for instance. So each prediction has the deviation of some same-filled
page from their median added. A fault frees the object of its page; the model has that as a free after each page-in,
without `path.free`, which is part of the fault.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from sim.calibration.device import ROUNDS, WARMING, floors
from sim.calibration.memory import measure_memory
from sim.calibration.samples import Samples
from sim.calibration.swap import SWAP, swap_costs
from sim.compressors.base import Compressor, Pages
from sim.timing.costs import Costs
from sim.validate.latency import OPERATIONS, Pair, Times, calibrated, one_cpu, pages_for_a_device, simulated, summary
from sim.validate.live_swap import FLOORS, Swapped, measure_swapped
from sim.validate.recorded import Report, quiet
from workloads.errors import HostError
from workloads.host.cgroup import memory_cgroup, require_cgroup
from workloads.host.kernel import zsmalloc_chain
from workloads.host.registry import own_name
from workloads.host.signals import STOPPING, Pending, deferred
from workloads.host.zram import PAGE, require_zram
from workloads.host.zram_swap import swap_device
from workloads.traces.events import FREE, IN, OUT, Events
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

LOOK_S = 0.05
SPARE_SLOTS = 1024  # two clusters of swap slots
MOST_LEFT_OUT = 0.03  # of the pages


def compare_swap(
    trace: Trace,
    compressor: Compressor,
    count: int = 2000,
    repeats: int = 5,
    chain: int | None = None,
    report: Report = quiet,
) -> tuple[list[dict[str, Any]], int]:
    """Rows of `sim.validate.latency.summary`, and how many pages of all repeats were left out.

    Each repeat has a new device, cgroup and process. Left out are pages that did not go out when they were told to, or
    did not come back by a major fault. SIGINT and SIGTERM take effect once all is removed. Raises HostError without
    root, zram, a memory cgroup or the compressor, and when more than MOST_LEFT_OUT of the pages are left out; UserError
    as `compare_latency`.
    """
    require_zram()
    require_cgroup()
    pages = pages_for_a_device(trace, count)
    chain = zsmalloc_chain() if chain is None else chain
    pairs: list[Pair] = []
    left_out = 0
    with report(f"{compressor.spec} on {trace.name}, swapped to zram") as done, one_cpu():
        for repeat in range(repeats):
            with deferred() as pending:
                samples = _floors(repeat)
                swapped = _measured(pages, compressor, repeat, pending)
            n, valid = len(pages), swapped.valid
            wrong = int((~valid[:n]).sum())
            if wrong > MOST_LEFT_OUT * n or not valid[n:].any():
                raise HostError(
                    f"{trace.name}: {wrong} of {n} pages did not go out to zram and come back by a major fault; "
                    "end what else uses memory, and `sysctl vm.page-cluster=0`"
                )
            left_out += wrong
            add_floors(samples, swapped)
            pairs += predicted_pairs(swapped, compressor.spec, samples, chain)
            done(repeat + 1, repeats)
    return summary(pairs), left_out


def _floors(seed: int) -> Samples:
    """Memory, and the floors of direct I/O."""
    samples = Samples()
    measure_memory(samples, np.random.default_rng(seed))
    with floors(samples) as measured:
        for _ in range(ROUNDS):
            measured.measure()
        measured.measure_once()
    return samples


def _measured(pages: Pages, compressor: Compressor, seed: int, pending: Pending) -> Swapped:
    """What a process measures in its cgroup, with a new zram device as the first swap of this host."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        slots = len(pages) + FLOORS + WARMING + SPARE_SLOTS
        swap = stack.enter_context(swap_device(compressor.name, slots, compressor.algorithm_params, "-c"))
        cgroup = stack.enter_context(memory_cgroup(f"cswap-{own_name()}"))
        ours, theirs = context.Pipe()
        stack.callback(ours.close)
        child = context.Process(target=_child, args=(theirs,), daemon=True)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)  # signals are for this process to obey
        try:
            child.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        stack.callback(child.join)
        stack.callback(child.kill)
        try:
            ours.recv()  # it is there
            cgroup.add(child.pid or 0)
            ours.send((pages, compressor, swap.number, seed))
            while not ours.poll(LOOK_S):
                pending.check()
            answer = ours.recv()
        except (EOFError, OSError):
            raise HostError("the measuring process was killed; is memory short?") from None
    if isinstance(answer, Exception):
        raise answer
    assert isinstance(answer, Swapped)
    return answer


def _child(pipe: Connection) -> None:
    """Wait to be in the cgroup, then measure; all memory that is swapped is made afterwards."""
    pipe.send(os.getpid())
    try:
        pipe.send(measure_swapped(*pipe.recv()))
    except EOFError:  # the other side is gone
        return
    except Exception as error:
        pipe.send(error)


def add_floors(samples: Samples, swapped: Swapped) -> None:
    """Add page-outs and page-ins of the same-filled pages."""
    floors = len(swapped.size) + np.flatnonzero(swapped.valid[len(swapped.size) :])
    for operation, ns in zip(OPERATIONS, (swapped.write, swapped.read), strict=True):
        samples.add(SWAP, ns[floors], PAGE, part=operation, state="cold")


def predicted_pairs(swapped: Swapped, codec: str, samples: Samples, chain: int) -> list[Pair]:
    """Measured and predicted times of the pages that are valid, in the order of the pages."""
    n, frame = len(swapped.size), samples.frame()
    trace, sizes = as_trace(swapped, codec)
    costs = calibrated(samples).with_value("path.free", 0)  # in the fault
    model = predicted(trace, sizes, swapped, costs, chain)
    floor = {operation: float(np.median(us[n:])) * 1e3 for operation, us in model.items()}
    found = {cost.name: cost for cost in swap_costs(frame, floor)}
    costs = replace(costs, entries={**costs.entries, **found})
    model = predicted(trace, sizes, swapped, costs, chain)
    valid, rng = np.flatnonzero(swapped.valid[:n]), np.random.default_rng(n)
    pairs = []
    for operation, ns in zip(OPERATIONS, (swapped.write, swapped.read), strict=True):
        floors = frame.loc[(frame["measure"] == SWAP) & (frame["part"] == operation), "ns"].to_numpy()
        spread = rng.choice(floors - np.median(floors), len(valid))
        pairs.append(Pair(operation, ns[valid] / 1e3, model[operation][valid] + spread / 1e3))
    return pairs


def as_trace(swapped: Swapped, codec: str) -> tuple[Trace, Sizes]:
    """What was done, in its order: all pages out to their slots, then each in again and its slot freed."""
    n, slot = len(swapped.size), swapped.slot.copy()
    lost = np.flatnonzero(slot < 0)
    slot[lost] = slot.max() + 1 + np.arange(len(lost))
    same = np.arange(len(slot)) >= n
    none = np.zeros(FLOORS, np.int64)
    size = np.concatenate((swapped.size, np.full(FLOORS, 16, np.int32)))  # not used: they are not compressed
    compress, decompress = (np.concatenate((ns, none)) for ns in (swapped.compress, swapped.decompress))
    sizes = Sizes(size, same, np.zeros_like(same), compress, decompress, {"codec": codec})
    back = np.repeat(swapped.into, 2)
    kind = np.concatenate((np.full(len(slot), OUT), np.tile((IN, FREE), len(slot))))
    pages = np.concatenate((swapped.out, np.full(len(back), -1)))
    events = Events.of(kind, slot[np.concatenate((swapped.out, back))], pages)
    return Trace.from_arrays("swapped", events, None, {codec: sizes}), sizes


def predicted(trace: Trace, sizes: Sizes, swapped: Swapped, costs: Costs, chain: int) -> dict[str, Times]:
    """Predicted us of each row, by operation."""
    events = simulated(trace, sizes, costs, chain)
    operation, us = events["operation"], events["total_us"]
    out, into = np.empty((2, len(sizes)))
    out[swapped.out] = us[operation == "page-out"]
    into[swapped.into] = us[operation == "page-in"] + us[operation == "free"]
    return dict(zip(OPERATIONS, (out, into), strict=True))
