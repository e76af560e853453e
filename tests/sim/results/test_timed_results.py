"""Timed experiments: frames, files, the command, and what is said about settings that make no sense."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from sim import Experiment
from sim.cli import app
from sim.cli.run import run as run_command
from sim.errors import UserError
from sim.experiment.description import LISTS, OF_TIMING
from sim.experiment.runner import run
from sim.results.result import Result
from sim.timing import arrivals
from sim.timing.latency import COLUMNS, PARTS, RUN, SETTING, TOTAL

WORKLOAD = "random:events=400,slots=100,pages=60"
SMALL: dict[str, Any] = {"traces": (WORKLOAD,), "allocators": ("zsmalloc", "xvmalloc"), "compressors": ("lz4",)}


@pytest.fixture(scope="module")
def result() -> Result:
    varied = {"mappings": ("copy", "pte"), "cpus": (1, 2), "page_clusters": (0, 3)}
    return run(Experiment(**SMALL, timing=True, sensitivity=True, events=True, arrivals=("saturate",), **varied))


def command(*words: object) -> Any:
    return CliRunner().invoke(app, ["run", WORKLOAD, "-a", "zsmalloc", "-c", "lz4", *map(str, words)])


def test_latency_has_a_row_for_every_run_operation_and_part(result: Result) -> None:
    latency = result.latency
    assert tuple(latency.columns) == COLUMNS
    timed = latency[latency["operation"] != "codec"]
    assert len(timed.groupby([*RUN, *SETTING])) == 2 * 2 * 2 * 2
    for _, rows in timed.groupby([*RUN, *SETTING, "operation"]):
        assert sorted(rows["part"]) == sorted((TOTAL, *PARTS))
        assert rows["count"].nunique() == 1
        of_parts = rows[rows["part"] != TOTAL]["mean_us"].sum()
        assert of_parts == pytest.approx(rows[rows["part"] == TOTAL]["mean_us"].iloc[0])
    ordered = timed[["p50_us", "p95_us", "p99_us", "p999_us", "max_us"]]
    assert (ordered.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_density_is_the_same_timed_or_not(result: Result) -> None:
    pd.testing.assert_frame_equal(result.density, run(Experiment(**SMALL)).density)
    pd.testing.assert_frame_equal(result.counters, run(Experiment(**SMALL)).counters)


def test_every_operation_is_kept(result: Result) -> None:
    events = result.events
    assert len(events) == 16 * 400
    parts = events[[f"{part}_us" for part in PARTS]].sum(axis=1)
    assert (parts - events["total_us"]).abs().max() < 1e-9
    totals = result.latency[result.latency["part"] == TOTAL].set_index([*RUN, *SETTING, "operation"])["mean_us"]
    means = events.groupby([*RUN, *SETTING, "operation"])["total_us"].mean()
    assert len(means) == len(totals)
    assert (means - totals).abs().max() < 1e-9


def test_sensitivity_tells_what_an_assumed_price_changes(result: Result) -> None:
    rows = result.sensitivity
    assert set(rows["operation"]) == {"page-out", "page-in", "free"}
    fault = rows[(rows["price"] == "path.fault") & (rows["page_cluster"] == 0)].set_index(["value", "operation"])
    assert (fault.loc[2500].loc["page-in"]["p50_change"] > 0.1).all()
    assert (fault.loc[700].loc["page-in"]["p50_change"] < -0.05).all()
    assert (fault.loc[2500].loc["page-out"]["mean_change"].abs() < 0.2).all()
    assert not rows["price"].str.startswith("map.").any(), "copy and pte are published figures"


def test_timing_counts(result: Result) -> None:
    timing = result.timing.pivot_table(index=[*RUN, *SETTING], columns="counter", values="value")
    assert (timing["operations"] == 400).all()
    assert (timing["cpu_use"] > 0.5).all()
    assert (timing["readahead_pages"] > 0).tolist() == [key[-1] == 3 for key in timing.index]


def test_saved_and_read_again(result: Result, tmp_path: Path) -> None:
    result.save(tmp_path)
    again = Result.load(tmp_path)
    for name in ("latency", "timing", "sensitivity", "events"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))
    assert not (tmp_path / "events.csv").exists()
    assert again.provenance["prices"]["prices"]["alloc.hit"]["source"].startswith("assumed")
    assert again.provenance["devices"]["nvme"]["queue_depth"] > 1
    run(Experiment(**SMALL)).save(tmp_path)
    assert Result.load(tmp_path).timing.empty
    assert not list(tmp_path.glob("timing.*")) + list(tmp_path.glob("events.*"))


def test_the_same_from_toml_python_and_the_command(tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    file.write_text(
        f'traces = ["{WORKLOAD}"]\nallocators = ["zsmalloc"]\ncompressors = ["lz4"]\ntiming = true\ncpus = [1, 4]\n'
        'mappings = ["pte"]\narrivals = "saturate"\nloads = [2.0]\ndevices = ["hdd"]\npage_clusters = [1]\n'
        "cpu_scale = 2.0\nmax_comp_streams = 1\nsensitivity = false\n"
    )
    options = "--timing --cpus 1 --cpus 4 --mapping pte --arrivals saturate --load 2 --device hdd --page-cluster 1"
    one, two = tmp_path / "one", tmp_path / "two"
    assert command(*options.split(), "--cpu-scale", 2, "--max-comp-streams", 1, "--out", one).exit_code == 0
    answer = CliRunner().invoke(app, ["run", "--experiment", str(file), "--out", str(two)])
    assert answer.exit_code == 0
    made = [Result.load(folder).provenance["experiment"] for folder in (one, two)]
    assert made[0] == made[1] == Experiment.from_toml(file).describe()


def test_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    said = command("--timing", "--cpus", 1, "--cpus", 4, "--sensitivity").stdout
    said = " ".join(said.split())
    assert "how long page-outs and page-ins take" in said
    assert "what depends on assumed prices" in said
    assert "path.fault" in said
    assert "cpus" in said


def test_the_table_tells_what_could_not_be_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "failed" not in command("--timing").stdout
    lines = command("--timing", "--mapping", "kmap-pair").stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split() == ["page-out", "page-in", "failed"])
    assert int(lines[head + 2].split()[-1]) > 0
    assert "how long page-outs and page-ins take" in " ".join(lines[head - 4 : head]), "no narrower than the screen"


def test_json_has_the_latencies_in_the_rows_of_density() -> None:
    rows = json.loads(command("--timing", "--cpus", 1, "--cpus", 4, "--json").stdout)
    assert [row["allocator"] for row in rows] == ["zsmalloc"]
    totals = [row for row in rows[0]["latency"] if (row["operation"], row["part"]) == ("page-out", "total")]
    assert [row["cpus"] for row in totals] == [1, 4]
    assert all(0 < row["p50_us"] <= row["max_us"] for row in totals)
    assert "latency" not in json.loads(command("--json").stdout)[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--timing", "--cpus", 0], "timing: cpus=0"),
        (["--timing", "--mapping", "mmap"], "unknown mapping 'mmap'"),
        (["--timing", "--device", "tape"], "unknown device 'tape'"),
        (["--timing", "--arrivals", "poisson"], "unknown arrivals 'poisson'"),
        (["--timing", "--load", 0], "timing: load=0"),
        (["--timing", "--page-cluster", -1], "page_cluster=-1"),
        (["--timing", "--max-comp-streams", 0], "streams=0"),
        (["--timing", "--cpu-scale", 0], "cpu_scale=0"),
        (["--timing", "--costs", "/nowhere.toml"], "/nowhere.toml: No such file"),
        (["--timing", "--arrivals", "recorded"], "the trace has no times"),
        (["--cpus", 4], "cpus has no effect without timing"),
        (["--sensitivity"], "sensitivity has no effect without timing"),
    ],
)
def test_one_clear_line(words: list[object], said: str) -> None:
    answer = command(*words)
    assert answer.exit_code == 2, answer.output
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert answer.stdout == ""


def test_overload_is_told_after_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(arrivals, "MOST_INSIDE", 20)
    out = ["--device", "hdd", "--arrivals", "recorded", "--load", 1e6, "--out", tmp_path / "out"]
    answer = CliRunner().invoke(app, ["run", "gcc", "-a", "zbud", "-c", "lz4", "--timing", *map(str, out)])
    assert answer.exit_code == 2
    assert "zbud" in answer.stdout
    assert answer.stderr.count("\n") == 1
    assert "more came than could be done" in answer.stderr
    assert not Result.load(tmp_path / "out").latency.empty


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cpus": ()}, "cpus is empty"),
        ({"cpus": ("4",)}, "cpus='4'"),
        ({"timing": 1}, "timing=1; give true or false"),
        ({"mappings": (3,)}, "mappings holds 3; give texts"),
        ({"costs": 3}, "costs=3; give the name of a file"),
    ],
)
def test_an_experiment_that_makes_no_sense(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Experiment(**{"timing": True} | settings)


def test_every_option_is_a_field_and_every_field_an_option() -> None:
    # An option has the name of its field, in the singular.
    others = {"experiment", "out", "json", "csv", "keep_source", "rerun"}
    options = set(inspect.signature(run_command).parameters) - others
    plural = {field.name.removesuffix("s") if field.name in LISTS else field.name for field in fields(Experiment)}
    irregular = {"trace": "traces", "cpu": "cpus", "arrival": "arrivals"}
    assert options == {irregular.get(name, name) for name in plural} - {"seed"}


def test_the_lists_of_fields_are_fields() -> None:
    names = {field.name for field in fields(Experiment)}
    assert names >= {*LISTS, *OF_TIMING}
