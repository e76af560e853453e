"""On which machine a trace is replayed for advice on one of a given size."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.advice.judging import mib
from sim.errors import UserError
from sim.experiment.machine import Machine, MachinePoint
from sim.units import mib_text, size_text
from workloads.traces.sizes import GIVEN
from workloads.traces.source import recorded_limit

if TYPE_CHECKING:
    from sim.advice.runs import Packed
    from workloads.traces.trace import Trace

KERNEL = ("lz4", "lzo-rle", "lzo", "lz4hc:level=9", "zstd:level=1", "zstd:level=3", "zstd:level=9")
"""Compressors of zram that are looked at, where a trace has contents."""


WORTH = 1.1  # pages held in a page of the pool, below which compression is not worth its time


class Alone(Machine):
    """A machine without the baseline on machines of other sizes, of which no advice has any use."""

    def baseline(self, trace: Trace) -> list[MachinePoint]:
        """None."""
        return []


@dataclass(frozen=True)
class Workload:
    """A trace, and how it stands for a machine of `ram` bytes.

    `at`: the machine that program and pool share in its runs, in bytes; None: it is replayed as it was recorded,
    because nothing tells in how much memory that was, or because it is a sample. `scale`: of all figures, in pages,
    from the replay to the machine; None where that is unknown.
    """

    trace: Trace
    ram: int
    packed: Mapping[str, Packed]
    recorded: int | None = None
    at: int | None = None
    scale: float | None = None

    @property
    def exact(self) -> bool:
        """Whether it runs on the very machine that was asked for."""
        return self.at == self.ram

    @property
    def page_size(self) -> int:
        """Bytes of a page."""
        return self.trace.page_size

    @property
    def machine(self) -> Alone:
        """As an experiment takes it."""
        return Alone(ram=(self.at,), recorded=self.recorded) if self.at else Alone()

    def told(self) -> str:
        """How it is looked at, in a sentence."""
        trace, ram = self.trace.name, size_text(self.ram)
        if "sample" in self.trace.source:
            return f"{trace}: a sample, replayed as recorded; what its RAM is worth to the program is not known."
        if self.at is None:
            return (
                f"{trace}: replayed as recorded; what RAM is worth to it is not known without the memory it was "
                "recorded in (--recorded)."
            )
        assert self.recorded is not None
        if self.exact:
            return f"{trace}: recorded in {mib_text(self.recorded)}, replayed on a machine of {ram}."
        assert self.scale is not None
        times = f"{self.scale:.3g}" if self.scale < 1000 else f"{self.scale:,.0f}"
        at = f"replayed in {mib(self.at / self.page_size, self.page_size)}, sizes times {times}"
        if self.ram > self.recorded:
            return f"{trace}: nothing swaps in {ram}; {at}."
        return f"{trace}: recorded in {mib_text(self.recorded)}, so {ram} is too little to know; {at}."


def worthy(packed: Mapping[str, Packed]) -> list[Packed]:
    """How pages pack by those compressors that are worth their time."""
    return [one for one in packed.values() if one.objects >= WORTH * one.pages]


def packs(workloads: Sequence[Workload], codecs: Sequence[str]) -> tuple[float, str]:
    """How many pages of all of them, as recorded, a page of RAM holds at most, and by which compressor."""

    def held(name: str) -> float:
        packed = [one.packed[name] for one in workloads]
        pages = sum(one.pages for one in packed)
        return sum(one.objects for one in packed) / pages if pages else math.inf  # all of them same-filled

    return max((held(name), name) for name in codecs)


def workload(trace: Trace, ram: int, recorded: int | None, packed: Mapping[str, Packed]) -> Workload:
    """How a trace stands for a machine of `ram` bytes; `recorded` as `Machine` takes it.

    On that machine itself, if it is one of which the recording tells, and something swaps there. Else on the smallest
    of which it tells all, with the memory it was recorded in and its pool in that memory; figures are scaled then, for
    a machine that is as short of memory.
    """
    share = sample_share(trace)
    known = _limit(trace, recorded, bool(share))
    if known is None:
        return Workload(trace, ram, packed)
    # A pool of what no compressor makes smaller would take all that the program lacks, so that nothing swapped.
    pool = max((one.most for one in worthy(packed)), default=0) * trace.page_size
    most = trace.fullest.slots * trace.page_size
    if share:
        return Workload(trace, ram, packed, known, scale=ram / (known * share + pool))
    if known <= ram < known + most:
        return Workload(trace, ram, packed, known, ram, 1.0)
    return Workload(trace, ram, packed, known, known + pool, ram / (known + pool))


def _limit(trace: Trace, recorded: int | None, sample: bool) -> int | None:
    """Bytes of the memory in which it, or what it is a sample of, was recorded."""
    if sample:
        return recorded_limit(trace.source)
    try:
        return Machine(ram=(1,), recorded=recorded).recorded_in(trace)
    except UserError:
        return None


def sample_share(trace: Trace) -> float | None:
    """The share of slots that a sample has; None for a whole recording."""
    sample = trace.source.get("sample")
    share = sample.get("share") if isinstance(sample, Mapping) else None
    return float(share) if isinstance(share, int | float) and 0 < share <= 1 else None


def codecs_of(trace: Trace) -> tuple[str, ...]:
    """The compressors that it can be replayed with; `given` for sizes of one that it does not name."""
    if trace.content:
        return KERNEL
    there = {codec: trace.sizes(codec) for codec in trace.sizes_codecs()}
    names = {sizes.meta["codec"] for sizes in there.values() if sizes is not None}
    return (GIVEN,) if GIVEN in names else tuple(codec for codec in KERNEL if codec in names & set(there))


def common_codecs(traces: Sequence[Trace]) -> tuple[str, ...]:
    """The compressors that all can be replayed with. Raises UserError if there is none."""
    each = [codecs_of(trace) for trace in traces]
    found = tuple(codec for codec in each[0] if all(codec in others for others in each))
    if not found:
        names = ", ".join(trace.name for trace in traces)
        raise UserError(f"{names}: no compressor of the kernel has sizes in all of them; give traces with contents")
    return found


def left_aside(trace: Trace) -> str:
    """What is said of a trace whose pages do not compress, beside others of which most do."""
    return f"{trace.name}: does not compress, so the advice is without it; alone, it would swap without compression."


def not_looked_at(traces: Sequence[Trace], codecs: Sequence[str]) -> Iterator[str]:
    """Which compressors are not among them, and why."""
    if lacking := [codec for codec in KERNEL if codec not in codecs]:
        names = ", ".join(trace.name for trace in traces if not trace.content)
        yield f"For want of contents ({names}) not looked at: {', '.join(lacking)}."


def nothing_goes_out(workload: Workload) -> str:
    """What is said where no page goes out in the replay."""
    return f"{workload.trace.name}: nothing goes out in its replay, so nothing speaks for any setting."


def short_of(workload: Workload, below: float) -> str:
    """What is said where the pool leaves the program less than it had in the recording for such a share of events."""
    return (
        f"{workload.trace.name}: has less there than in its recording for {below:.0%} of the events: record it in less."
    )
