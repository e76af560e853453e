"""Which page-outs make a unit, beside a reading of the definition event by event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads import COMPACT, FREE, GIVEN, IN, OUT, Events, Sizes, Trace

PAGES = 5


def trace_of(rows: list[tuple[int, int, int]], names: list[int] | None = None) -> Trace:
    """Of (kind, slot, task)."""
    kind, slot, task = (np.array(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    page = np.where(np.array(kind) == OUT, np.arange(len(rows)) % PAGES, -1)
    events = Events.of(kind=kind, slot=slot, page=page, task=task)
    original = None if names is None else np.array(names, np.uint64)
    return Trace.from_arrays("t", events, None, {GIVEN: Sizes.given([100] * PAGES)}, original_slots=original)


def by_definition(rows: list[tuple[int, int, int]], unit: int, names: list[int] | None = None) -> list[list[int]]:
    """The page-outs of each unit."""
    slots = range(1 + max((slot for _, slot, _ in rows), default=-1))
    at = {slot: slot if names is None else names[slot] for slot in slots}
    found = []
    for first, (kind, slot, task) in enumerate(rows):
        wanted = [at[slot] + k for k in range(unit)] if kind == OUT and at[slot] % unit == 0 else []
        members: list[int] = []
        for i in range(first, len(rows)):
            other, where, by = rows[i]
            if other == COMPACT or not wanted or len(members) == unit:
                continue
            inside = at[where] in wanted
            if other == OUT and by == task and inside and at[where] == wanted[len(members)]:
                members.append(i)
            elif inside or (other == OUT and by == task):
                break
        if wanted and len(members) == unit:
            found.append(members)
    return found


def found_in(trace: Trace, unit: int) -> list[list[int]]:
    units = trace.units(unit)
    slots = np.concatenate([batch.slot for batch in trace.batches()] or [np.zeros(0, np.int64)])
    open_units: dict[int, list[int]] = {}
    found = []
    for at in units.at.tolist():
        members = open_units.setdefault(int(units.group[slots[at]]), [])
        members.append(at)
        if len(members) == unit:
            found.append(open_units.pop(int(units.group[slots[at]])))
    assert not open_units
    return sorted(found)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([OUT, IN, FREE]), st.integers(0, 9), st.integers(0, 1)).map(lambda row: [row]),
        st.tuples(st.integers(0, 2), st.sampled_from([2, 4]), st.integers(0, 1)).map(
            lambda run: [(OUT, 4 * run[0] + k, run[2]) for k in range(run[1])]
        ),
        st.just([(COMPACT, 0, 0)]),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from([2, 4]), st.booleans())
def test_units_are_those_of_the_definition(steps: Any, unit: int, renamed: bool) -> None:
    rows = [row for part in steps for row in part]
    count = 1 + max((slot for kind, slot, _ in rows), default=-1)
    names = [(7 * slot) % 16 for slot in range(count)] if renamed else None
    trace = trace_of(rows, names)
    assert found_in(trace, unit) == sorted(by_definition(rows, unit, names))
    units = trace.units(unit)
    events = next(iter(trace.batches()), Events.of([], [], []))
    whole = units.numbered(events, 0, PAGES)
    number = dict(zip(units.at.tolist(), units.number.tolist(), strict=True))
    for i in range(len(events)):
        assert whole.page[i] == (PAGES + number[i] if i in number else events.page[i])
        assert units.numbered(events[i : i + 1], i, PAGES).page[0] == whole.page[i]
    for members in found_in(trace, unit):
        assert units.pages[number[members[0]]].tolist() == events.page[members].tolist()


def test_equal_units_are_one() -> None:
    rows = [(OUT, slot, 0) for slot in range(20)]  # pages 0 to 4 over and over
    units = trace_of(rows).units(2)
    assert len(units.at) == 20
    assert len(units.pages) == 5


def test_every_way_to_be_none() -> None:
    run = [(OUT, slot, 0) for slot in range(4)]
    assert len(trace_of(run).units(4).at) == 4
    assert len(trace_of(run).units(8).at) == 0, "the device ends before"
    assert len(trace_of([*run[1:], run[0]]).units(4).at) == 0, "not in the order of the slots"
    assert len(trace_of([*run[:3], (IN, 1, 1), run[3]]).units(4).at) == 0, "read in between"
    assert len(trace_of([*run[:3], (IN, 9, 0), run[3]]).units(4).at) == 4, "another slot was read"
    assert len(trace_of([*run[:3], (OUT, 9, 0), run[3]]).units(4).at) == 0, "the task wrote elsewhere"
    assert len(trace_of([*run[:3], (OUT, 9, 1), run[3]]).units(4).at) == 4, "another task did"
    assert len(trace_of([*run[:3], (OUT, 3, 1)]).units(4).at) == 0, "two tasks"


@pytest.mark.parametrize("unit", [2, 16])
def test_no_events(unit: int) -> None:
    units = trace_of([]).units(unit)
    assert units.pages.shape == (0, unit)
    assert len(units.at) == len(units.group) == len(units.slots) == 0
