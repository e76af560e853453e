"""Finished runs are found again, give the same frames to the last bit, and are missed when anything is another one."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal

from sim import Experiment, Result, Timing, run
from sim.experiment.finished import DAYS, FOLDER, Finished
from sim.experiment.memory import Memory
from sim.experiment.preparation import prepare
from workloads.progress import silent

FRAMES = ("density", "timeline", "latency", "counters", "sizes", "classes", "timing", "sensitivity", "events")
EXPERIMENT = Experiment(
    ("random:events=400,slots=100,pages=60",),
    allocators=("zbud", "zsmalloc"),
    compressors=("lz4",),
    memory=Memory(pages=(50, 90)),
    timing=Timing(events=True, sensitivity=False),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cswap" / FOLDER


def stopped(experiment: Experiment, events: int) -> Result:
    """Interrupted when so many events have been replayed."""

    def report(stage: str) -> Any:
        def progress(done: int, total: int) -> None:
            if stage.startswith("replay") and done >= events:
                raise KeyboardInterrupt

        return progress

    return run(experiment, report=report, workers=1, finished=Finished())


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_on_is_what_was_never_interrupted(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sized = prepare(EXPERIMENT, lambda stage: silent, True)  # the codec's times are measured once
    monkeypatch.setattr("sim.experiment.runner.prepare", lambda *_: sized)
    whole = run(EXPERIMENT, workers=1)
    part = stopped(EXPERIMENT, 2 * 400 + 1)
    assert not part.provenance["complete"]
    assert part.events.empty, "of an unfinished result they are only kept"
    done: list[str] = []
    finished = Finished()
    again = run(EXPERIMENT, workers=workers, finished=finished, report=lambda stage: done.append(stage) or silent)
    assert finished.count() == (8, 8)
    assert again.provenance["complete"]
    for name in FRAMES:
        assert_frame_equal(getattr(again, name), getattr(whole, name), check_exact=True)
    assert len(finished.find(sized[1])) == 8
    finished.forget()
    assert finished.count() == (0, 8)


def keys(experiment: Experiment) -> set[str]:
    """The digests' texts of all runs."""
    finished = Finished()
    finished.find(prepare(experiment, lambda stage: silent, True)[1])
    return {repr(fields) for fields in finished._fields}


OTHERS: dict[str, dict[str, Any]] = {
    "trace": {"traces": ("random:events=400,slots=100,pages=60,seed=1",)},
    "codec": {"compressors": ("lzo",)},
    "frontend": {"frontends": ("zswap:ram_pages=200",)},
    "allocators": {"allocators": ("zbud:era=zcache", "zsmalloc:chain=4")},
    "memory": {"memory": Memory(pages=(51, 91))},
    "seed": {"memory": Memory(pages=(50, 90), seed=(1,))},
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_experiment_shares_no_run(other: str) -> None:
    assert not keys(EXPERIMENT) & keys(replace(EXPERIMENT, **OTHERS[other]))


@pytest.mark.parametrize(
    "timing", [{"cpus": 4}, {"cpu_scale": 2.0}, {"swap_devices": "hdd"}, {"mappings": "vmap"}, {"events": False}]
)
def test_another_setting_shares_the_untimed_runs(timing: dict[str, Any]) -> None:
    shared = keys(EXPERIMENT) & keys(replace(EXPERIMENT, timing=Timing(**({"events": True} | timing))))
    assert len(shared) == 4


def test_other_costs_share_no_timed_run(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[path]\npage_in = { value = 99, unit = "ns", source = "measured" }\n')
    timing = Timing(events=True, costs=(str(tmp_path / "mine.toml"),))
    assert len(keys(EXPERIMENT) & keys(replace(EXPERIMENT, timing=timing))) == 4


MODEL = """
from allocators.ideal import Ideal

class Mine(Ideal):
    name = "mine-{name}"
    WASTED = {wasted}
"""


def test_an_edited_model_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    found = []
    for wasted in (1, 2, 1):
        (tmp_path / "edited_model.py").write_text(MODEL.format(name="edited", wasted=wasted))
        importlib.invalidate_caches()
        sys.modules.pop("edited_model", None)
        model = importlib.import_module("edited_model").Mine()
        found.append(keys(Experiment(EXPERIMENT.traces, compressors=("lz4",), allocators=(model,))))
    assert found[0] == found[2]
    assert not found[0] & found[1]


def test_an_edited_source_of_ours_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(EXPERIMENT)
    monkeypatch.setattr("sim.experiment.finished.sources", lambda: "edited")
    assert not before & keys(EXPERIMENT)


def test_what_somebody_else_wrote_is_not_believed(cache: Path) -> None:
    stopped(EXPERIMENT, 2 * 400 + 1)
    (kept, *_) = [path for path in cache.iterdir() if path.name != "secret"]
    data = bytearray(kept.read_bytes())
    data[-20] ^= 1
    kept.write_bytes(data)
    finished = Finished()
    found = finished.find(prepare(EXPERIMENT, lambda stage: silent, True)[1])
    assert len(found) < finished.count()[0]


def test_old_ones_are_removed(cache: Path) -> None:
    stopped(EXPERIMENT, 401)
    (kept,) = [path for path in cache.iterdir() if path.name != "secret"]
    os.utime(kept, (0, kept.stat().st_mtime - (DAYS + 1) * 86_400))
    assert Finished().find(prepare(EXPERIMENT, lambda stage: silent, True)[1]) == {}
    assert [path.name for path in cache.iterdir()] == ["secret"]
