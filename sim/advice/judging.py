"""What an advice is, and when one setting is taken for better than another: the same rules for every question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

Row = dict[str, Any]

CERTAIN, LIKELY, OPEN = "certain", "likely", "open"
"""How sure an advice is. Certain: it follows from the pages and events of the traces, which are replayed exactly.
Likely: it rests on simulated times or page-ins, and no error that is known would turn it. Open: it is within these
errors, or what decides is not modelled; the reason says which."""

FELT = 0.01  # of the time of the run: less lost time than that nobody notices, and live runs differ by more
BUSY = 0.05  # of that time: so much more CPU time, of the program or in the background, is put up with
ALIKE = 0.05  # RAM that differs by less is taken for equal, and so are times lost: page-ins are missed by as much
HALF_AND_TWICE = (0.5, 2.0)  # of the CPU's speed, at which an advice should be the same
# Reasons, in a few words; docs/advise.md has more.
ASSUMED = "assumes memory as short as in the replay"
POOLS = "pools predicted are within 4% of live ones"
SMALL = "a pool of few pages packs worse"
PACE = "differs by more than the median error"
UNFELT = "no noticeable difference"
UNTIMED = "how long the traces last is not known"


@dataclass(frozen=True)
class Advice:
    """A setting's recommended value; None where it does not apply.

    `evidence`: a few simulated figures. `certainty`: `CERTAIN`, `LIKELY` or `OPEN`, for the `reason`. `turns`: what
    would turn it. `traces`: those it rests on. `rows`: the runs behind it, this and the alternatives.
    """

    setting: str
    value: str | int | None
    evidence: str
    certainty: str
    reason: str
    turns: str = ""
    traces: tuple[str, ...] = ()
    rows: Sequence[Row] = field(default=(), repr=False)

    def describe(self) -> dict[str, Any]:
        """JSON-safe."""
        return asdict(self) | {"traces": [*self.traces], "rows": [*self.rows]}


class Cost(NamedTuple):
    """What an alternative costs all traces together: seconds lost, pages of RAM at most, seconds of all CPUs."""

    lost_s: float
    ram: float
    cpu_s: float = 0.0


def totals(rows: Sequence[Row], by: str) -> dict[Any, Cost]:
    """The costs of all traces together, for each value of the column `by` that every trace has."""
    traces = {row["trace"] for row in rows}
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[by], []).append(row)
    return {
        value: Cost(*(sum(row[name] for row in mine) for name in ("time_lost_s", "pool_pages_peak", "cpu_s")))
        for value, mine in found.items()
        if {row["trace"] for row in mine} == traces
    }


def run_seconds(rows: Sequence[Row]) -> float:
    """How long all traces take, each once; endless where one does not tell, for then nothing tells what is felt."""
    each = {row["trace"]: row["run_s"] for row in rows}.values()
    return float(sum(math.inf if one is None else one for one in each))


def cheapest(costs: Mapping[Any, Cost], run_s: float) -> Any:
    """The value that takes the least RAM among those that take no noticeably more time than the quickest.

    Among those that take about as little, the one that loses the least time.
    """
    first = costs[least_work(costs)]
    felt, busy = first.lost_s + FELT * run_s, first.cpu_s + BUSY * run_s
    unnoticed = {value: cost for value, cost in costs.items() if cost.lost_s <= felt and cost.cpu_s <= busy}
    least = min(cost.ram for cost in unnoticed.values())
    dense = {value: cost for value, cost in unnoticed.items() if cost.ram <= least * (1 + ALIKE)}
    return min(dense, key=lambda value: dense[value])


def least_work(costs: Mapping[Any, Cost]) -> Any:
    """The value that takes the least time, of the program and of all CPUs."""
    return min(costs, key=lambda value: costs[value].lost_s + costs[value].cpu_s)


def fastest(costs: Mapping[Any, Cost]) -> Any:
    """The value that loses the least time; the first among equals."""
    return min(costs, key=lambda value: costs[value].lost_s)


def clear(one: Cost, other: Cost, run_s: float) -> bool:
    """Whether the first loses less time than the other by more than is felt, and than page-ins are missed by in the
    median."""
    gain = other.lost_s - one.lost_s
    return gain > FELT * run_s and gain > ALIKE * other.lost_s


def unfelt(run_s: float, otherwise: str) -> str:
    """The reason why no difference is said to be felt: `otherwise`, unless nothing tells what is."""
    return UNTIMED if math.isinf(run_s) else otherwise


def seconds(value: float) -> str:
    """Seconds, with as many digits as tell them."""
    return f"{value:.0f} s" if value >= 10 else f"{value:.2f} s" if value >= 0.01 else f"{1000 * value:.1f} ms"


def mib(pages: float, page_size: int) -> str:
    """Pages in MiB, or in GiB."""
    size = pages * page_size / 2**20
    return f"{size / 1024:,.1f}G" if size >= 10_240 else f"{size:.0f}M" if size >= 10 else f"{size:.1f}M"
