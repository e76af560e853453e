"""What is given as a trace and is none: the line says what it is, and the command for it."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from sim.errors import UserError
from sim.experiment.inputs import open_input, open_inputs
from workloads.samples import FOLDER

EVENTS = "ts_ns,kind,pid,slot,page\n0,out,1,1,0\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("misplaced")
    for name in ("b", "a"):
        shutil.copytree(FOLDER / "gcc.cswap", folder / "traces" / f"{name}.cswap")
    (folder / "events.csv").write_text(EVENTS)
    (folder / "without-suffix").write_text(EVENTS)
    (folder / "packed.csv.gz").write_bytes(gzip.compress(EVENTS.encode()))
    (folder / "pages.bin").write_bytes(bytes(8192))
    (folder / "e.toml").write_text("traces = ['gcc']\n")
    (folder / "frame.parquet").write_bytes(b"PAR1")
    (folder / "sequence.txt").write_text("a 1 100\ns\n")
    (folder / "result").mkdir()
    (folder / "result" / "provenance.json").write_text("{}")
    (folder / "empty").mkdir()
    return folder


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("events.csv", "is CSV, not a trace; make one with `cswap import csv "),
        ("without-suffix", "is CSV, not a trace; make one with `cswap import csv "),
        ("packed.csv.gz", "-o packed.cswap`"),
        ("pages.bin", "if it is a dump, a core, a block trace..., make one with `cswap import "),
        ("e.toml", "give an experiment as --experiment "),
        ("frame.parquet", "make one by Trace.from_dataframe"),
        ("sequence.txt", "use `cswap ops "),
        ("result", "is a result, not a trace; redraw it with `cswap plot`"),
        ("empty", "holds no trace; give a folder NAME.cswap, or one with such folders in it"),
        ("traces/a.cswap/events.parquet", "is a part of a trace; give the folder "),
        ("traces/a.cswap/trace.json", "is a part of a trace; give the folder "),
        ("traces/a.cswp", "(did you mean "),
    ],
)
def test_what_it_is_is_said(place: Path, name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        open_inputs(str(place / name))
    assert str(caught.value).startswith(f"{place / name}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_of_traces_stands_for_them(place: Path) -> None:
    found = open_inputs(str(place / "traces"))
    assert [trace.path for trace in found] == [place / "traces" / "a.cswap", place / "traces" / "b.cswap"]
    with pytest.raises(UserError, match="holds 2 traces; give one of them: "):
        open_input(str(place / "traces"))
