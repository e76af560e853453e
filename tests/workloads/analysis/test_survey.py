"""The survey of a trace's events, against dictionaries."""

from __future__ import annotations

import json

import numpy as np
import pytest
import survey_oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st
from survey_oracle import Naive, buckets, percentile, rounded, rows

from workloads import COMPACT, OUT, Events, Sizes, Survey, Trace, TraceError, info, open_recording
from workloads.analysis.histogram import Histogram
from workloads.limits import SLOTS
from workloads.traces.header import Header

event = st.tuples(st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 4]), st.integers(0, 5), st.integers(0, 3), st.integers(1, 3))
gaps = st.sampled_from([0, 1, 250, 10**9, 10**15])


def trace_of(table: list[tuple[int, int, int, int]], waits: list[int] | None, tasks: bool) -> Trace:
    kind = np.array([row[0] for row in table], np.uint8)
    slot = [0 if row[0] == COMPACT else row[1] for row in table]
    page = [row[2] if row[0] == OUT else -1 for row in table]
    times = None if waits is None else np.cumsum([waits[i % len(waits)] for i in range(len(table))]).astype(np.int64)
    events = Events.of(kind, slot, page, times, [row[3] for row in table] if tasks else None)
    return Trace.from_arrays("drawn", events, None, {"given": Sizes.given([9, 9, 9, 9])})


def events_of(trace: Trace) -> Events:
    (whole,) = [*trace.batches()] or [Events.of([], [], [])]
    return whole


@settings(max_examples=150, deadline=None)
@given(
    st.lists(event, max_size=60),
    st.none() | st.lists(gaps, min_size=1, max_size=5),
    st.booleans(),
    st.integers(1, 70),
)
@example([], [1], True, 1)
@example([(3, 0, 0, 1)], None, False, 1)
@example(
    [(4, 1, 0, 1), (1, 1, 0, 2), (0, 1, 0, 1), (0, 1, 1, 2), (1, 1, 0, 1), (1, 1, 0, 1), (4, 1, 0, 1)], [1], True, 2
)
def test_a_survey_finds_what_dictionaries_find(
    table: list[tuple[int, int, int, int]], waits: list[int] | None, tasks: bool, size: int
) -> None:
    trace = trace_of(table, waits, tasks)
    whole = events_of(trace)
    cut = [whole[start : start + size] for start in range(0, len(whole), size)]
    trace.batches = lambda size=0: iter(cut)  # type: ignore[method-assign, assignment, misc]
    found, want = Survey(trace), Naive(whole)

    start = want.curve[0][1] if want.curve else 0
    curve = [(i, (ns - start) / 1e9, *rest) for i, ns, *rest in want.samples()]
    if waits is None or not table:
        curve = [(i, *rest) for i, _, *rest in want.samples()]
    assert rows(found.df_live()) == curve
    assert (found.live.peak, found.live.peak_event, found.live.end) == (
        *want.peak(),
        want.curve[-1][2] if want.curve else 0,
    )
    assert tuple(trace.fullest) == (want.peak()[1] or 0, want.peak()[0])
    assert found.live.mean == pytest.approx(want.mean())

    for at, unit in enumerate(("events", "ns")):
        there = trace.has_time or unit == "events"
        wanted = [
            (end, *row) for end, ages in want.lifetimes.items() for row in buckets([age[at] for age in ages]) if there
        ]
        assert rows(found.df_lifetimes(unit)[["end", "least", "count"]]) == wanted
    for at, unit in enumerate(("page_outs", "ns")):
        there = trace.has_time or unit == "page_outs"
        wanted = buckets([one[at] for one in want.reuse]) if there else []
        assert rows(found.df_reuse(unit)[["least", "count"]]) == wanted
    columns = ("events", "page_outs", "page_ins", "frees", "live_peak", "live_end")
    by_task = {task: tuple(counts[name] for name in columns) for task, counts in want.tasks.items()}
    assert {row[0]: row[1:] for row in rows(found.df_tasks())} == by_task
    assert found.page_outs.tolist() == [want.pages[page] for page in range(4)]

    facts = info(trace)
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["slots"] == found.slots == len(want.slots)
    ended = [*want.lifetimes["freed"], *want.lifetimes["overwritten"]]
    for percent in (10, 50, 90):
        assert facts["lifetimes"]["events"][f"p{percent}"] == percentile([age[0] for age in ended], percent)
        assert facts["reuse"]["page_outs"][f"p{percent}"] == percentile([one[0] for one in want.reuse], percent)
    assert facts["reuse"]["read_back"] == want.read_back
    assert facts["reuse"]["page_ins"] + facts["in_never_written"] + facts["in_freed"] <= facts["in"]
    assert facts["out"] == sum(facts["lifetimes"][end] for end in ("freed", "overwritten", "held"))
    assert facts["tasks"] == (len(by_task) or None)


@given(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 600) | st.integers(8, 62).map(lambda k: 2**k - 1)))
def test_a_histogram_keeps_eight_bits(values: list[int]) -> None:
    found = Histogram()
    found.add(np.array(values, np.int64))
    frame = found.frame()
    assert rows(frame[["least", "count"]]) == buckets(values)
    assert all(rounded(most) == least for least, most in zip(frame["least"], frame["most"], strict=True))
    assert [found.percentile(q) for q in (1, 50, 100)] == [percentile(values, q) for q in (1, 50, 100)]


def test_a_recording() -> None:
    trace = open_recording("gcc")
    facts = info(trace)
    assert facts["live"]["peak"] == trace.fullest.slots
    assert facts["slots"] == facts["n_slots"] - 1, "slot 0 has the header of the swap device"
    frame = Survey(trace).df_live()
    assert 500 <= len(frame) <= 504
    assert frame["slots"].max() == facts["live"]["peak"]
    assert survey_oracle.SAMPLES == 500


def test_more_slots_than_a_device_has() -> None:
    trace = trace_of([(0, 1, 0, 1), (0, 2, 0, 1), (3, 0, 0, 1)], None, False)
    events = events_of(trace)
    events.slot[1] = SLOTS + 5
    high = Trace(Header(**{**vars(trace.header), "n_slots": SLOTS + 6}), trace._backend)
    facts = info(high)
    assert (facts["slots"], facts["n_slots"], facts["live"], facts["by_task"]) == (2, SLOTS + 6, None, None)
    with pytest.raises(TraceError, match="too high"):
        Survey(high)
