"""What the questions share: the traces, their runs, and what was chosen so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.advice.judging import Row
from sim.advice.runs import PLAIN, Runs
from sim.advice.workloads import Workload

NONE = "none"  # instead of a compressor: swap without compression
PERIODS = 20  # of post-processing in a trace


@dataclass
class Study:
    """Questions are asked in their order; each may use what the ones before it found."""

    workloads: list[Workload]
    runs: Runs
    ram: int
    codecs: tuple[str, ...]
    codec: str = NONE
    frontend: str = PLAIN
    of_codecs: list[Row] = field(default_factory=list)  # zram by every compressor, and the device alone
    plain: list[Row] = field(default_factory=list)  # zram by the one chosen
    chosen: list[Row] = field(default_factory=list)  # the frontend chosen, by that

    @property
    def traces(self) -> tuple[str, ...]:
        """The names of the traces."""
        return tuple(one.trace.name for one in self.workloads)

    @property
    def page_size(self) -> int:
        """Bytes of a page, of the first trace."""
        return self.workloads[0].page_size

    @property
    def closed(self) -> bool:
        """Whether all run on machines where the pool takes its RAM from the program."""
        return all(one.at is not None for one in self.workloads)

    @property
    def exact(self) -> bool:
        """Whether all run on the very machine that was asked for."""
        return all(one.exact for one in self.workloads)

    def workload(self, row: Row) -> Workload:
        """That of a run."""
        return next(one for one in self.workloads if one.trace.name == row["trace"])

    def scaled(self, row: Row, column: str) -> float:
        """A figure in pages, for the machine that was asked for."""
        return float(row[column]) * (self.workload(row).scale or 1.0)

    def every(self, one: Workload) -> int:
        """Events between two turns of post-processing."""
        return max(1, one.trace.n_events // PERIODS)


def worst(study: Study, rows: list[Row], column: str) -> tuple[Row, int]:
    """The run in which a figure is largest for the machine, and how large."""
    row = max(rows, key=lambda row: study.scaled(row, column))
    return row, -int(-study.scaled(row, column) // 1)
