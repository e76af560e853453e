"""A recording, from the first entry in the journal to the finished trace."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from workloads.errors import HostError
from workloads.host.cgroup import MemoryCgroup, memory_cgroup, require_cgroup
from workloads.host.counters import kernel, memory_bytes, since, vmstat
from workloads.host.direct import SlotReader
from workloads.host.registry import own_name
from workloads.host.signals import Pending, deferred
from workloads.host.usage import UsageFiles
from workloads.host.zram import require_zram
from workloads.host.zram_swap import SwapDevice, swap_device
from workloads.progress import Progress
from workloads.recorder.backend import Backend, Target
from workloads.recorder.backends import choose
from workloads.recorder.background import Background
from workloads.recorder.epochs import Epochs
from workloads.recorder.ledger import HELD, OTHERS, ZERO
from workloads.recorder.periodic import Periodic
from workloads.recorder.plan import Plan, Status, Watch
from workloads.recorder.privacy import Keeper, private
from workloads.recorder.program import Program, User, invoking_user
from workloads.recorder.rows import Epoch
from workloads.recorder.sampler import SAMPLE_S, Sampler
from workloads.recorder.segments import Segments, check_unused
from workloads.recorder.share import FOLLOW_S, Share

PAGE = mmap.PAGESIZE
MOST_SWAP = 16 << 30  # bytes: the kernel holds about 20 bytes of tables for each page of a device


def require(plan: Plan) -> tuple[type[Backend], list[str]]:
    """The backend that will serve, and why none before it does.

    Raises HostError that says what this host lacks, and what works instead; TraceError when the trace exists.
    """
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        raise HostError(f"{error}; `cswap record snapshot` works without") from error
    served = choose(plan.backend)
    with Keeper(plan.out.parent, invoking_user()).rights():
        check_unused(plan.out)
    return served


def record_program(plan: Plan, watch: Watch | None = None, progress: Progress | None = None) -> int:
    """Record into `plan.out`; the exit status of the command (0 if the recording ended first).

    `watch` is called about ten times a second, `progress` while the trace is put together. SIGINT, SIGTERM and SIGHUP
    end the recording: the trace is complete up to then, and the signal takes effect afterwards. Raises HostError when
    this host lacks something, TraceError when the trace cannot be written; then nothing is left behind.
    """
    backend, passed_over = require(plan)
    if passed_over:
        plan = replace(plan, notes=(*plan.notes, ("passed_over", passed_over)))
    user = invoking_user()
    with private() as umask, deferred() as pending:
        return Session(plan, backend, user, umask, pending).run(watch or (lambda status: None), progress)


class Session:
    """One recording."""

    def __init__(self, plan: Plan, backend: type[Backend], user: User | None, umask: int, pending: Pending) -> None:
        self._plan, self._backend, self._user = plan, backend, user
        self._umask, self._pending = umask, pending
        self._share: Share | None = None
        self._source: dict[str, Any] = {
            "kind": "recording",
            "command": list(plan.command),
            "ram" if plan.shared else "limit": plan.limit,
            "algorithm": plan.algorithm,
            "backend": backend.name,
            "kernel": kernel(),
            "began": datetime.now(UTC).isoformat(timespec="seconds"),
            **dict(plan.notes),
        }

    def run(self, watch: Watch, progress: Progress | None) -> int:
        """Record, take everything down, and put the trace together."""
        segments = Segments(self._plan.out, PAGE, self._source, self._user)
        with segments.kept():
            status = self._record(segments, watch)
            segments.finish(self._source, progress)
        return status

    def _record(self, segments: Segments, watch: Watch) -> int:
        plan = self._plan
        name = f"cswap-{own_name()}"
        n_slots = min(memory_bytes(), MOST_SWAP) // PAGE
        with ExitStack() as stack:
            swap = stack.enter_context(swap_device(plan.algorithm, n_slots))
            cgroup = stack.enter_context(memory_cgroup(name))
            cgroup.limit(plan.limit)
            slots = SlotReader(swap.path, PAGE)
            stack.callback(slots.close)
            program = Program(plan.command, self._user, self._umask)
            stack.callback(program.reap)
            stack.callback(cgroup.kill)
            stack.callback(program.end)
            stack.callback(cgroup.thaw)
            cgroup.add(program.pid)
            target = Target(
                swap.path, swap.major, swap.minor, n_slots, cgroup.path, cgroup.version, PAGE, (os.getpid(),), name
            )
            backend = stack.enter_context(self._backend(target))
            self._source["mm_stat_before"] = swap.mm_stat()._asdict()
            before, began = vmstat(), time.monotonic_ns()
            epochs = Epochs(backend, slots, n_slots, cgroup, swap.number, PAGE)
            usage = stack.enter_context(UsageFiles(cgroup.path, cgroup.version, swap.folder))
            sampler = Sampler(usage, epochs.began_ns)
            program.begin(cgroup.relieve)
            self._share = Share(cgroup, usage.pool, plan.limit) if plan.shared else None
            with Background() as writing, self._watching(sampler) as watching:

                def keep(epoch: Epoch) -> None:
                    writing.do(partial(segments.add, epoch, sampler.taken()))

                self._follow(program, epochs, segments, keep, watch, began)
                cgroup.freeze()
                for epoch in epochs.last():
                    keep(epoch)
            self._conclude(program, swap, cgroup, epochs, began)
            self._source["watching_cpu_s"] = round(sum(thread.cpu_ns for thread in watching) / 1e9, 3)
            self._source["vmstat"] = since(before)
            status = program.status()
        return 0 if status is None else status

    def _follow(
        self,
        program: Program,
        epochs: Epochs,
        segments: Segments,
        keep: Callable[[Epoch], None],
        watch: Watch,
        began: int,
    ) -> None:
        """Record until something ends it."""
        while True:
            ended = program.status() is not None or self._pending.number is not None
            seconds = (time.monotonic_ns() - began) / 1e9
            if ended or seconds >= (self._plan.duration_s or seconds + 1):
                return
            keep(epochs.next())
            limit = self._share.limit if self._share else None
            watch(Status(seconds, segments.events, epochs.pages, epochs.lost, segments.written, limit))

    @contextmanager
    def _watching(self, sampler: Sampler) -> Iterator[list[Periodic]]:
        """What goes on beside: samples are taken, and the limit follows the pool."""
        with ExitStack() as stack:
            threads = [stack.enter_context(Periodic(SAMPLE_S, sampler.sample))]
            if self._share:
                threads.append(stack.enter_context(Periodic(FOLLOW_S, self._share.follow)))
            yield threads

    def _conclude(self, program: Program, swap: SwapDevice, cgroup: MemoryCgroup, epochs: Epochs, began: int) -> None:
        """Note how it ended and what the kernel says, while everything stands still."""
        status = program.status()
        if status is not None:
            ended = f"command ended with status {status}"
        elif self._pending.number is not None:
            ended = f"signal {self._pending.number}"
        else:
            ended = "duration"
        state = epochs.ledger.state
        self._source |= {
            "ended": ended,
            "seconds": round((time.monotonic_ns() - began) / 1e9, 3),
            "mm_stat": swap.mm_stat()._asdict(),
            "stopped_for_memory": cgroup.relieved,
            "swapped_pages": cgroup.swapped() // PAGE,
            "held_pages": int((state == HELD).sum()),
            "zero_pages": int((state == ZERO).sum()),
            "zero_pages_on_device": epochs.ledger.blank(),
            "pages_of_others": int((state == OTHERS).sum()),
            "decided": {name: count for name, count in sorted(epochs.ledger.counts.items()) if count},
            "dropped": epochs.dropped(),
            **(self._share.account() if self._share else {}),
        }


def peak_of(plan: Plan) -> int:
    """Run the command once without a limit; the most bytes that its cgroup held. Raises HostError."""
    require_cgroup()
    user = invoking_user()
    with deferred() as pending, memory_cgroup(f"cswap-{own_name()}-peak") as cgroup, ExitStack() as stack:
        program = Program(plan.command, user)
        stack.callback(program.reap)
        stack.callback(cgroup.kill)
        stack.callback(program.end)
        cgroup.add(program.pid)
        program.begin()
        end = time.monotonic() + (plan.duration_s or float("inf"))
        while program.status() is None and time.monotonic() < end:
            pending.check()
            time.sleep(0.02)
        peak = cgroup.peak()
        if program.status():
            raise HostError(
                f"{plan.command[0]}: ended with status {program.status()} while its peak was measured; "
                f"see that it runs, or give --limit"
            )
    return peak
