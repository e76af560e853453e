"""Rows of mm_stat compared: how many are identical, and where the first one differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from workloads.host.mmstat import FIELDS, MmStat


class Difference(NamedTuple):
    """A field that differs: the row (from 1), the operations done by then, the field, and both values."""

    row: int
    ops_done: int
    field: str
    kernel: int
    simulated: int


@dataclass
class Comparison:
    """Rows so far, how many of them are identical in all fields, and the first difference."""

    rows: int = 0
    identical: int = 0
    first: Difference | None = None

    def add(self, ops_done: int, kernel: MmStat, simulated: MmStat) -> None:
        """Compare one more row."""
        self.rows += 1
        if kernel == simulated:
            self.identical += 1
        elif self.first is None:
            at = next(i for i in range(len(FIELDS)) if kernel[i] != simulated[i])
            self.first = Difference(self.rows, ops_done, FIELDS[at], kernel[at], simulated[at])

    @property
    def equal(self) -> bool:
        """Whether all rows are identical."""
        return self.identical == self.rows

    def summary(self) -> dict[str, Any]:
        """The figures by name, JSON-safe."""
        first = None if self.first is None else self.first._asdict()
        return {"rows": self.rows, "identical": self.identical, "first_difference": first}
