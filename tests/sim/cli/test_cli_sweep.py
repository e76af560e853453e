"""`cswap sweep`: rows, files, what is refused, and how it goes on after it was killed."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_kit import process, refused, run

from sim import Result
from sim.interrupts import INTERRUPTED

PLAIN = """\
traces = ["random:events=400,slots=100,pages=60"]
allocators = ["zbud", "zsmalloc:chain=4..5"]
compressors = ["lz4"]
[memory]
pages = [40, 60]
"""
FAILING = """\
traces = ["random:events=400,slots=100,pages=60"]
allocators = ["zblock", "zbud"]
compressors = ["lz4"]
page_sizes = [8192]
[memory]
pages = [30]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.toml").write_text(PLAIN)
    (tmp_path / "failing.toml").write_text(FAILING)
    return tmp_path


def test_its_rows_are_those_of_the_cells_and_a_failure_is_one(folder: Path) -> None:
    told = run("sweep", "failing.toml", "--out", "out", "--json")
    assert told.exit_code == 1
    assert told.stderr.startswith("cswap: random, zram, lz4, zblock: zblock: version=vmalloc has tables for pages of")
    assert told.stderr.count("\n") == 1
    rows = json.loads(told.stdout)
    assert [*rows[0]] == ["digest", "trace", "frontend", "compressor", "allocator", "zone_pages", "seconds", "error"]
    assert [(row["allocator"], row["zone_pages"], bool(row["error"])) for row in rows] == [
        ("zblock", 30, True),
        ("zbud", 30, False),
    ]
    assert {f"{row['digest']}.json" for row in rows} == {path.name for path in (folder / "out" / "cells").iterdir()}
    assert (folder / "out" / "result" / "density.png").exists()
    again = run("sweep", "failing.toml", "--out", "out", "--csv").stdout
    assert [row["digest"] for row in csv.DictReader(io.StringIO(again))] == [row["digest"] for row in rows]
    assert (folder / "out" / "cells.csv").read_text().splitlines() == again.splitlines()
    shown = run("sweep", "failing.toml", "--out", "out").stdout
    assert shown.startswith("2 cells, 1 failed: out/cells.csv; joined in out/result\n")
    assert len(Result.load("out").density) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing.toml", "--out", "out"), "nothing.toml"),
        (("plain.toml",), "Missing option '--out'"),
        (("plain.toml", "--out", "."), "holds other files, such as failing.toml, and no sweep"),
        (("plain.toml", "--out", "plain.toml"), "is a file; give another --out"),
        (("plain.toml", "--out", "out", "--json", "--csv"), "--json and --csv: give one of them"),
        (("plain.toml", "--out", "out", "--workers", "0"), "--workers"),
        (("plain.toml", "--out", "out", "--workers", "2", "--dask", "tcp://a:1"), "--workers has no effect with"),
        (("plain.toml", "--out", "/proc/out"), "/proc: no folder can be made there; give another folder as --out"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(words: tuple[str, ...], said: str, folder: Path) -> None:
    assert said in refused("sweep", *words)
    assert not (folder / "out").exists()


def test_a_wrong_model_is_told_before_anything_is_done(folder: Path) -> None:
    (folder / "plain.toml").write_text(PLAIN.replace('"zbud"', '"zbad"'))
    assert "unknown allocator 'zbad' (did you mean zbud?)" in refused("sweep", "plain.toml", "--out", "out")
    assert not (folder / "out").exists()


def test_without_a_file_the_help_is_shown() -> None:
    assert "FILE.toml" in run("sweep").stdout


def test_interrupted_then_killed_it_repeats_nothing(folder: Path) -> None:
    sizes = ", ".join(map(str, range(4000, 4012)))
    text = (
        PLAIN.replace(', "zsmalloc:chain=4..5"', "")
        .replace("events=400,slots=100", "events=60000,slots=4000")
        .replace("40, 60", sizes)
    )
    (folder / "plain.toml").write_text(text)
    cells = folder / "out" / "cells"

    def stamps() -> dict[str, tuple[int, int]]:
        there = [path for path in cells.glob("*.json") if not path.name.startswith(".")]
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in there}

    def until(many: int, number: int) -> subprocess.Popen[str]:
        sweeping = process("sweep", "plain.toml", "--out", "out", "--workers", "1", "--json")
        end = time.monotonic() + 60
        while len(stamps()) < many:
            assert sweeping.poll() is None, sweeping.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)
        sweeping.send_signal(number)
        return sweeping

    interrupted = until(3, signal.SIGINT)
    said = interrupted.communicate()[1]
    first = stamps()
    assert interrupted.returncode == INTERRUPTED
    assert said == (f"cswap: interrupted; {len(first)} of 12 cells are kept, and the same command goes on from there\n")
    killed = until(len(first) + 3, signal.SIGKILL)
    killed.communicate()
    second = stamps()
    assert {name: second[name] for name in first} == first
    ended = run("sweep", "plain.toml", "--out", "out", "--json")
    assert ended.exit_code == 0
    rows = json.loads(ended.stdout)
    last = stamps()
    assert len(rows) == len(last) == 12
    assert {name: last[name] for name in second} == second
