"""Shipped results can be loaded and plotted, and the published latencies follow from what lies beside them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from typer.testing import CliRunner

from sim import Result
from sim.cli import app

RESULTS = Path(__file__).parents[2] / "results"
PUBLISHED = RESULTS / "latency-published"
STUDIES = {
    "latency-live",
    "ram",
}  # tables of many runs and recordings, with a provenance of their own: no result that a run wrote
SHIPPED = sorted(path.name for path in RESULTS.iterdir() if path.is_dir() and path.name not in STUDIES)


@pytest.mark.parametrize("name", SHIPPED)
def test_it_can_be_loaded_and_plotted(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(RESULTS / name, folder)
    before = {path.name for path in folder.glob("*.png")}
    result = Result.load(folder)
    assert result.provenance["complete"]
    answer = CliRunner().invoke(app, ["plot", str(folder)], prog_name="cswap")
    assert (answer.exit_code, answer.stderr) == (0, "")
    written = {Path(line).name for line in answer.stdout.splitlines()}
    assert written
    assert {path.name for path in folder.glob("*.png")} == before | written


def test_a_picture_that_is_not_of_the_frames_does_not_stay(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "density", tmp_path / "out")
    (tmp_path / "out" / "latency-load.png").write_bytes(b"of an older result")
    Result.load(tmp_path / "out").save_plots(tmp_path / "out")
    assert not (tmp_path / "out" / "latency-load.png").exists()


def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("published", PUBLISHED / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_published_latencies_are_made_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made().main(tmp_path)
    capsys.readouterr()
    for name in ("page_cluster.csv", "mapping.csv", "faults.csv", "latency.csv"):
        assert_close(pd.read_csv(tmp_path / name), pd.read_csv(PUBLISHED / name))
    assert (tmp_path / "published.png").stat().st_size > 10_000
    docs = (RESULTS.parent / "docs" / "calibration.md").read_text()
    rows = pd.read_csv(PUBLISHED / "page_cluster.csv")
    rows = rows[rows["way"] == "one request"]
    faults = pd.read_csv(PUBLISHED / "faults.csv")
    for (codec, operation), said in SAID.items():
        mine = faults[faults["operation"] == operation] if operation else rows
        percent = (100 * (mine.loc[mine["codec"] == codec, "scaled_by_published"] - 1)).abs().round()
        least, most = int(percent.min()), int(percent.max())
        told = said.format(most if "within" in said or least == most else f"{least} to {most}")
        assert " ".join(told.split()) in " ".join(docs.split()), f"docs/calibration.md says something else than: {told}"


SAID = {
    ("lz4", ""): "lz4 within {} %",
    ("lzo-rle", ""): "lzo-rle {} % below",
    ("lzo", ""): "lzo {} % below",
    ("zstd", ""): "zstd {} % below",
    ("lzo", "page-in"): "lzo's page-ins are then {} % below",
    ("lz4", "page-out"): "page-outs with lz4 {} %",
    ("lzo", "page-out"): "and with lzo {} %",
    ("zstd", "page-in"): "zstd's page-ins {} %",
    ("zstd", "page-out"): "and page-outs {} %. Why",
}


def test_live_latencies_are_told_as_measured() -> None:
    spec = importlib.util.spec_from_file_location("live", RESULTS / "latency-live" / "make.py")
    assert spec
    assert spec.loader
    spec.loader.exec_module(live := importlib.util.module_from_spec(spec))
    tables = live.tables().splitlines()
    assert len(tables) > 4 * 8
    docs = (RESULTS.parent / "docs" / "calibration.md").read_text().splitlines()
    assert set(tables) <= set(docs)


def assert_close(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Equal, but for what another release of a library rounds otherwise."""
    pd.testing.assert_frame_equal(one, other, rtol=1e-6)
