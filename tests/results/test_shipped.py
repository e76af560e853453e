"""Shipped results can be loaded and plotted, and the published latencies follow from what lies beside them."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from typer.testing import CliRunner

from sim import Experiment, Result
from sim.cli import app
from workloads import open_sample

RESULTS = Path(__file__).parents[2] / "results"
PUBLISHED = RESULTS / "latency-published"
FRAGMENTATION = RESULTS / "fragmentation"
BLOCKS = ("order1", "zblock:version=v2", "zblock:version=v4")  # of several adjacent pages
STUDIES = {
    "2012-thread",
    "fragmentation",
    "latency-live",
    "published",
    "ram",
    "units",
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


def test_the_default_comparison_is_the_shipped_one() -> None:
    density = Result.load(RESULTS / "density").density
    default = Experiment()
    for name, column in (("allocators", "allocator"), ("traces", "trace")):
        assert tuple(density[column].drop_duplicates()) == getattr(default, name)
    assert [codec.partition(":")[0] for codec in density["compressor"].drop_duplicates()] == [*default.compressors]


def test_a_picture_that_is_not_of_the_frames_does_not_stay(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "density", tmp_path / "out")
    (tmp_path / "out" / "latency-load.png").write_bytes(b"of an older result")
    Result.load(tmp_path / "out").save_plots(tmp_path / "out")
    assert not (tmp_path / "out" / "latency-load.png").exists()


def made(folder: Path = PUBLISHED) -> ModuleType:
    spec = importlib.util.spec_from_file_location(folder.name, folder / "make.py")
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


def assert_close(one: pd.DataFrame, other: pd.DataFrame, rtol: float = 1e-6) -> None:
    """Equal, but for what another release of a library rounds otherwise."""
    pd.testing.assert_frame_equal(one, other, rtol=rtol)


def test_refusals_under_fragmentation_are_those_that_are_told() -> None:
    refused = pd.read_csv(FRAGMENTATION / "refused.csv")
    told = (FRAGMENTATION / "README.md").read_text()
    share = refused.pivot_table("refused_share", "unusable", "allocator")
    third = refused.drop_duplicates("unusable").set_index("unusable")["unusable_order_3"]
    for index in (0.2, 0.5, 0.8, 1.0):
        cells = [f"{index:g}", f"{third[index]:.2f}".removesuffix(".00")]
        cells += [f"{share.loc[index, name]:.1%}".replace("%", " %") for name in BLOCKS]
        assert f"| {' | '.join(cells)} | 0 |" in told
    assert (share.drop(columns=[*BLOCKS]) == 0).all(axis=None)
    whole = refused[refused["unusable"] == 0].pivot_table("density", "trace", "allocator")
    apart = whole[[*BLOCKS]].div(whole["zsmalloc"], axis=0)
    least, most = apart[[*BLOCKS[1:]]].min(axis=None), apart[[*BLOCKS[1:]]].max(axis=None)
    pairs = "{:.2f} to {:.2f}".format(*apart["order1"].agg(["min", "max"]))
    said = f"{least:.2f} to {most:.2f} objects per page for one of zsmalloc's, order1 {pairs}"
    assert said in " ".join(told.split())


def test_zblock_over_time_is_what_is_told() -> None:
    moments = pd.read_csv(FRAGMENTATION / "moments.csv")
    told = (FRAGMENTATION / "README.md").read_text()
    density = moments.pivot_table("density", ["trace", "moment"], "allocator", sort=False)
    traces = ("gcc", "pandas", "redis", "node")
    for version, name in {"vmalloc": "zblock", "v4": "zblock:version=v4", "v2": "zblock:version=v2"}.items():
        ratio = density[name] / density["zsmalloc"]
        means = ratio.xs("mean", level="moment")
        assert f"| {version}, mean" in told
        assert " | ".join(f"{means[trace]:.2f}" for trace in traces) + " |" in told
        ends = ratio.drop("mean", level="moment").groupby("trace").agg(["min", "max"])
        assert " | ".join("{:.2f} to {:.2f}".format(*ends.loc[trace]) for trace in traces) + " |" in told
    fourth = (density["zblock"] / density["zsmalloc:chain=4"]).xs("mean", level="moment")
    assert "chain 4 | " + " | ".join(f"{fourth[trace]:.2f}" for trace in traces) + " |" in told


@pytest.mark.slow
def test_refusals_and_moments_are_made_again() -> None:
    study = made(FRAGMENTATION)
    for name, make in {"refused": study.fragmented, "moments": study.moments}.items():
        kept = pd.read_csv(FRAGMENTATION / f"{name}.csv")
        mine = make("gcc").astype(kept.dtypes.to_dict())
        assert_close(mine, kept[kept["trace"] == "gcc"].reset_index(drop=True), rtol=1e-5)


@pytest.mark.slow
def test_the_study_of_units_is_made_again() -> None:
    """Of one sample: all of them take a minute."""
    study = made(RESULTS / "units")
    study.REPEATS = 1  # its times are not compared
    key = ["trace", "codec", "unit"]
    new = study.units(open_sample("pandas"), "pandas-sample").set_index(key).sort_index()
    shipped = pd.read_csv(RESULTS / "units" / "units.csv").set_index(key).sort_index().loc[["pandas-sample"]]
    ours = [column for column in shipped if not column.endswith(("_us", "_s", "_s_percent"))]
    pd.testing.assert_frame_equal(new[ours], shipped[ours], rtol=1e-4, check_dtype=False)


def test_blocks_take_no_more_time_than_single_pages() -> None:
    """Fewer bytes come of the same data: times far apart would be those of a disturbed machine."""
    blocks = pd.read_csv(RESULTS / "units" / "blocks.csv").query("~codec.str.startswith('published')")
    for part in ("compress", "decompress"):
        assert blocks[f"{part}_s_percent"].between(60, 110).all()
    assert blocks["bytes_percent"].between(80, 100).all()
