"""The page of a result: whole in itself, safe whatever a trace is called, and readable without pictures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from sim import Experiment, Result, Timing, run
from sim.errors import UserError
from sim.report import page, write_page
from sim.report.pictures import TITLES, _of
from sim.report.table import MOST_ROWS, Cell, Table, row
from sim.results.saving import PICTURES

HOSTILE = "<script>alert('1')</script>\"'&amp;\u202e\x1bürés</style><!--{{ 7 * 7 }}"
VOID = {"meta", "img", "br", "link", "base", "input"}


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []
        self.said = ""
        self.feed(text)
        self.close()
        assert not self.open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data

    def values(self, tag: str, name: str) -> list[str | None]:
        return [value for found, key, value in self.attributes if (found, key) == (tag, name)]


@pytest.fixture(scope="module")
def result() -> Result:
    timing = Timing(arrivals=("saturate",), cpus=(1, 2))
    return run(
        Experiment(
            ("random:events=400,slots=80,pages=30",),
            compressors=("lz4",),
            allocators=("zsmalloc", "zbud"),
            timing=timing,
        )
    )


@pytest.fixture(scope="module")
def text(result: Result) -> str:
    return page(result)


@pytest.fixture(scope="module")
def judged(result: Result) -> Result:
    return renamed(result, HOSTILE)


@pytest.fixture(scope="module")
def hostile(judged: Result) -> str:
    return page(judged, title=HOSTILE)


def renamed(result: Result, name: str) -> Result:
    """The result with its trace called so everywhere, its pool large enough to be judged."""
    frames = {
        key: frame.assign(trace=name)
        for key in ("density", "timeline", "latency", "sizes", "classes")
        if len(frame := getattr(result, key))
    }
    frames["density"]["small"] = False
    about = result.provenance | {"traces": {name: next(iter(result.provenance["traces"].values()))}}
    return replace(result, provenance=about, **frames)


def bare(result: Result) -> Result:
    """Densities alone."""
    names = ("timeline", "latency", "counters", "timing", "sizes", "classes")
    return replace(result, **dict.fromkeys(names, pd.DataFrame()), provenance={"complete": False})


def test_it_needs_nothing_else_and_runs_nothing(result: Result, text: str) -> None:
    found = Page(text)
    assert not found.tags.keys() & {"script", "link", "iframe", "object", "base", "form"}
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in ("src", "href"):
            assert value is not None
            assert value.startswith(("data:image/png;base64,", "#")), value[:40]
    assert found.tags["img"] == len(result.plots())
    assert "default-src 'none'" in str(found.values("meta", "content"))


def test_names_are_texts_whatever_stands_in_them(hostile: str) -> None:
    found = Page(hostile)
    assert found.tags["script"] == 0
    assert found.tags["style"] == 1
    assert found.said.count("<script>alert('1')</script>\"'&amp;\\u202e\\x1bürés</style><!--{{ 7 * 7 }}") >= 4
    assert "\u202e" not in hostile
    assert "\x1b" not in hostile


def test_it_can_be_read_aloud(text: str) -> None:
    found = Page(text)
    assert found.tags["h1"] == 1
    assert found.values("html", "lang") == ["en"]
    assert len(found.values("th", "scope")) == found.tags["th"]
    alts = found.values("img", "alt")
    assert len(alts) == found.tags["img"]
    assert all(alt and "zsmalloc, zbud" in alt for alt in alts)
    for part in found.values("a", "href"):
        assert part is not None
        assert part[1:] in found.values("section", "id")


def test_figures_are_those_of_the_frames(judged: Result, hostile: str) -> None:
    said = Page(hostile).said
    density = judged.density.set_index("allocator")["density"]
    assert all(f"{density[name]:.2f}" in said for name in ("zsmalloc", "zbud"))
    totals = judged.latency[(judged.latency["part"] == "total") & (judged.latency["operation"] == "page-in")]
    assert all(f"{us:,.1f}" in said for us in totals["p99_us"])
    assert judged.provenance["traces"][HOSTILE]["digest"] in said
    assert "cswap run --rerun provenance.json" in said


def test_every_picture_has_a_title() -> None:
    assert TITLES.keys() == set(PICTURES)


def test_of_a_result_that_is_not_whole_it_says_what_there_is(result: Result) -> None:
    found = Page(page(bare(result)))
    assert "Unfinished" in found.said
    assert found.tags["img"] == 1


def test_densities_may_be_missing(result: Result) -> None:
    assert "zbud" in Page(page(replace(result, density=pd.DataFrame()))).said
    none = dict.fromkeys(("density", "timeline", "latency", "ram", "sizes", "classes"), pd.DataFrame())
    assert _of(replace(result, **none)) == "", "nothing is there that could be named"


def test_failed_cells_are_told_with_their_errors(result: Result) -> None:
    failed = [
        {"cell": "ab", "trace": HOSTILE, "allocator": "zblock", "zone_pages": None, "error": "zblock: no <b>table"}
    ]
    text = page(replace(result, provenance=result.provenance | {"failed": failed}))
    found = Page(text)
    assert "1 of the sweep's combinations failed" in found.said
    assert "zblock: no <b>table" in found.said
    assert "#failed" in found.values("a", "href")
    assert found.tags["script"] == 0
    for none in ([], None, 3, ["x"]):
        assert "combinations failed" not in page(replace(result, provenance=result.provenance | {"failed": none}))


def test_long_tables_say_what_is_left_out() -> None:
    table = Table("t", ["n"], [[Cell(str(n))] for n in range(MOST_ROWS + 7)], 1)
    assert (len(table.shown), table.left_out) == (MOST_ROWS, 7)


def test_the_best_figures_of_a_row_are_marked_unless_all_are() -> None:
    assert [cell.best for cell in row(["k"], [2.001, 2.0, 1.0, None], best=2.001)] == [False, True, True, False, False]
    assert not any(cell.best for cell in row(["k"], [2.0, 2.0, None], best=2.0))


def test_it_replaces_reports_and_nothing_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.html"
    write_page(text, file)
    write_page(text + "\n", file)
    assert file.read_text() == text + "\n"
    file.write_text("<p>my own page</p>")
    with pytest.raises(UserError, match="is no report of cswap"):
        write_page(text, file)
    assert file.read_text() == "<p>my own page</p>"
    write_page(text, file, force=True)
    assert file.read_text() == text
    with pytest.raises(UserError, match="is a folder"):
        write_page(text, tmp_path, force=True)
    with pytest.raises(UserError, match="is no folder"):
        write_page(text, tmp_path / "none" / "report.html")
    assert list(tmp_path.iterdir()) == [file], "nothing is left beside it"
