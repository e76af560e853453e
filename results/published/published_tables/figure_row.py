"""A published figure beside the simulated one, and what is to be said of the two.

The tolerances: 1 % where no workload stands in, else 10 %, or 2 points where the figure is a percentage, but no more
than a quarter of it. README.md tells when they were set.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

OF_THE_DATA = 1.0  # percent
OTHERWISE = 10.0  # percent
POINTS = 2.0
AT_MOST = 25.0  # percent: of 4 %, 2 points would be half


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`quantity` is what several figures share, `item` which of them it is, `ours` the workload that stands in.

    `basis`: "data" (the published ones, or none at all), "described" (made from what was told of them), "other"
    (another workload), "fitted" (a parameter was chosen to meet this figure), "input" (the simulation takes it as
    given).
    `neutral` is where the figure would change its meaning, such as 1 for a ratio.
    """

    id: str
    quantity: str
    item: str
    unit: str
    published: float
    simulated: float | None
    ours: str
    basis: str
    neutral: float | None = None

    def row(self) -> dict[str, Any]:
        """The figure as a row of published.csv."""
        difference, of = self.difference()
        told = asdict(self)
        neutral = told.pop("neutral")
        del neutral
        return told | {"difference": difference, "difference_in": of, "verdict": self.verdict()}

    def difference(self) -> tuple[float | None, str]:
        """Simulated less published, in points for a percentage, else in percent of the published one."""
        of = "points" if self.unit == "%" else "%"
        if self.simulated is None:
            return None, of
        apart = self.simulated - self.published
        return (apart if of == "points" else 100 * apart / self.published), of

    def verdict(self) -> str:
        """One of those that README.md defines."""
        if self.simulated is None:
            return "not reproducible"
        if self.basis in ("fitted", "input"):
            return self.basis
        percent = abs(100 * (self.simulated / self.published - 1))
        if percent <= (OF_THE_DATA if self.basis == "data" else OTHERWISE):
            return "reproduced"
        near = abs(self.simulated - self.published) <= POINTS and percent <= AT_MOST
        if self.basis != "data" and self.unit == "%" and near:
            return "reproduced"
        if self.neutral is not None and (self.simulated > self.neutral) == (self.published > self.neutral):
            return "same sign"
        return "differs"
