"""`cswap trace`, `cswap import` and `cswap list`."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_kit import good, refused

from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS, GENERATORS, MAPPINGS, READERS
from sim.sizing.sizing import size_pages
from sim.timing.devices import device_profiles
from workloads import open_trace, recording_names, sample_names, sizes_path, write_sizes
from workloads.generators.contents import CONTENTS
from workloads.generators.patterns import PATTERNS
from workloads.generators.recipe import recipe_names
from workloads.samples import FOLDER

EVENTS = "ts_ns,kind,pid,slot,page\n0,out,1,0,0\n1,out0,1,1,\n2,in,1,0,\n3,free,1,0,\n"


def test_info() -> None:
    facts = json.loads(good("trace", "info", "gcc-sample", "--json"))
    keys = {"events", "out", "in", "free", "unique_pages", "page_size", "content"}
    assert keys <= facts.keys()
    assert facts["content"] is True
    assert json.loads(good("trace", "info", FOLDER / "gcc.cswap", "--json")) == facts | {"name": "gcc"}
    assert json.loads(good("trace", "info", "gcc", "--json"))["content"] is False
    text = good("trace", "info", "gcc-sample")
    assert f"{facts['unique_pages']:,} unique ones" in text
    assert "vmstat" not in text, "for the account of the recorder there is --full"
    outs = facts["source"]["vmstat"]["pswpout"]
    assert f"source: vmstat: pswpout: {outs}" in good("trace", "info", "gcc-sample", "--full").splitlines()
    made = json.loads(good("trace", "info", "uniform:events=50,slots=5,seed=3", "--json"))
    assert (made["events"], made["content"], made["source"]["seed"]) == (50, False, 3)


SCREEN = [
    *("gcc", "pandas", "redis", "node", "gcc-sample", "pandas-sample", "redis-sample", "node-sample"),
    *("bell:events=300", "uniform:events=50,slots=5", "random:events=200,slots=20,pages=20"),
]


@pytest.mark.parametrize("trace", SCREEN)
def test_info_is_one_screen(trace: str) -> None:
    lines = good("trace", "info", trace).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    for head in ("events", "time", "pages", "slots", "live slots", "page-outs", "contents", "compressed"):
        assert any(line.startswith(head) for line in lines), head


def test_info_of_nothing(tmp_path: Path) -> None:
    for number, rows in enumerate(("", "0,compact,1,0,\n", "0,in,1,7,\n1,lost,1,7,\n2,in,1,7,\n")):
        events, pages = files(tmp_path, "ts_ns,kind,pid,slot,page\n" + rows)
        folder = tmp_path / f"{number}.cswap"
        good("import", "csv", events, "--pages", pages, "-o", folder)
        assert all(len(line) <= 80 for line in good("trace", "info", folder, "-c", "lz4").splitlines())
        facts = json.loads(good("trace", "info", folder, "-c", "lz4", "--json"))
        assert facts["live"]["peak"] == 0
        assert facts["contents"]["duplicate"] == {"page_outs": 0, "share": None}
        assert good("trace", "info", folder, "--out", tmp_path / f"out-{number}")


def test_info_as_rows_and_files(tmp_path: Path) -> None:
    facts = json.loads(good("trace", "info", "redis-sample", "-c", "lz4", "--json"))
    assert list(facts["compressors"]) == ["lz4"]
    rows = dict(line.split(",", 1) for line in good("trace", "info", "redis-sample", "-c", "lz4", "--csv").splitlines())
    assert int(rows["live.peak"]) == facts["live"]["peak"]
    assert float(rows["compressors.lz4.mean_bytes"]) == facts["compressors"]["lz4"]["mean_bytes"]
    assert int(rows["by_task.0.page_outs"]) == facts["by_task"][0]["page_outs"]
    assert "give one of them" in refused("trace", "info", "redis-sample", "--json", "--csv")
    out = tmp_path / "out"
    written = good("trace", "info", "redis-sample", "-c", "lz4", "--out", out)
    for name in ("live.csv", "live.png", "lifetimes.png", "reuse.png", "sizes.png", "tasks.csv", "contents.csv"):
        assert str(out / name) in written.splitlines()
        assert (out / name).stat().st_size
    assert "is not cswap's" in (said := refused("trace", "info", "redis-sample", "--out", out)) or "holds" in said


def test_verify(tmp_path: Path) -> None:
    assert good("trace", "verify", "pandas-sample").startswith("pandas-sample: ok, ")
    copy = shutil.copytree(FOLDER / "pandas.cswap", tmp_path / "copy.cswap")
    assert good("trace", "verify", copy).startswith(f"{copy}: ok, ")
    with (copy / "pages.parquet").open("r+b") as file:
        file.seek(50_000)
        file.write(b"damaged")
    assert "pages.parquet" in refused("trace", "verify", copy)


def test_verify_makes_the_sizes_beside_contents_again(tmp_path: Path) -> None:
    copy = shutil.copytree(FOLDER / "pandas.cswap", tmp_path / "copy.cswap")
    sizes = size_pages(open_trace(copy), COMPRESSORS.make("lz4"))
    write_sizes(sizes_path(copy, "lz4"), sizes)
    write_sizes(sizes_path(copy, "lz6"), replace(sizes, meta={**sizes.meta, "codec": "lz6"}))
    first, last = good("trace", "verify", copy).splitlines()
    assert first == f"{copy}: sizes of 'lz6' not compared: this cswap has no such codec"
    assert last.startswith(f"{copy}: ok, ")
    sizes_path(copy, "lz6").unlink()
    for name, lie in (("size", 16), ("same_filled", True), ("zero_filled", True)):
        column = getattr(sizes, name).copy()
        column[7] = lie
        write_sizes(sizes_path(copy, "lz4"), replace(sizes, **{name: column}))
        line = refused("trace", "verify", copy)
        assert f"{sizes_path(copy, 'lz4')}: row 7: {name} is {column[7]}; of this page it is " in line
        assert line.endswith("; delete the file, it is not needed beside contents\n")
    older = replace(sizes, size=sizes.size + np.int32(1), meta={**sizes.meta, "version": "0"})
    write_sizes(sizes_path(copy, "lz4"), older)
    first, last = good("trace", "verify", copy).splitlines()
    assert first == f"{copy}: sizes of 'lz4' not compared: made by version '0', this is '1'"


def files(folder: Path, events: str = EVENTS, pages: int = 4096) -> tuple[Path, Path]:
    (folder / "e.csv").write_text(events)
    (folder / "p.bin").write_bytes(np.random.default_rng(0).bytes(pages))
    return folder / "e.csv", folder / "p.bin"


def test_import(tmp_path: Path) -> None:
    events, pages = files(tmp_path)
    out = tmp_path / "x.cswap"
    first, second = good("import", "csv", events, "--pages", pages, "-o", out).splitlines()
    assert (first, second) == (f"{out}: 4 events, 2 unique pages", "read as csv: events as CSV")
    assert open_trace(out).counts == {"out": 2, "in": 1, "free": 1, "compact": 0, "lost": 0}
    assert "x.cswap" in refused("import", "csv", events, "--pages", pages, "-o", out), "never overwritten"


IMPORT_ERRORS = {
    "kind": (EVENTS.replace("free", "fre"), 4096, "line 5"),
    "page": (EVENTS.replace("0,out,1,0,0", "0,out,1,0,9"), 4096, "page 9 does not exist"),
    "pages": (EVENTS, 4000, "has 4000 of 4096 bytes"),
    "empty": ("", 4096, "is empty"),
}


@pytest.mark.parametrize("case", IMPORT_ERRORS)
def test_import_errors(tmp_path: Path, case: str) -> None:
    text, size, message = IMPORT_ERRORS[case]
    events, pages = files(tmp_path, text, size)
    before = sorted(tmp_path.iterdir())
    assert message in refused("import", "csv", events, "--pages", pages, "-o", tmp_path / "x.cswap")
    assert sorted(tmp_path.iterdir()) == before, "nothing is left behind"


@pytest.mark.parametrize("command", ["info", "verify"])
@pytest.mark.parametrize(
    ("trace", "message"),
    [
        ("nothing", "there is no such trace; give a folder NAME.cswap or its URL, a shipped trace (gcc, node, "),
        ("no/where.cswap", "there is no such trace"),
        ("random:ratio=2", "ratio=2.0: is out of range"),
        ("random:ratio=high", "ratio=high is wrong; give a number"),
        ("random:colour=1", "unknown parameter colour; known are events=100000"),
        ("random:ratio", "'ratio' is no KEY=VALUE"),
        (str(Path(__file__)), "is a file, not a trace"),
        (str(Path(__file__).parent), "holds no trace"),
    ],
)
def test_traces_that_are_none(command: str, trace: str, message: str) -> None:
    assert message in refused("trace", command, trace)


def test_a_generator_has_nothing_to_verify() -> None:
    assert "nothing to verify" in refused("trace", "verify", "uniform:events=10")


def test_list() -> None:
    listed = json.loads(good("list", "--json"))
    expected = {
        "allocators": ALLOCATORS.names(),
        "compressors": COMPRESSORS.names(),
        "frontends": FRONTENDS.names(),
        "releases": [
            name for family in (ALLOCATORS, FRONTENDS) for name in family.names() for _ in family.find(name).releases
        ],
        "recordings": recording_names(),
        "samples": [f"{name}-sample" for name in sample_names()],
        "generators": GENERATORS.names(),
        "recipes": recipe_names(),
        "patterns": [*PATTERNS],
        "contents": [*CONTENTS],
        "readers": READERS.names(),
        "mappings": MAPPINGS.names(),
        "devices": [*device_profiles()],
    }
    assert {kind: [row["name"] for row in rows] for kind, rows in listed.items()} == expected
    assert all(row["about"] for rows in listed.values() for row in rows)
    zsmalloc = {"era": "6.12", "chain": 8, "bits": 64, "physmem_bits": None, "unit": 1}
    assert listed["allocators"][0]["parameters"] == zsmalloc
    assert listed["generators"][0]["parameters"]["page_size"] == 4096
    assert {"name": "zsmalloc", "parameters": {"era": "6.1"}, "about": "Linux 4.8 to 6.1"} in listed["releases"]
    assert any(row["about"].startswith("Linux 4.17 to 6.13; nearest, but ") for row in listed["releases"])
    table, lines = good("list"), good("list", "--csv").splitlines()
    assert all(name in table for members in expected.values() for name in members)
    assert len(lines) == 1 + sum(map(len, expected.values()))
    assert lines[1].startswith('allocator,zsmalloc,"era=6.12, chain=8, bits=64, physmem_bits, unit=1",')


def test_info_of_events_alone(tmp_path: Path) -> None:
    """Neither contents nor sizes are known, and which pages are equal is not either."""
    (tmp_path / "t.csv").write_text(
        "128166372003061629,usr,0,Write,4096,8192,1\n128166372003061630,usr,0,Read,4096,4096,1\n"
    )
    good("import", tmp_path / "t.csv", "-o", tmp_path / "t.cswap")
    facts = json.loads(good("trace", "info", tmp_path / "t.cswap", "--json"))
    assert [facts[key] for key in ("events", "out", "in", "slots", "content")] == [3, 2, 1, 2, False]
    assert facts["contents"]["duplicate"] == facts["contents"]["same_filled"] == {"page_outs": None, "share": None}
    assert facts["compressors"] == {}
    assert "compressed  unknown\n" in good("trace", "info", tmp_path / "t.cswap")
    assert (tmp_path / "t.cswap").exists()
    good("trace", "info", tmp_path / "t.cswap", "--out", tmp_path / "out")
    assert (tmp_path / "out" / "live.png").exists()
