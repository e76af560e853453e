"""One moment for all allocators, the most slots ever, and what the timeline always keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import Experiment, run
from workloads import FREE, IN, LOST, OUT, Events, import_csv
from workloads.traces.moment import fullest

CASES = Path(__file__).parents[2] / "golden" / "cases"


@given(st.lists(st.tuples(st.sampled_from([OUT, IN, FREE, LOST]), st.integers(0, 4)), max_size=60), st.integers(1, 9))
def test_the_fullest_moment_is_that_of_a_set_of_slots(steps: list[tuple[int, int]], batch: int) -> None:
    held, best = set[int](), (0, 0)
    for i, (kind, slot) in enumerate(steps):
        if kind == OUT:
            held.add(slot)
        elif kind != IN:
            held.discard(slot)
        if len(held) > best[1]:
            best = (i, len(held))
    kinds, slots = np.array([k for k, _ in steps], int), np.array([s for _, s in steps], int)
    events = Events.of(kinds, slots, np.where(kinds == OUT, 0, -1))
    batches = [events[at : at + batch] for at in range(0, len(steps), batch)]
    assert fullest(batches, 5) == best


def test_disksize_must_allow_for_pages_that_take_no_ram(tmp_path: Path) -> None:
    trace = import_csv(CASES / "disksize.csv", CASES / "disksize.pages", tmp_path / "x.cswap")
    row = run(Experiment((trace,), allocators=("zsmalloc",), compressors=("lz4",))).density.iloc[0]
    assert (row["slots_max"], row["same_filled_peak"], row["pages_peak"], row["pages_max"]) == (1000, 1000, 0, 20)


def test_the_timeline_ends_with_the_last_event_and_keeps_what_compaction_released(tmp_path: Path) -> None:
    trace = import_csv(CASES / "compact-last.csv", CASES / "compact-last.pages", tmp_path / "x.cswap")
    result = run(Experiment((trace,), allocators=("zsmalloc",), compressors=("lz4",)))
    last = result.timeline.iloc[-1]
    assert (last["event"], last["pages"]) == (1900, 62)
    assert result.density["pages_end"].item() == 62
    assert result.timeline.set_index("event")["pages"][1899] > 62


@pytest.mark.parametrize(("share", "small"), [("2000", True), ("200000", False)])
def test_pools_too_small_to_judge_are_marked(share: str, small: bool) -> None:
    density = run(Experiment((f"bell:events={share},slots={share}",), allocators=("zsmalloc", "zbud"))).density
    assert density["small"].to_list() == [small, small]
