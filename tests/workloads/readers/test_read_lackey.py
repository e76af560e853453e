from __future__ import annotations

from pathlib import Path

import pytest
from reading_kit import GOLDEN, read, sniffed

from workloads.readers.lackey import Lackey


def put(folder: Path, text: str) -> Path:
    (folder / "l.txt").write_text(text)
    return folder / "l.txt"


def test_accesses_of_a_real_run() -> None:
    path = GOLDEN / "lackey.txt.gz"
    assert sniffed(Lackey, path)
    got = read(Lackey(), path)
    assert not got.error
    assert got.slot.tolist()[:4] == [0x401A, 0x1FFF000, 0x401B, 0x1FFF000]
    assert got.kind.tolist()[:4] == [1, 0, 1, 0]
    assert got.facts["lines_skipped"] + got.facts["accesses"] == 12000
    assert got.facts["lines_skipped"] == 6
    assert not (got.slot[1:] == got.slot[:-1]).any()


def test_runs_are_one_event_and_borders_are_two(tmp_path: Path) -> None:
    got = read(Lackey(), put(tmp_path, "I  1000,3\n L 1ff8,8\n M 1ffc,8\n L 2000,4\n==7== \nI  5000,1\n"))
    assert (got.slot.tolist(), got.kind.tolist()) == ([1, 1, 2, 5], [1, 0, 0, 1])
    assert (got.facts["accesses"], got.facts["merged"], got.facts["lines_skipped"]) == (5, 2, 1)


@pytest.mark.parametrize("line", ["I  10", " X 1000,8", " L 1000,0", " L 1000,99999", " S fffffffffffffff9,8", "hello"])
def test_a_bad_line_is_named_and_all_before_it_kept(tmp_path: Path, line: str) -> None:
    got = read(Lackey(), put(tmp_path, f" S 1000,8\n L 2000,8\n{line}\n L 3000,8\n"))
    assert (got.slot.tolist(), got.kind.tolist()) == ([1, 2], [0, 1])
    assert "l.txt: line 3: " in got.error
