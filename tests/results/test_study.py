"""The study of the thread of 2012: its README follows from the committed frames, and these from the recordings."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from allocators.zspages.zsmalloc import Zsmalloc
from sim import Experiment, run
from workloads import open_recording

STUDY = Path(__file__).parents[2] / "results" / "2012-thread"
README = (STUDY / "README.md").read_text()
FRAMES = {path.stem: pd.read_csv(path) for path in STUDY.glob("*.csv")}


@pytest.fixture(scope="module")
def study() -> Iterator[dict[str, ModuleType]]:
    """Its modules by name; nothing else can import them afterwards."""
    names = [path.stem for path in STUDY.glob("*.py")]
    sys.path.insert(0, str(STUDY))
    try:
        yield {name: importlib.import_module(name) for name in names}
    finally:
        sys.path.remove(str(STUDY))
        for name in names:
            sys.modules.pop(name, None)


def test_every_table_and_sentence_follows_from_the_frames(study: dict[str, ModuleType]) -> None:
    made = study["make"].blocks(FRAMES)
    assert study["make"].filled(README, made) == README
    assert sorted(re.findall(r"<!-- ([a-z0-9-]+) -->", README)) == sorted(["end"] * len(made) + list(made))


def test_a_changed_figure_is_seen(study: dict[str, ModuleType]) -> None:
    frames = FRAMES | {"zram": FRAMES["zram"].assign(density=FRAMES["zram"]["density"] + 0.01)}
    assert study["make"].filled(README, study["make"].blocks(frames)) != README


def test_every_picture_is_in_the_readme(study: dict[str, ModuleType]) -> None:
    pictures = {f"{part.__name__}.png" for part in study["make"].PARTS}
    assert pictures == {path.name for path in STUDY.glob("*.png")} == set(re.findall(r"\]\((\w+\.png)\)", README))


def test_sweeps_and_their_description_agree(study: dict[str, ModuleType]) -> None:
    assert sorted(study["sweeps"].NAMES) == sorted(path.stem for path in STUDY.glob("*.toml"))


def rounded(value: float) -> float:
    return float(f"{value:.6g}")


def test_a_cell_of_each_kind_is_made_again(study: dict[str, ModuleType]) -> None:
    """gcc with LZO and zsmalloc of today: whole, and until its churned moment."""
    recording = open_recording("gcc")
    churned = study["traces"].churned(recording, "gcc-churned")
    whole, cut = run(Experiment((recording, churned), ("zram",), ("lzo",), ("zsmalloc",)), workers=1).density.to_dict(
        "records"
    )
    kept = FRAMES["density"].set_index(["trace", "compressor", "allocator"]).loc[("gcc", "lzo", "zsmalloc")]
    assert [rounded(whole["density"]), rounded(whole["density_mean"])] == kept[["fullest", "mean"]].tolist()
    assert rounded(cut["density_end"]) == kept["compacted"]
    ways = FRAMES["zram"].set_index(["trace", "frontend", "compressor", "allocator"])
    assert whole["pages_max"] == ways.loc[("gcc", "zram", "lzo", "zsmalloc"), "pages_max"]


def test_churned_is_the_last_moment_of_half(study: dict[str, ModuleType]) -> None:
    recording = open_recording("gcc")
    churned = study["traces"].churned(recording, "gcc-churned")
    live, _ = study["traces"].live_slots(next(iter(recording.batches())), recording.n_slots)
    assert recording.fullest.slots == live.max()
    assert 2 * live[churned.n_events - 2] >= live.max() > 2 * live[churned.n_events - 1 :].max(initial=0)


def test_which_objects_span_is_as_the_allocator_places_them(study: dict[str, ModuleType]) -> None:
    allocator = Zsmalloc()
    for cls in allocator.classes[::9]:
        handles = [allocator.alloc(min(cls.size, 4096) - 8 * (cls.size < 4096)) for _ in range(cls.objs)]
        spans = np.mean([allocator.placement(handle).spans for handle in handles])
        assert study["mapping"].spans(cls.size, cls.pages, cls.objs) == pytest.approx(spans)


def test_intervals_are_students(study: dict[str, ModuleType]) -> None:
    """Of 1 to 5: a standard deviation of 1.5811, and 2.776 times its fifth's root."""
    assert study["spread"].interval(pd.Series([1.0, 2, 3, 4, 5])) == "3.00 ± 1.96"
    assert study["spread"].among(pd.Series([0.5, 2.0])) == "1.00 (0.50-2.00)"


def test_seeds_place_blocks_and_do_not_change_how_many_are_refused() -> None:
    runs = FRAMES["order1"].groupby(["trace", "allocator", "memory", "unusable"])["refused"]
    assert (runs.nunique() == 1).all()
    assert (runs.count() == 5).all()


def test_no_way_of_swapping_is_worth_more_than_the_machine_lacks(study: dict[str, ModuleType]) -> None:
    worth = study["worth"].at_sizes(FRAMES["worth"], "worth_time")
    assert (worth.max() <= study["worth"].lacking(FRAMES["worth"])[worth.columns]).all()
