from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.frontends.compiled import slots
from sim.plugins import FRONTENDS, make_allocator
from sim.replay.loop import OUTCOME
from sim.replay.replay import replay
from sim.results.density import SAMPLES, STATE, DensityMeter
from workloads import FREE, GIVEN, IN, OUT, Events, Sizes, Trace
from workloads.traces.moment import Moment

TIMES = [0, 10, 30, 40, 50, 60]


def trace_of_four_pages(times: list[int] | None) -> tuple[Trace, Sizes]:
    """Two small pages, one that zbud refuses (stored whole), one same-filled; one is freed, one read, one missed."""
    sizes = Sizes.given([1000, 1000, 4090, 50])
    sizes.same_filled[3] = True
    events = Events.of([OUT, OUT, OUT, OUT, FREE, IN], [0, 1, 2, 3, 0, 0], [0, 1, 2, 3, -1, -1], times)
    return Trace.from_arrays("four", events, None, {GIVEN: sizes}), sizes


def measured(trace: Trace, sizes: Sizes, allocator: str, batch: int = 4) -> dict[str, Any]:
    meter = DensityMeter(trace.n_events, trace.page_size, trace.fullest)
    for events, outcome in replay(trace, sizes, FRONTENDS.make("zram"), make_allocator(allocator), batch):
        meter.add(events, outcome)
    return meter.row()


def test_a_trace_counted_by_hand() -> None:
    row = measured(*trace_of_four_pages(TIMES), "zbud")
    # Pages held, objects, refused and same-filled after each event: 1 1 0 0, 1 2 0 0, 1 2 1 0, 1 2 1 1, 1 1 1 1 twice.
    assert row == {
        "density": 3 / 2,  # when all four are held: two objects in one page, one page elsewhere
        "density_mean": pytest.approx((10 + 40 + 60 + 20) / (60 + 30)),
        "density_end": 2 / 2,
        "effective_density": 4 / 2,
        "effective_density_mean": pytest.approx((10 + 40 + 60 + 20 + 20) / (60 + 30)),
        "effective_density_end": 3 / 2,
        "ideal_density": 3 / 2,
        "pages_peak": 1,
        "objects_peak": 2,
        "bytes_peak": 2000,
        "refused_peak": 1,
        "same_filled_peak": 1,
        "page_size": 4096,
        "pages_max": 1,
        "pages_mean": 1.0,
        "slots_max": 4,
        "pages_end": 1,
        "stored": 2,
        "same_filled": 1,
        "huge": 0,
        "refused": 1,
        "missing": 1,
        "lost": 0,
    }


def test_without_times_every_event_lasts_equally_long() -> None:
    row = measured(*trace_of_four_pages(None), "zbud")
    assert row["density_mean"] == pytest.approx((1 + 2 + 3 + 3 + 2 + 2) / (6 + 4))
    assert row["effective_density_mean"] == pytest.approx((1 + 2 + 3 + 4 + 3 + 3) / (6 + 4))


def test_a_huge_page_is_an_object_of_a_page_where_it_is_taken() -> None:
    row = measured(*trace_of_four_pages(TIMES), "kmalloc")
    assert (row["stored"], row["huge"], row["refused"]) == (3, 0, 0)  # 4090 bytes fit into its largest cache
    row = measured(*trace_of_four_pages(TIMES), "zsmalloc")
    assert (row["stored"], row["huge"], row["bytes_peak"]) == (2, 1, 2000 + 4096)


def test_nothing_held_has_no_density() -> None:
    sizes = Sizes.given([50])
    sizes.same_filled[0] = True
    trace = Trace.from_arrays("same", Events.of([OUT], [0], [0]), None, {GIVEN: sizes})
    row = measured(trace, sizes, "zbud")
    assert all(math.isnan(row[name]) for name in row if "density" in name)
    assert row["same_filled"] == 1


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Events, Any, list[int]]:
    """Events with any outcome whatsoever, and where to cut them into batches."""
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    times = np.cumsum(rng.integers(0, 5, n)) + 1000 if draw(st.booleans()) else None
    kind = rng.integers(0, 3, n)
    events = Events.of(kind, np.zeros(n), np.where(kind == OUT, 0, -1), times)
    outcome = np.zeros(n, OUTCOME)
    outcome["what"] = rng.integers(0, len(slots.WHAT), n)
    for name in STATE:
        outcome[name] = rng.integers(0, draw(st.sampled_from([1, 3, 1000])), n)
    return events, outcome, sorted(draw(st.sets(st.integers(1, n - 1)))) if n > 1 else []


def naive(events: Events, outcome: Any) -> dict[str, float]:
    """The definitions, event by event."""
    times = None if events.time_ns is None else events.time_ns.tolist()
    peak = outcome[len(events) // 2]
    objects = live = pages = 0
    for i, after in enumerate(outcome):
        lasts = 1 if times is None else (times[i + 1] - times[i] if i + 1 < len(times) else 0)
        held = int(after["pages"]) + int(after["refused"])
        packed = int(after["objects"]) + int(after["refused"])
        objects += packed * lasts
        live += (packed + int(after["same_filled"])) * lasts
        pages += held * lasts
    expected = {
        "density_mean": objects / pages if pages else math.nan,
        "effective_density_mean": live / pages if pages else math.nan,
        "density": math.nan,
        "pages_peak": int(peak["pages"]),
        "pages_max": int(outcome["pages"].max()),
        "pages_end": int(outcome[-1]["pages"]),
    }
    if most := int(peak["pages"]) + int(peak["refused"]):
        expected["density"] = (int(peak["objects"]) + int(peak["refused"])) / most
    for name, code in (("stored", slots.OBJECT), ("huge", slots.HUGE), ("refused", slots.REFUSED)):
        expected[name] = sum(int(w) == code for w, k in zip(outcome["what"], events.kind, strict=True) if k == OUT)
    return expected


@settings(deadline=None, max_examples=150)
@given(outcomes())
def test_equals_the_definitions_in_batches_of_any_size(case: tuple[Events, Any, list[int]]) -> None:
    events, outcome, cuts = case
    moment = Moment(len(events) // 2, 1)
    whole, parts = (DensityMeter(len(events), 4096, moment) for _ in range(2))
    whole.add(events, outcome)
    for start, stop in zip([0, *cuts], [*cuts, len(events)], strict=True):
        parts.add(events[start:stop], outcome[start:stop])
    row = whole.row()
    assert parts.row() == pytest.approx(row, nan_ok=True)
    expected = naive(events, outcome)
    assert {name: row[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    assert [r["event"] for r in parts.timeline()] == [r["event"] for r in whole.timeline()] == list(range(len(events)))


def test_the_timeline_is_thinned_and_counts_seconds_from_the_first_event() -> None:
    n = 5 * SAMPLES
    events = Events.of(np.full(n, OUT), np.zeros(n), np.zeros(n), 7_000_000_000 + np.arange(n) * 1_000_000_000)
    outcome = np.zeros(n, OUTCOME)
    outcome["pages"] = np.arange(n)
    meter = DensityMeter(n, 4096, Moment(7, 1))
    for start in range(0, n, 1234):
        meter.add(events[start : start + 1234], outcome[start : start + 1234])
    rows = meter.timeline()
    kept = [*range(0, 5, 5), 5, 7, *range(10, n, 5), n - 1]  # 7 is the fullest moment; most RAM is at the end
    assert [(r["event"], r["pages"], r["time_s"]) for r in rows] == [(i, i, i) for i in kept]
