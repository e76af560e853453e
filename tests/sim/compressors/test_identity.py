"""A compressor's identity changes with its code, and only with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.compressors.base import Compressor
from sim.compressors.identity import identity
from sim.plugins import COMPRESSORS

MODULE = """
from sim.compressors.base import Compressor
from squeezing import squeeze
import tables

CUT = 3

def help(page):
    return page[:CUT]

class Mine(Compressor):
    name = "mine"
    version = "1"
    seen = 0

    def compress(self, page):
        return squeeze(help(bytes(page)))[: tables.N]

    def decompress(self, data, size):
        return {1, 2, "a", "b"} and bytes(data)
"""
HELPER = "def squeeze(page):\n    return page\n"
TABLES = "N = 3\n"
SHOW = "import mine\nfrom sim.compressors.identity import identity\nprint(identity(mine.Mine()))"


def of_files(folder: Path, mine: str = MODULE, helper: str = HELPER, tables: str = TABLES, show: str = SHOW) -> str:
    for name, text in (("mine", mine), ("squeezing", helper), ("tables", tables)):
        (folder / f"{name}.py").write_text(text)
    path = os.pathsep.join((str(folder), str(Path(__file__).parents[3])))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "random"}
    command = [sys.executable, "-c", show]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_it_is_the_same_in_every_process_and_follows_helpers(tmp_path: Path) -> None:
    first = of_files(tmp_path)
    assert of_files(tmp_path) == first
    edits = (
        {"mine": MODULE.replace("CUT = 3", "CUT = 4")},
        {"mine": MODULE.replace("bytes(data)", "bytes(data[1:])")},
        {"helper": HELPER.replace("page\n", "page[1:]\n")},
        {"tables": TABLES.replace("3", "4")},
    )
    seen = {first, *(of_files(tmp_path, **edit) for edit in edits)}
    assert len(seen) == len(edits) + 1
    assert of_files(tmp_path) == first


def test_in_a_notebook_there_are_no_files_and_values_count(tmp_path: Path) -> None:
    show = MODULE + SHOW.replace("import mine\n", "").replace("mine.Mine", "Mine")
    first = of_files(tmp_path, show=show)
    assert of_files(tmp_path, show=show) == first
    edits = (("CUT = 3", "CUT = 4"), ("page[:CUT]", "page[CUT:]"), ('"1"', '"2"'))
    assert len({first, *(of_files(tmp_path, show=show.replace(*edit)) for edit in edits)}) == len(edits) + 1


def test_running_changes_nothing(tmp_path: Path) -> None:
    run = SHOW.replace("print", "mine.Mine.seen += 1\nprint")
    assert of_files(tmp_path, show=run) == of_files(tmp_path)


class Plain(Compressor):
    name = "plain"
    version = "1"

    def compress(self, page: bytes | bytearray | memoryview) -> bytes:
        return bytes(page)

    def decompress(self, data: bytes | bytearray | memoryview, size: int) -> bytes:
        return bytes(data)


def test_methods_that_close_over_other_values_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(n: int) -> object:
        return lambda self, page: bytes(page[:n])

    found = [identity(Plain())]
    for n in (3, 4):
        monkeypatch.setattr(Plain, "compress", cut(n))
        found.append(identity(Plain()))
    assert len(set(found)) == 3


@pytest.mark.parametrize("name", COMPRESSORS.names())
def test_all_of_ours_share_the_digest_of_all_sources(name: str) -> None:
    assert len(identity(COMPRESSORS.make(name))) == 32
    assert identity(COMPRESSORS.make(name)) == identity(COMPRESSORS.make(name))
