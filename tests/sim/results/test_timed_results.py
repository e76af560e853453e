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

from allocators.zbud import Zbud
from sim import Experiment, Timing
from sim.cli import app
from sim.cli.run import OUTPUT
from sim.cli.run import run as run_command
from sim.compressors.zstd import Zstd
from sim.errors import UserError
from sim.experiment.description import HOME, PARTS
from sim.experiment.runner import COMPILING, run
from sim.frontends.zram import Zram
from sim.frontends.zswap import Zswap
from sim.results.result import Result
from sim.timing import arrivals
from sim.timing.latency import FIGURES, RUN, SETTING, TOTAL
from sim.timing.latency import PARTS as PARTS_OF_TIME
from sim.timing.mapping import Pte
from workloads.generators.sizes import Bell

WORKLOAD = "random:events=400,slots=100,pages=60"
SMALL: dict[str, Any] = {"traces": (WORKLOAD,), "allocators": ("zsmalloc", "xvmalloc"), "compressors": ("lz4",)}


@pytest.fixture(scope="module")
def result() -> Result:
    varied = {"mappings": ("copy", "pte"), "cpus": (1, 2), "page_clusters": (0, 3)}
    timing = Timing(sensitivity=True, events=True, arrivals=("saturate",), **varied)
    return run(Experiment(**SMALL, timing=timing))


def command(*words: object) -> Any:
    return CliRunner().invoke(app, ["run", WORKLOAD, "-a", "zsmalloc", "-c", "lz4", *map(str, words)])


def test_latency_has_a_row_for_every_run_operation_and_part(result: Result) -> None:
    latency = result.latency
    assert tuple(latency.columns) == (*RUN, *SETTING, "operation", "part", *FIGURES, "codec_times")
    timed = latency[latency["operation"] != "codec"]
    assert len(timed.groupby([*RUN, *SETTING])) == 2 * 2 * 2 * 2
    for _, rows in timed.groupby([*RUN, *SETTING, "operation"]):
        assert sorted(rows["part"]) == sorted((TOTAL, *PARTS_OF_TIME))
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
    parts = events[[f"{part}_us" for part in PARTS_OF_TIME]].sum(axis=1)
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
    assert again.provenance["prices"]["prices"]["alloc.order1"]["source"].startswith("assumed")
    assert again.provenance["devices"]["nvme"]["queue_depth"] > 1
    run(Experiment(**SMALL)).save(tmp_path)
    assert Result.load(tmp_path).timing.empty
    assert not list(tmp_path.glob("timing.*")) + list(tmp_path.glob("events.*"))


def test_the_same_from_toml_python_and_the_command(tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    file.write_text(
        f'traces = ["{WORKLOAD}"]\nallocators = ["zsmalloc"]\ncompressors = ["lz4"]\n[timing]\ncpus = [1, 4]\n'
        'mappings = ["pte"]\narrivals = "saturate"\nloads = [2.0]\nswap_devices = ["hdd"]\npage_clusters = [1]\n'
        "cpu_scale = 2.0\nmax_comp_streams = 1\nsensitivity = false\n"
    )
    options = "--timing --cpus 1 --cpus 4 --mapping pte --arrivals saturate --load 2 --swap-device hdd --page-cluster 1"
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
    assert "what depends on assumed costs" in said
    assert "path.fault" in said
    assert "cpus" in said


def test_the_table_tells_what_could_not_be_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "failed" not in command("--timing").stdout
    lines = command("--timing", "--mapping", "kmap-pair").stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if line.split() == ["page-out", "page-in", "failed"])
    assert int(lines[head + 2].split()[-1]) > 0
    assert "how long page-outs and page-ins take" in " ".join(lines[:head]), "no narrower than the screen"


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
        (["--timing", "--cpus", 0], "--cpus=0"),
        (["--timing", "--mapping", "mmap"], "unknown mapping 'mmap'"),
        (["--timing", "--swap-device", "tape"], "unknown device 'tape'"),
        (["--timing", "--arrivals", "poisson"], "unknown arrivals 'poisson'"),
        (["--timing", "--load", 0], "--load=0"),
        (["--timing", "--page-cluster", -1], "--page-cluster=-1"),
        (["--timing", "--max-comp-streams", 0], "--max-comp-streams=0"),
        (["--timing", "--cpu-scale", 0], "--cpu-scale=0"),
        (["--timing", "--cpu-scale", 1e300], "--cpu-scale=1e+300; give a number from 0.001 to 1000"),
        (["--timing", "--costs", "/nowhere.toml"], "/nowhere.toml: No such file"),
        (["--timing", "--arrivals", "recorded"], "the trace has no times"),
        (["--cpus", 4], "--cpus has no effect without --timing"),
        (["--timing", "--device", "hdd"], "--swap-device"),
        (["--sensitivity"], "--sensitivity has no effect without --timing"),
    ],
)
def test_one_clear_line(words: list[object], said: str) -> None:
    answer = command(*words)
    assert answer.exit_code == 2, answer.output
    assert said in answer.stderr
    assert len([line for line in answer.stderr.splitlines() if COMPILING not in line]) == 1
    assert answer.stdout == ""


def test_overload_is_told_after_what_there_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(arrivals, "MOST_INSIDE", 20)
    out = ["--swap-device", "hdd", "--arrivals", "recorded", "--load", 1e6, "--out", tmp_path / "out"]
    answer = CliRunner().invoke(app, ["run", "gcc-sample", "-a", "zbud", "-c", "lz4", "--timing", *map(str, out)])
    assert answer.exit_code == 2
    assert "zbud" in answer.stdout
    assert len([line for line in answer.stderr.splitlines() if COMPILING not in line]) == 1
    assert "more came than could be done" in answer.stderr
    assert not Result.load(tmp_path / "out").latency.empty


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"cpus": ()}, "cpus is empty"),
        ({"cpus": ("4",)}, "cpus='4'"),
        ({"sensitivity": 1}, "sensitivity=1; give true or false"),
        ({"swap_devices": ("a/x.toml:d", "b/x.toml:d")}, "have equal names"),
        ({"mappings": (3,)}, "mappings holds 3; give texts"),
        ({"costs": 3}, "costs=3; give the name of a file"),
        ({"codec_costs": 3}, "codec_costs=3; give the name of a file"),
    ],
)
def test_an_experiment_that_makes_no_sense(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Timing(**settings)


def test_every_option_is_a_field_and_every_field_an_option() -> None:
    options = set(inspect.signature(run_command).parameters) - {*OUTPUT, "experiment"}
    alone = {field.name for field in fields(Experiment)} - {"memory", "machine"}
    placed = {(part, field.name) for part, cls in PARTS.items() for field in fields(cls)}
    assert {HOME.get(name, name) for name in options} == placed | alone


SWEPT = """
traces = ["bell:events=300,slots=90"]
allocators = ["zbud", "ideal"]
page_sizes = [4096, 8192]
[memory]
pages = [20, 40]
unusable = [0.0, 0.5]
seed = [0, 1]
[timing]
arrivals = "saturate"
cpu_scale = [1.0, 2.0]
max_comp_streams = [1, 2]
"""


def test_every_field_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "e.toml").write_text(SWEPT)
    result = run(Experiment.from_toml(tmp_path / "e.toml"))
    runs = ["trace", "allocator", "zone_pages", "unusable", "seed"]
    assert len(result.density) == len(result.density.drop_duplicates(runs)) == 2 * 2 * 8
    assert set(result.density["page_size"]) == {4096, 8192}
    sizes = result.density.groupby("zone_pages")["pages_peak"].max()
    assert 0 < sizes[20] <= 20 < sizes[40] <= 40
    totals = result.latency[(result.latency["part"] == TOTAL) & (result.latency["operation"] == "page-out")]
    keys = [*runs, "cpu_scale", "max_comp_streams"]
    assert len(totals) == len(totals.drop_duplicates(keys)) == 2 * 2 * 8 * 4
    folder = result.save(tmp_path / "out", plots=True)
    monkeypatch.setenv("COLUMNS", "120")
    answer = CliRunner().invoke(app, ["run", "--rerun", str(folder), "--json"])
    assert answer.exit_code == 0, answer.output
    words = ["run", "--experiment", str(tmp_path / "e.toml"), "--seed", "1", "--page-size", "4096"]
    rows = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert len(rows) == 2 * 4
    assert {row["seed"] for row in rows} == {1}
    assert all(len(row["latency"]) == len(rows[0]["latency"]) for row in rows)
    said = CliRunner().invoke(app, [*words, "--full"]).stdout
    assert "bell, zone-pages 20, unusable 0.5:" in said


def test_the_index_of_every_order_is_told(tmp_path: Path) -> None:
    words = ["run", "bell:events=3000,slots=900,mean=900", "-a", "zblock:version=v4", "-a", "zblock"]
    words += ["--zone-pages", "256", "--unusable", "0.9", "--unusable-order", "3", "--seed", "1", "--seed", "2"]
    answer = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "out")])
    assert answer.exit_code == 0, answer.output
    assert "256 physical pages with an unusable free space index of: order 1 0.54, order 2 0.80, " in answer.stdout
    found = Result.load(tmp_path / "out")
    [told] = found.provenance["unusable_index"]
    assert (told["zone_pages"], told["unusable"], told["unusable_order"]) == (256, 0.9, 3)
    assert list(told["orders"]) == [str(order) for order in range(1, 11)]
    assert told["orders"]["3"] == pytest.approx(0.9, abs=8 / 256)
    assert set(found.density["unusable_order"]) == {3}
    refused = found.density.set_index(["allocator", "seed"])["refused"].unstack()
    assert (refused[1] == refused[2]).all()  # where the free blocks lie is all that is random
    assert refused.loc["zblock:version=v4", 1] > refused.loc["zblock", 1]


def test_what_was_not_set_is_no_column(result: Result) -> None:
    swept = {
        "zone_pages",
        "unusable",
        "unusable_order",
        "seed",
        "cpu_scale",
        "max_comp_streams",
        "costs",
        "codec_costs",
    }
    for frame in (result.density, result.timeline, result.latency, result.counters, result.timing, result.sensitivity):
        assert not swept & set(frame.columns)


def test_page_sizes_are_of_generators() -> None:
    with pytest.raises(UserError, match="gcc: its pages have 4096 bytes"):
        run(Experiment(("gcc",), page_sizes=(8192,)))


def test_objects_wherever_specs_are() -> None:
    specs = Experiment(("bell:events=300,slots=90",), ("zram", "zswap:ram_pages=90"), ("zstd:level=5",), ("zbud",))
    objects = Experiment(
        (Bell(events=300, slots=90),),
        (Zram(), Zswap(ram_pages=90)),
        (Zstd(level=5),),
        [Zbud()],
        timing=Timing(mappings=[Pte(), "copy"]),
    )
    left, right = run(specs), run(objects)
    pd.testing.assert_frame_equal(left.density, right.density)
    assert set(right.latency["mapping"].dropna()) == {"pte", "copy"}
    told = objects.describe()
    assert (told["compressors"], told["frontends"][1]) == (["zstd:level=5"], "zswap:ram_pages=90")
    assert told["timing"]["mappings"] == ["pte", "copy"]
    for wrong in (Zbud, 3, Zram()):
        with pytest.raises(UserError, match="give specs or allocator objects"):
            Experiment(allocators=[wrong])
    with pytest.raises(UserError, match="two classes of allocators are called zbud"):
        run(Experiment(("bell:events=30",), allocators=[Zbud(), type("Other", (Zbud,), {})()]))


def test_an_allocator_object_is_a_template() -> None:
    used = Zbud()
    used.alloc(100)
    density = run(Experiment(("bell:events=300,slots=90",), allocators=[used, "zbud"])).density
    assert len(density) == 1, "the same configuration"
    assert used.pages == 1
    assert (
        density["pages_end"].iloc[0]
        == run(Experiment(("bell:events=300,slots=90",), allocators=["zbud"])).density["pages_end"].iloc[0]
    )
