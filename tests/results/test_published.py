"""Published densities: the tables follow from the script, and the README says what they say."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from allocators.zspages.zsmalloc import Zsmalloc

RESULTS = Path(__file__).parents[2] / "results"
PUBLISHED = RESULTS / "published"
TABLES = sorted(path.stem for path in PUBLISHED.glob("*.csv") if path.stem != "dumps")
QUICK = ("kernel_build", "huge", "slots", "cuts")


@pytest.fixture(scope="module")
def made() -> ModuleType:
    spec = importlib.util.spec_from_file_location("published_densities", PUBLISHED / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped(table: str, folder: Path = PUBLISHED) -> pd.DataFrame:
    return pd.read_csv(folder / f"{table}.csv", dtype={"era": str})


@pytest.mark.parametrize("table", QUICK)
def test_a_table_is_made_again(table: str, made: ModuleType, tmp_path: Path) -> None:
    getattr(made, table)().to_csv(tmp_path / f"{table}.csv", index=False, float_format="%.5g")
    pd.testing.assert_frame_equal(shipped(table, tmp_path), shipped(table))


@pytest.mark.slow
def test_all_tables_are_made_again(made: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.main(tmp_path)
    capsys.readouterr()
    assert sorted(path.stem for path in tmp_path.glob("*.csv")) == TABLES
    for table in TABLES:
        pd.testing.assert_frame_equal(shipped(table, tmp_path), shipped(table), rtol=1e-4)
    about, kept = (json.loads((folder / "provenance.json").read_text()) for folder in (tmp_path, PUBLISHED))
    assert [about[key] for key in ("recordings", "samples")] == [kept[key] for key in ("recordings", "samples")]


def test_the_published_classes_are_those_of_the_era() -> None:
    dumps = pd.read_csv(PUBLISHED / "dumps.csv")
    for chain, rows in dumps.groupby("chain"):
        ours = [c.size for c in Zsmalloc(era="2022", chain=int(chain)).classes if c.size >= 1168]
        assert rows["class_size"].tolist() == ours
    total = shipped("kernel_build").iloc[-1]
    assert abs(total["pages"] / total["published_pages"] - 1) < 0.0005


def test_no_era_ends_at_2990_bytes() -> None:
    cuts = shipped("cuts")
    assert (cuts["largest_that_gains"] > 3200).all()
    assert (cuts["its_takes_percent"] < 76).all()


def chains(workload: str, rule: str, way: str) -> str:
    rows = shipped("chains")
    rows = rows[(rows["workload"] == workload) & (rows["rule"] == rule) & (rows["way"] == way)]
    four, eight, sixteen = rows[rows["codec"] == "lzo-rle"].sort_values("chain")["percent"]
    return f"{four:.2f}, {eight:.2f} and {sixteen:.2f} %"


def test_the_readme_says_what_the_tables_say() -> None:
    text = re.sub(r"\s+", " ", (RESULTS / "README.md").read_text())
    ways = [("kernel compile", "percent", "published"), ("gcc", "percent", "many"), ("gcc", "percent", "filled")]
    for way in (*ways, ("gcc", "percent", "fullest"), ("gcc", "waste", "many")):
        assert chains(*way) in text, way
    total = shipped("kernel_build").iloc[-1]
    assert (
        f"take {total['pages']:,} pages; the table with chain 4, of another run, has {total['published_pages']:,}"
        in text
    )
    four = shipped("slots").query("workload == 'all four'").set_index("pool")["overall"]
    assert f"zbud {four['zbud']:.2f}, z3fold {four['z3fold']:.2f}, zsmalloc {four['zsmalloc']:.2f} overall" in text
    ours = shipped("pools").iloc[1:]
    for name in ("zbud", "z3fold"):
        column = ours[f"{name}_percent"]
        assert re.search(rf"{name} {column.min():.1f} to {column.max():.1f} %", text)
    found = shipped("histograms").set_index(["histogram", "allocator"])["density"]
    chain_4, chain_8, zbud, ideal = (found["/usr/lib", a] for a in ("zsmalloc:era=6.1", "zsmalloc", "zbud", "ideal"))
    assert f"{chain_4:.2f} with chain 4, {chain_8:.2f} with 8, {zbud:.2f} in zbud, {ideal:.2f} ideal" in text
    book = (found["Gutenberg", a] for a in ("zsmalloc:era=6.1", "zsmalloc", "zbud", "ideal"))
    assert "{:.2f}, {:.2f}, {:.2f} and {:.2f}".format(*book) in text
    steps = shipped("merging")
    published = steps["published_merged_percent"] / steps["published_percent"]
    ours = steps["merged_percent"] / steps["percent"]
    for less, told in ((published, "{:.0f} to {:.0f} % less overhead"), (ours, "ours {:.0f} to {:.0f} % less")):
        assert told.format(100 * (1 - less.max()), 100 * (1 - less.min())) in text
    cuts = shipped("cuts").set_index(["era", "chain"])["largest_that_gains"]
    for chain in (8, 16):
        assert f"{cuts['6.12', chain]:,}" in text
