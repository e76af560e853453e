"""Recordings of one program in memories of several sizes, each predicted from each smaller one."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lru_kit import PAGE, recorded
from typer.testing import CliRunner

from sim.cli import app
from sim.errors import UserError
from sim.ram.measured import load
from sim.validate.memories import recordings
from sim.validate.ram import Report, best, error, measure, predictions
from workloads import Trace, save_trace


def silent(what: str) -> Any:
    """Report nothing."""
    return nullcontext(lambda done, total: None)


REPORT: Report = silent


def test_lru_predicts_lru() -> None:
    found = recordings([recorded(limit) for limit in (200, 100, 150)])
    predicted = predictions(found, ["lru", "random"], REPORT)
    assert [(one.smaller.size // PAGE, one.larger.size // PAGE) for one in predicted[::2]] == [
        (100, 150),
        (100, 200),
        (150, 200),
    ]
    assert all(one.ratios == (1, 1) for one in predicted if one.policy == "lru")
    assert error([one for one in predicted if one.policy == "random"]) > 0
    assert best(predicted) == "lru"


def test_recordings_in_the_same_memory_are_averaged() -> None:
    small, large = [recorded(100, seed) for seed in (1, 2)], [recorded(150, seed) for seed in (1, 2)]
    (one,) = predictions(recordings([*small, *large]), ["lru"], REPORT)
    assert one.ratios == (1, 1)
    assert one.row()["live_page_ins"] == round(np.mean([trace.counts["in"] for trace in large]))


def test_the_share_that_counts_is_found() -> None:
    small, large = recorded(100), recorded(150, limit=200 * PAGE)  # of 100 pages more, 50 count
    measured = measure(recordings([small, large]), "lru", 0.0, REPORT)
    assert measured is not None
    assert measured.share_for(200 * PAGE, 100 * PAGE) == ("lru", pytest.approx(0.5, abs=0.02))


def test_a_memory_shared_with_the_pool() -> None:
    shared = recorded(150, limit=None, ram=200 * PAGE, mm_stat={"mem_used_max": 40 * PAGE})
    (one,) = predictions(recordings([recorded(100), shared]), ["lru"], REPORT)
    row = one.row()
    assert (row["shared"], row["compressor"], row["live_pool_pages_peak"]) == (True, "lz4", 40)
    pool = row["pool_pages_peak"]
    assert 20 < pool < 60
    alone = [recorded(100), recorded(200 - pool)]
    (least,) = predictions(recordings(alone), ["lru"], REPORT)
    assert row["page_ins"] <= least.row()["page_ins"]


def test_of_a_memory_that_was_smaller_at_times_nothing_is_known() -> None:
    shared = recorded(150, limit=None, ram=200 * PAGE, limits={"min": 120 * PAGE})
    predicted = predictions(recordings([recorded(100), recorded(150), shared]), ["lru"], REPORT)
    assert [one.smaller.size // PAGE for one in predicted if one.larger.shared] == [100]


@pytest.mark.parametrize(
    ("traces", "words"),
    [
        ([recorded(100), recorded(100)], "give a recording made with a smaller --limit"),
        ([recorded(100), recorded(150, command=["b"])], "another program than in at-100"),
        ([recorded(100), recorded(150, limit=None)], "does not tell in how much memory it was recorded"),
        ([recorded(100), recorded(150, limit="150M")], "does not tell in how much memory it was recorded"),
        ([recorded(100), recorded(150, limit=-1)], "does not tell in how much memory it was recorded"),
        ([recorded(100), recorded(150, limit=True)], "does not tell in how much memory it was recorded"),
        ([recorded(100), recorded(150, kind="sample")], "does not tell in how much memory it was recorded"),
    ],
)
def test_what_cannot_be_compared(traces: list[Trace], words: str) -> None:
    with pytest.raises(UserError, match=words):
        recordings(traces)


@pytest.mark.parametrize("said", [None, 3, "x", ["min"], {}, {"min": "1"}, {"min": -1}])
def test_what_the_recorder_noted_may_be_anything(said: object) -> None:
    shared = recorded(150, limit=None, ram=200 * PAGE, limits=said, mm_stat=said)
    (one,) = predictions(recordings([recorded(100), shared]), ["lru"], REPORT)
    assert one.row()["live_pool_pages_peak"] is None


def test_sizes_of_the_codec_are_missing() -> None:
    shared = recorded(150, limit=None, ram=200 * PAGE, algorithm="zstd")
    with pytest.raises(UserError, match="with contents or the sizes by zstd"):
        recordings([recorded(100), shared])
    (one,) = predictions(recordings([recorded(100), recorded(150), shared]), ["lru"], REPORT)
    assert not one.larger.shared


def test_the_command(tmp_path: Path) -> None:
    paths = []
    for limit in (100, 150, 200):
        paths.append(str(tmp_path / f"{limit}.cswap"))
        save_trace(recorded(limit), Path(paths[-1]))
    out = tmp_path / "policy.toml"
    shown = CliRunner().invoke(app, ["validate", "ram", *paths, "-o", str(out)])
    assert shown.exit_code == 0
    assert "best: lru" in shown.stdout
    assert load(out).policy == "lru"
    rows = json.loads(CliRunner().invoke(app, ["validate", "ram", *paths, "--json"]).stdout)
    assert [row["policy"] for row in rows if row["best"]] == ["lru"] * 3
    assert {row["share"] for row in rows if not row["best"]} == {None}


def test_the_command_refuses_another_ending(tmp_path: Path) -> None:
    refused = CliRunner().invoke(app, ["validate", "ram", "a", "b", "-o", str(tmp_path / "policy.yaml")])
    assert refused.exit_code == 2
    assert "ends with .json or .toml" in refused.stderr
