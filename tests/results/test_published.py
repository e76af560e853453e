"""Published figures: the tables follow from the modules, the README's table from them, and its text says the same."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from allocators.zspages.zsmalloc import Zsmalloc

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
LONG = ("histograms", "xvmalloc", "chains")  # make.py makes them too


@pytest.fixture(scope="module")
def tables() -> Iterator[Any]:
    """Load the modules by name as `make.py` does."""
    sys.path.insert(0, str(PUBLISHED))
    yield lambda name: importlib.import_module(f"published_tables.{name}")
    sys.path.remove(str(PUBLISHED))


@pytest.fixture(scope="module")
def made(tables: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location("published_figures", PUBLISHED / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped(table: str, folder: Path = PUBLISHED) -> pd.DataFrame:
    return pd.read_csv(folder / f"{table}.csv", dtype={"era": str})


def readme() -> str:
    return re.sub(r"\s+", " ", (PUBLISHED / "README.md").read_text())


def test_tables_are_made_again(made: ModuleType, tmp_path: Path) -> None:
    assert set(made.TABLES) == {path.stem for path in PUBLISHED.glob("*.csv")} - {"dumps", "published", "lzo_rle_speed"}
    for table in sorted(made.TABLES.keys() - set(LONG)):
        made.TABLES[table]().to_csv(tmp_path / f"{table}.csv", index=False, float_format="%.5g")
        pd.testing.assert_frame_equal(shipped(table, tmp_path), shipped(table), rtol=1e-4, obj=table)


def test_the_figures_are_those_of_the_tables(tables: Any, tmp_path: Path) -> None:
    tables("figures").figures(PUBLISHED).to_csv(tmp_path / "published.csv", index=False, float_format="%.9g")
    pd.testing.assert_frame_equal(shipped("published", tmp_path), shipped("published"))


def test_the_readme_has_the_table_of_the_figures(tables: Any) -> None:
    frame = shipped("published")
    text = (PUBLISHED / "README.md").read_text()
    assert tables("table").with_table(text, frame) == text
    frame.loc[3, "simulated"] += 0.01 * frame.loc[3, "simulated"]
    assert tables("table").with_table(text, frame) != text


def test_every_published_set_has_figures_and_a_paragraph() -> None:
    names = [f"P{n}" for n in range(1, 21)]
    assert shipped("published")["id"].unique().tolist() == names
    told = re.findall(r"\*\*(P[P\d, ]+)\.\*\*", (PUBLISHED / "README.md").read_text())
    assert sorted(", ".join(told).split(", ")) == sorted(names)


@pytest.mark.parametrize(
    ("simulated", "unit", "basis", "neutral", "verdict"),
    [
        (1.099, "x", "other", None, "reproduced"),
        (1.11, "x", "other", None, "differs"),
        (1.11, "x", "other", 0.9, "same sign"),
        (0.85, "x", "other", 0.9, "differs"),
        (1.24, "%", "described", None, "reproduced"),
        (1.26, "%", "described", None, "differs"),
        (1.02, "%", "data", None, "differs"),
        (1.009, "x", "data", None, "reproduced"),
        (1.0, "x", "fitted", None, "fitted"),
        (1.0, "x", "input", None, "input"),
        (None, "x", "other", None, "not reproducible"),
    ],
)
def test_verdicts(
    simulated: float | None, unit: str, basis: str, neutral: float | None, verdict: str, tables: Any
) -> None:
    told = {"id": "P1", "quantity": "", "item": "", "ours": "", "published": 1.0}
    figure = tables("figure_row").Figure(**told, unit=unit, simulated=simulated, basis=basis, neutral=neutral)
    assert figure.row()["verdict"] == verdict


@pytest.mark.parametrize(("simulated", "verdict"), [(11.9, "reproduced"), (12.1, "differs")])
def test_two_points_count_only_where_they_are_more_than_a_tenth(simulated: float, verdict: str, tables: Any) -> None:
    told = {"id": "P1", "quantity": "", "item": "", "ours": "", "unit": "%", "basis": "other"}
    assert tables("figure_row").Figure(**told, published=10.0, simulated=simulated).verdict() == verdict


def test_an_unknown_table_is_told_in_one_line(made: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"make.py: there is no table chain; there are kmalloc, .*lzo_rle_speed$"):
        made.main(["chain"])


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
    limits = cuts.set_index(["era", "chain"])["largest_that_gains"]
    for chain in (8, 16):
        assert f"{limits['6.12', chain]:,}" in readme()


def chains(workload: str, rule: str, way: str) -> str:
    rows = shipped("chains")
    rows = rows[(rows["workload"] == workload) & (rows["rule"] == rule) & (rows["way"] == way)]
    four, eight, sixteen = rows[rows["codec"] == "lzo-rle"].sort_values("chain")["percent"]
    return f"{four:.2f}, {eight:.2f} and {sixteen:.2f} %"


def test_the_readme_says_what_the_tables_say() -> None:
    text = readme()
    assert chains("kernel compile", "percent", "published").replace(" %", "").split(" and ")[1] in text
    for way in (("gcc", "percent", "many"), ("gcc", "percent", "filled"), ("gcc", "percent", "fullest")):
        assert chains(*way) in text, way
    assert chains("gcc", "waste", "many") in text
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
    found = shipped("histograms").set_index(["histogram", "allocator"])
    chain_4, chain_8, zbud, ideal = (
        found.loc[("/usr/lib", a), "density"] for a in ("zsmalloc:era=6.1", "zsmalloc", "zbud", "ideal")
    )
    assert f"{chain_4:.2f} with chain 4, {chain_8:.2f} with 8, {zbud:.2f} in zbud, {ideal:.2f} ideal" in text
    book = [found.loc[("Gutenberg", a), "density"] for a in ("zsmalloc:era=6.1", "zsmalloc", "zbud", "ideal")]
    many = found.loc[("Gutenberg", "zsmalloc"), "many"]
    assert "{:.2f}, {:.2f}, {:.2f} and {:.2f}, and {:.2f} for chain 8".format(*book, many) in text
    huge = shipped("huge")
    assert (huge["pages"] == huge["published_pages"]).all()
    assert "{:,} and {:,} pages, as published".format(*huge["pages"]) in text


def test_the_readme_tells_small_pools_and_small_objects() -> None:
    text = readme()
    pools = shipped("small_pools").set_index(["mean", "way", "pool"])
    apart = pools["density"] / pools["published"] - 1
    assert abs(apart[694, "replayed", 512]) < 0.01
    assert (apart[[(1340, "replayed", 1024), (1636, "replayed", 1024)]].abs() < 0.02).all()
    assert "A pool of 512 pages gives his first figure, one of 1,024 the other two" in text
    lost = 1 - pools.xs(("replayed", 0), level=("way", "pool"))["density"] / pools.xs("filled", level="way")[
        "density"
    ].droplevel("pool")
    assert (lost.min().round(1), lost.max()) == (0.1, pytest.approx(1 / 6, abs=0.01))
    sizes = shipped("compaction")["object_bytes"].unique()
    assert "LZO makes {} and {} bytes of".format(*sizes) in text
    rle = shipped("lzo_rle").set_index("zeros")
    assert rle.loc[["75 to 90 %", "90 to 100 %"], "more_percent"].round().tolist() == pytest.approx([5, 5], abs=1)
    assert f"one page of the others {rle.loc['all', 'worst_page_percent']:.0f} %" in text
