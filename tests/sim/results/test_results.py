from __future__ import annotations

import json
import math
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim import Experiment, Memory, Result, Timing, run
from sim.cli import app
from sim.errors import UserError
from sim.experiment.jobs import Job
from sim.results.result import FRAMES
from sim.timing.devices import PROFILES
from workloads import GIVEN, IN, LOST, OUT, Events, Sizes, Trace, save_trace

WORKLOAD = "bell:events=2000,slots=300"
REAL = "random:events=400,slots=80,pages=30"
CONTRACT = {
    "trace",
    "frontend",
    "compressor",
    "allocator",
    "density",
    "density_mean",
    "density_end",
    "effective_density",
    "pages_peak",
    "objects_peak",
    "bytes_peak",
    "same_filled",
    "huge",
    "refused",
}


def small(*traces: str | Trace, allocators: tuple[str, ...] = ("zbud", "ideal"), **settings: Any) -> Experiment:
    return Experiment(traces or (WORKLOAD,), allocators=allocators, compressors=("lz4",), **settings)


@pytest.fixture(scope="module")
def result() -> Result:
    return run(small(WORKLOAD, REAL))


def command(*words: object) -> Any:
    return CliRunner().invoke(app, ["run", *map(str, words)])


def test_saved_and_read_again(result: Result, tmp_path: Path) -> None:
    for folder in (tmp_path / "new" / "out", tmp_path / "new" / "out"):  # an earlier result is replaced
        result.save(folder)
    again = Result.load(tmp_path / "new" / "out")
    for name in FRAMES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))
        table = pd.read_csv(tmp_path / "new" / "out" / f"{name}.csv").astype(getattr(result, name).dtypes.to_dict())
        pd.testing.assert_frame_equal(table, getattr(result, name))
    assert again.provenance == result.provenance
    expected = {f"{name}.{ending}" for name in (*FRAMES, "sizes") for ending in ("csv", "parquet")} | {
        "provenance.json"
    }
    assert {path.name for path in (tmp_path / "new" / "out").iterdir()} == expected


def test_folders_of_others_are_left_alone(result: Result, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match="holds other files"):
        result.save(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        result.save(tmp_path / "thesis.tex")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(UserError, match=r"no provenance\.json"):
        Result.load(tmp_path)
    answer = command(WORKLOAD, "-a", "zbud", "--out", tmp_path)
    assert (answer.exit_code, answer.stdout) == (2, ""), "told before the work is done"


def test_a_damaged_result_is_named(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    (tmp_path / "density.parquet").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"density\.parquet: is not the file that provenance\.json tells of"):
        Result.load(tmp_path)
    (tmp_path / "density.parquet").unlink()
    with pytest.raises(
        UserError, match=r"density\.parquet: No such file or directory; run the experiment again$"
    ) as gone:
        Result.load(tmp_path)
    assert str(gone.value).count("density.parquet") == 1
    (tmp_path / "provenance.json").write_text("{")
    with pytest.raises(UserError, match=r"provenance\.json is damaged"):
        Result.load(tmp_path)


def test_frames_of_two_results_are_not_mixed(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path / "one")
    run(small(REAL)).save(tmp_path / "two")
    shutil.copy(tmp_path / "one" / "density.parquet", tmp_path / "two")
    with pytest.raises(UserError, match=r"two/density\.parquet: is not the file"):
        Result.load(tmp_path / "two")


def test_provenance_tells_all_that_is_needed(result: Result) -> None:
    about = result.provenance
    assert json.loads(json.dumps(about)) == about
    assert about["complete"] is True
    assert about["experiment"]["traces"] == [WORKLOAD, REAL]
    assert set(about["traces"]) == {"bell", "random"}
    assert all(len(trace["digest"]) == 32 for trace in about["traces"].values())
    assert about["traces"]["bell"]["source"]["slots"] == 300
    assert about["codecs"].keys() == {GIVEN, "lz4"}
    assert {"versions", "python", "machine", "made"} <= about.keys()
    assert {"numpy", "numba", "lz4"} <= about["versions"].keys()


def test_the_same_from_toml_from_code_and_from_the_command(tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    file.write_text(
        f'traces = ["{WORKLOAD}"]\nallocators = ["order1", "zbud"]\ncompressors = ["lz4"]\n'
        "[memory]\npages = 100\nunusable = 0.5\n"
    )
    code = small(allocators=("order1", "zbud"), memory=Memory(100, 0.5))
    assert Experiment.from_toml(file) == code
    assert Experiment.from_toml(file, memory={"seed": 3}).memory == Memory(100, 0.5, 3)
    words = [WORKLOAD, "-a", "order1", "-a", "zbud", "-c", "lz4", "--zone-pages", 100, "--unusable", 0.5]
    rows = run(code).density.to_dict("records")
    assert rows[0]["refused"] > 0
    assert json.loads(command(*words, "--json").stdout) == rows
    assert json.loads(command("--experiment", file, "--json").stdout) == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('alocators = ["zbud"]', "unknown key alocators (did you mean allocators?); known are traces, frontends"),
        ("allocators = []", "allocators is empty"),
        ("allocators = 3", "allocators holds 3"),
        ('traces = [["a"]]', "traces holds"),
        ('memory = {pages = "10"}', "pages='10'"),
        ("memory = {pages = 0}", "pages=0"),
        ("memory = {pages = [[1]]}", "give values, not lists"),
        ("memory = {unusable = 0.5}", "together with pages"),
        ("memory = {seed = -1}", "seed=-1"),
        ("memory = {zone_pages = 1}", "memory: unknown key zone_pages (did you mean pages?)"),
        ("memory = 4", "memory=4; give Memory(...), in TOML a table [memory]"),
        ("timing = true", "timing=True; give Timing(...), in TOML a table [timing]"),
        ("zone_pages = 9", "zone_pages stands in memory now; give pages in the table [memory]"),
        ('devices = ["hdd"]', "devices stands in timing now; give swap_devices in the table [timing]"),
        ('timing = {devices = "hdd"}', "timing: unknown key devices (did you mean swap_devices?)"),
        ("page_sizes = 0", "page_sizes=0"),
        ("traces = ", "is not TOML: "),
    ],
)
def test_an_experiment_that_makes_no_sense_is_refused(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=re.escape(said)):
        Experiment.from_toml(file)
    answer = command("--experiment", file)
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)


def test_rows_of_the_command(result: Result) -> None:
    rows = json.loads(command(WORKLOAD, REAL, "-a", "zbud", "-a", "ideal", "-c", "lz4", "--json").stdout)
    assert rows == result.density.to_dict("records")
    assert all(row.keys() >= CONTRACT for row in rows)
    key = ("trace", "frontend", "compressor", "allocator")
    assert [tuple(row[k] for k in key) for row in rows] == [
        (trace, "zram", codec, allocator)
        for trace, codec in (("bell", GIVEN), ("random", "lz4"))
        for allocator in ("zbud", "ideal")
    ]
    assert all(0 < row["density"] <= row["ideal_density"] for row in rows)


def test_counters_are_tidy(result: Result) -> None:
    counters = result.counters
    assert counters.columns.tolist() == ["trace", "frontend", "compressor", "allocator", "counter", "value"]
    of_zbud = counters[(counters["allocator"] == "zbud") & (counters["trace"] == "random")]
    values = dict(zip(of_zbud["counter"], of_zbud["value"], strict=True))
    (refused,) = result.density.query("trace == 'random' and allocator == 'zbud'")["refused"]
    assert values["refusals"] == values["device_writes"] == refused > 0


def test_given_sizes_are_run_once_for_all_codecs() -> None:
    result = run(Experiment((WORKLOAD,), allocators=("zbud",), compressors=("lz4", "lzo")))
    assert result.density["compressor"].tolist() == [GIVEN]
    assert result.latency.empty


def test_traces_of_one_name_are_told_apart() -> None:
    density = run(small(WORKLOAD, WORKLOAD + ",seed=1", allocators=("zbud",))).density
    assert density["trace"].tolist() == ["bell", "bell 2"]


def test_a_trace_without_page_outs_costs_nothing() -> None:
    events = Events.of([IN, LOST], [0, 0], [-1, -1])
    trace = Trace.from_arrays("reads", events, np.zeros((1, 4096), np.uint8), dict[str, Sizes]())
    result = run(small(trace, allocators=("zbud",)))
    assert result.latency.empty
    assert result.density["missing"].tolist() == [1]
    assert result.density["lost"].tolist() == [1]


def interrupted(experiment: Experiment, events: int, workers: int) -> Result:
    """The result of a run that is interrupted when so many events have been replayed."""

    def report(stage: str) -> Any:
        def progress(done: int, total: int) -> None:
            if stage == "replay" and done >= events:
                time.sleep(0.3)  # what other processes have finished is on its way
                raise KeyboardInterrupt

        return progress

    return run(experiment, report=report, workers=workers)


@pytest.mark.parametrize(("events", "finished"), [(1, 0), (4000, 1)])
def test_interrupted_it_keeps_what_is_finished(events: int, finished: int) -> None:
    result = interrupted(small(allocators=("zbud", "ideal", "kmalloc")), events, workers=1)
    assert result.provenance["complete"] is False
    assert list(result.density.get("allocator", [])) == ["zbud", "ideal"][:finished]


def test_interrupted_it_keeps_what_other_processes_have_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.experiment.runner.POLL_S", 0.01)
    run_job = Job.run

    def slow(self: Job, *given: Any) -> Any:
        if self.allocator.spec == "zbud":
            time.sleep(3)
        return run_job(self, *given)

    monkeypatch.setattr(Job, "run", slow)
    result = interrupted(small(allocators=("zbud", "ideal", "kmalloc")), 4000, workers=2)
    assert result.provenance["complete"] is False
    assert result.density["allocator"].tolist() == ["ideal", "kmalloc"]


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_goes_on_within_a_run(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.timing.simulate.BATCH", 50)
    monkeypatch.setattr("sim.experiment.runner.POLL_S", 0.001)
    told: dict[str, list[tuple[int, int]]] = {}
    traces = ("random:events=400,slots=100,pages=60",)
    experiment = Experiment(traces=traces, allocators=("zbud", "ideal"), compressors=("lz4",), timing=Timing())

    def report(stage: str) -> Any:
        return lambda *step: told.setdefault(stage, []).append(step)

    assert run(experiment, report=report, workers=workers).provenance["complete"]
    done = [done for done, total in told["replay and timing"]]
    assert {total for _, total in told["replay and timing"]} == {4 * 400}, "events of two runs, each with and without"
    assert done == sorted(done)
    assert done[-1] == 4 * 400
    assert set(done) - {0, 400, 800, 1200, 1600}, "steps within a run"


def test_provenance_names_no_person_no_path_no_command(tmp_path: Path) -> None:
    source = {"kind": "recording", "command": ["mail", "alice"], "host": "alices", "limit": 7, "note": "/home/alice"}
    trace = Trace.from_arrays("mine", Events.of([OUT], [0], [0]), np.zeros((1, 4096), np.uint8), source=source)
    save_trace(trace, tmp_path / "mine.cswap")
    costs, devices = tmp_path / "own.toml", tmp_path / "devices.toml"
    costs.write_text("")
    devices.write_text(PROFILES.read_text())
    given = {"timing": {"costs": str(costs), "swap_devices": (f"{devices}:nvme",)}}
    about = run(small(str(tmp_path / "mine.cswap"), allocators=("zbud",), **given)).provenance
    assert str(tmp_path) not in json.dumps(about)
    assert "alice" not in json.dumps(about)
    assert about["traces"]["mine"]["source"] == {"kind": "recording", "limit": 7}
    assert about["experiment"]["traces"] == ["mine.cswap"]
    assert about["experiment"]["timing"]["swap_devices"] == list(about["devices"]) == ["devices.toml:nvme"]
    assert about["experiment"]["timing"]["costs"] == [about["prices"]["file"]] == ["own.toml"]
    told = run(small(str(tmp_path / "mine.cswap"), allocators=("zbud",)), keep_source=True).provenance
    assert told["traces"]["mine"]["source"] == source
    assert told["experiment"]["traces"] == [str(tmp_path / "mine.cswap")]


def test_numbers_of_provenance_are_finite(result: Result, tmp_path: Path) -> None:
    replace(result, provenance=result.provenance | {"odd": [math.inf, {"a": math.nan}]}).save(tmp_path)
    assert Result.load(tmp_path).provenance["odd"] == [None, {"a": None}]


@pytest.mark.parametrize("finished", [0, 1])
def test_the_command_prints_what_was_finished(finished: int, monkeypatch: pytest.MonkeyPatch, result: Result) -> None:
    both = pd.concat([result.density.assign(compressor="lz4"), result.density.assign(compressor="lzo")])
    part = Result(both[: 5 * finished], result.timeline, result.latency, result.counters, {"complete": False})
    monkeypatch.setattr("sim.experiment.runner.run", lambda *_, **__: part)
    answer = command(WORKLOAD)
    assert answer.exit_code == 130, answer.output
    assert ("zbud" in answer.stdout) == bool(finished)
