"""What writeback wears: by the day only where the traces last long enough to tell."""

from __future__ import annotations

import pytest
from advice_kit import DENSE, toy

from sim.advice.runs import Runs
from sim.advice.study import Study
from sim.advice.workloads import Workload
from sim.advice.writeback import DAY, LASTS, wear
from sim.experiment.preparation import quiet
from workloads import Trace


def told(*traces: Trace, scale: float | None = 1.0) -> str:
    """256 of 1,024 pages of each."""
    workloads = [Workload(trace, 2**30, {}, at=2**30, scale=scale) for trace in traces]
    rows = [{"trace": trace.name, "bd_writes": 256, "page_outs": 1024} for trace in traces]
    return wear(Study(workloads, Runs(quiet, 1.0, "nvme", None), 2**30, ("lz4",)), rows)


@pytest.mark.parametrize("us", [0, 1, 1000])
def test_a_short_trace_tells_the_share_of_page_outs(us: int) -> None:
    assert told(toy(DENSE, us=us)) == "25% of page-outs"


def test_a_trace_of_hours_tells_the_wear_of_a_day() -> None:
    brief = toy(DENSE)
    long = toy(DENSE, us=3_000_000, name="long")
    assert brief.duration_s < LASTS <= long.duration_s  # type: ignore[operator]
    assert told(long) == f"{DAY / long.duration_s:.1f}M a day"  # type: ignore[operator]
    assert told(long, scale=100.0) == f"{100 * DAY / long.duration_s:.0f}M a day"  # type: ignore[operator]
    assert told(long, brief) == "25% of page-outs", "all of them must"
