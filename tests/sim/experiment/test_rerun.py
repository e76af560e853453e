"""`cswap run --rerun`: the same traces, the same figures, or one line that says which differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from sim import Experiment, Memory, Result, Timing, run
from sim.cli import app
from sim.results.saving import MARK
from workloads import open_sample, save_trace

SPEC = "random:events=400,slots=80,pages=30"


def command(*words: object) -> Any:
    return CliRunner().invoke(app, ["run", *map(str, words)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    traces = (SPEC, "bell:events=300,slots=40")
    result = run(
        Experiment(
            traces, allocators=("zbud", "order1"), compressors=("lz4",), memory=Memory(pages=100, unusable=0.5, seed=3)
        )
    )
    return result.save(tmp_path_factory.mktemp("made") / "out")


@pytest.fixture
def older(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "older"))


def told(older: Path, **changed: Any) -> None:
    about = json.loads((older / MARK).read_text())
    (older / MARK).write_text(json.dumps(about | changed))


def verdicts(answer: Any) -> dict[str, str]:
    return {row["frame"]: row["verdict"] for row in json.loads(answer.stdout)}


def test_identical(older: Path, tmp_path: Path) -> None:
    answer = command("--rerun", older / MARK, "--out", tmp_path / "new")
    assert answer.exit_code == 0, answer.output
    assert "density: 4 rows identical\ntimeline: " in answer.stdout
    assert "identical\nwritten to " in answer.stdout
    assert command("--rerun", tmp_path / "new").exit_code == 0, "what a rerun wrote can be run again"


def test_all_but_latencies_from_the_provenance_alone(older: Path) -> None:
    for path in older.glob("*[vt]"):  # csv and parquet
        path.unlink()
    answer = command("--rerun", older, "--json")
    assert answer.exit_code == 0
    found = verdicts(answer)
    assert found["density"] == found["timeline"] == found["counters"] == "identical"
    assert found["latency"] == "not compared", "codec times of a trace in memory are measured anew"


def test_the_first_difference_is_named(older: Path) -> None:
    table = pd.read_csv(older / "timeline.csv")
    row = table.index[(table["allocator"] == "order1") & (table["trace"] == "random")][7]
    was = int(table.loc[row, "bytes"])
    table.loc[row, "bytes"] = was + 1
    table.to_csv(older / "timeline.csv", index=False)
    told(older, files={})
    answer = command("--rerun", older)
    assert answer.exit_code == 1
    assert f"row random, zram, lz4, order1, 7, 100, 0.5, 3: bytes is {was}, was {was + 1}\n" in answer.stdout
    assert answer.stdout.endswith("\ndifferent\n")
    table[table["allocator"] != "zbud"].to_csv(older / "timeline.csv", index=False)
    assert "zbud, 0, 100, 0.5, 3 is new" in command("--rerun", older).stdout


def test_another_trace_of_the_name_is_refused_before_work_is_done(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.experiment.runner.run", None)
    about = json.loads((older / MARK).read_text())
    about["traces"]["random"] = {"digest": "0" * 32}
    told(older, traces=about["traces"])
    answer = command("--rerun", older)
    assert (answer.exit_code, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
    assert f"random: of digest {'0' * 32}, but the one there is now has" in answer.stderr
    answer = command("--rerun", older, "bell:events=10")
    assert "is of none of the traces of" in answer.stderr


def test_a_trace_that_is_elsewhere_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_trace(open_sample("gcc"), tmp_path / "mine.cswap")
    folder = run(
        Experiment((str(tmp_path / "mine.cswap"),), allocators=("zbud",), compressors=("lz4",), timing=Timing())
    ).save(tmp_path / "out")
    (tmp_path / "mine.cswap").rename(tmp_path / "moved.cswap")
    assert "gcc: of digest" in command("--rerun", folder).stderr
    answer = command("--rerun", folder, tmp_path / "moved.cswap", "--json")
    assert answer.exit_code == 0
    assert set(verdicts(answer).values()) == {"identical"}, "latencies too: the codecs' times were kept"
    monkeypatch.setattr("sim.sizing.sizing.recall", lambda fields: None)
    answer = command("--rerun", folder, tmp_path / "moved.cswap", "--json")
    assert answer.exit_code == 0
    assert {name for name, verdict in verdicts(answer).items() if verdict == "not compared"} == {"latency", "timing"}


def test_of_an_interrupted_result_what_there_was(older: Path) -> None:
    result = Result.load(older)
    frames = {n: getattr(result, n) for n in ("density", "timeline", "latency", "counters")}
    frames = {
        n: frame[frame["allocator"] == "order1"] if "allocator" in frame else frame for n, frame in frames.items()
    }
    shutil.rmtree(older)
    Result(**frames, provenance=result.provenance | {"complete": False}).save(older)
    answer = command("--rerun", older)
    assert answer.exit_code == 0, answer.output
    assert "density: 2 rows identical" in answer.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"codecs": {}}', "tells no experiment"),
        (
            '{"experiment": {"alocators": []}, "traces": {"a": {"digest": "0"}}}',
            "unknown key alocators (did you mean allocators?)",
        ),
        ('{"experiment": {"traces": ["gcc"]}, "traces": {"gcc": 3}}', "gcc has no digest"),
        ('{"experiment": {"traces": ["gcc"]}, "traces": {"gcc": {"digest": "0"}}}', "the one there is now has"),
        (
            '{"experiment": {"timing": true, "costs": "no.toml"}, "traces": {"a": {"digest": "0"}}}',
            "give it as --costs",
        ),
        (
            '{"experiment": {"timing": {"codec_costs": ["no.toml"]}}, "traces": {"a": {"digest": "0"}}}',
            "give it as --codec-costs",
        ),
        (
            '{"experiment": {"timing": {"swap_devices": ["no.toml:x"]}}, "traces": {"a": {"digest": "0"}}}',
            "give it as --swap-device",
        ),
    ],
)
def test_a_provenance_that_tells_too_little(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "density.csv").write_text("trace,frontend,compressor,allocator\n")
    (tmp_path / MARK).write_text(text)
    answer = command("--rerun", tmp_path)
    assert (answer.exit_code, answer.stdout, answer.stderr.count("\n")) == (2, "", 1)
    assert said in answer.stderr


def test_a_provenance_from_before_experiments_had_parts(older: Path) -> None:
    about = json.loads((older / MARK).read_text())["experiment"]
    timing = Timing().describe()
    timing["devices"] = timing.pop("swap_devices")
    one = {"cpu_scale": 1.0, "max_comp_streams": None, "costs": None, "codec_costs": None}
    flat = {key: about[key] for key in ("traces", "allocators", "compressors", "frontends")}
    flat |= {"zone_pages": 100, "unusable": 0.5, "seed": 3, "timing": False} | timing | one
    told(older, experiment=flat)
    for name in ("density", "timeline", "counters"):  # nor had their frames columns for these
        frame = pd.read_csv(older / f"{name}.csv").drop(columns=["zone_pages", "unusable", "seed"])
        frame.to_csv(older / f"{name}.csv", index=False)
    told(older, files={})
    answer = command("--rerun", older, "--json")
    assert answer.exit_code == 0, answer.output
    assert verdicts(answer)["density"] == "identical"
    assert command("--rerun", older, "--cpus", 4).exit_code == 2


def test_options_that_the_provenance_tells(older: Path) -> None:
    assert "the provenance sets --allocator" in command("--rerun", older, "-a", "zbud").stderr
    assert "is no file" in command("--rerun", older / "nothing").stderr


def test_a_recipe_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('events = 300\n[contents.lib]\nkind = "sizes"\nsizes = "usr-lib"\n[[patterns]]\nkind = "zipf"\n')
    specs = (str(recipe), f"recipe:file={recipe},seed=2")
    out = run(Experiment(specs, allocators=("zbud",), compressors=("lz4",))).save(tmp_path / "out")
    about = json.loads((out / MARK).read_text())
    assert about["experiment"]["traces"] == ["mine.toml", "recipe:file=mine.toml,seed=2"]
    assert str(tmp_path) not in (out / MARK).read_text()
    monkeypatch.chdir(tmp_path)
    assert command("--rerun", out).exit_code == 0
    recipe.unlink()
    gone = command("--rerun", out)
    assert gone.exit_code == 2
    assert "give the trace itself as TRACE" in gone.output
