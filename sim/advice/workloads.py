"""On which machine a trace is replayed for advice on one of a given size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.errors import UserError
from sim.experiment.machine import Machine, MachinePoint
from sim.units import mib_text, size_text
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    from workloads.traces.trace import Trace

KERNEL = ("lz4", "lzo-rle", "lzo", "lz4hc:level=9", "zstd:level=1", "zstd:level=3", "zstd:level=9")
"""Compressors of zram that are looked at, where a trace has contents."""


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
    recorded: int | None
    at: int | None
    scale: float | None

    @property
    def exact(self) -> bool:
        """Whether it runs on the very machine that was asked for."""
        return self.at == self.ram

    @property
    def page_size(self) -> int:
        """Bytes of a page."""
        return self.trace.page_size

    @property
    def sample(self) -> float | None:
        """The share of slots that a sample has."""
        share: float | None = self.trace.source.get("sample", {}).get("share")
        return share

    @property
    def machine(self) -> Alone:
        """As an experiment takes it."""
        return Alone(ram=(self.at,), recorded=self.recorded) if self.at else Alone()

    @property
    def codecs(self) -> tuple[str, ...]:
        """The compressors that it can be replayed with; `given` for sizes of one that it does not name."""
        there = self.trace.sizes_codecs()
        if self.trace.content:
            return KERNEL
        return (GIVEN,) if GIVEN in there else tuple(codec for codec in KERNEL if codec in there)

    def told(self) -> str:
        """How it is looked at, in a sentence."""
        trace, ram = self.trace.name, size_text(self.ram)
        if self.sample:
            return f"{trace}: a sample, replayed as recorded; what its RAM is worth to the program is not known."
        if self.at is None:
            return (
                f"{trace}: replayed as recorded; what RAM is worth to it is not known without the memory it was "
                "recorded in (--recorded)."
            )
        assert self.recorded is not None
        if self.exact:
            return f"{trace}: recorded in {mib_text(self.recorded)}, replayed on a machine of {ram}."
        why = (
            "nothing swaps" if self.ram > self.recorded else f"less than the {mib_text(self.recorded)} of its recording"
        )
        at = f"{self.at / 2**20:.0f}M"
        return f"{trace}: {why} in {ram}; so as in {at}, where it does, all figures times {self.scale:.2g}."


def workload(trace: Trace, ram: int, recorded: int | None, pool: Callable[[Trace], int]) -> Workload:
    """How a trace stands for a machine of `ram` bytes; `recorded` as `Machine` takes it.

    On that machine itself, if it is one of which the recording tells, and something swaps there. Else on the smallest
    of which it tells all, with the memory it was recorded in and its pool in that memory; figures are scaled then, for
    a machine that is as short of memory. `pool` gives the most pages that the pool takes as recorded.
    """
    share = trace.source.get("sample", {}).get("share")
    try:
        known = Machine(ram=(ram,), recorded=recorded).recorded_in(trace) if not share else _limit(trace)
    except UserError:
        known = None
    if known is None:
        return Workload(trace, ram, None, None, None)
    most = trace.fullest.slots * trace.page_size
    if share:
        return Workload(trace, ram, known, None, ram / (known * share + pool(trace) * trace.page_size))
    if known <= ram < known + most:
        return Workload(trace, ram, known, ram, 1.0)
    at = known + pool(trace) * trace.page_size
    return Workload(trace, ram, known, at, ram / at)


def _limit(trace: Trace) -> int | None:
    limit = trace.source.get("limit")
    return limit if isinstance(limit, int) else None


def common_codecs(workloads: list[Workload]) -> tuple[str, ...]:
    """The compressors that all can be replayed with. Raises UserError if there is none."""
    found = tuple(codec for codec in workloads[0].codecs if all(codec in one.codecs for one in workloads))
    if not found:
        names = ", ".join(one.trace.name for one in workloads)
        raise UserError(f"{names}: no compressor of the kernel has sizes in all of them; give traces with contents")
    return found


def not_looked_at(workloads: list[Workload]) -> Iterator[str]:
    """Which compressors are not among them, and why."""
    lacking = [codec for codec in KERNEL if any(codec not in one.codecs for one in workloads)]
    if lacking:
        names = ", ".join(one.trace.name for one in workloads if not one.trace.content)
        yield f"For want of contents ({names}) not looked at: {', '.join(lacking)}."


def short_of(workload: Workload, below: float) -> str:
    """What is said where the pool leaves the program less than it had in the recording for such a share of events."""
    return (
        f"{workload.trace.name}: has less there than in its recording for {below:.0%} of the events: record it in less."
    )
