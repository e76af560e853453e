"""Recorded rows of a live 6.18 device, in all nine fields; and what is said of files that are wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from allocators.zspages.zsmalloc import Zsmalloc
from sim.errors import UserError
from sim.plugins import COMPRESSORS
from sim.validate.comparison import Comparison
from sim.validate.recorded import compare_recorded
from sim.validate.recording import HEADER
from workloads.errors import HostError
from workloads.host.mmstat import MmStat, parsed

GOLDEN = Path(__file__).parents[2] / "golden" / "zram"
PAGES = GOLDEN / "public.bin.zst"


def compare(pages: Path, ops: Path, expect: Path, codec: str = "lz4") -> Comparison:
    return compare_recorded(pages, ops, expect, COMPRESSORS.make(codec), Zsmalloc())


@pytest.mark.parametrize("codec", ["lz4", "lzo", "lzo-rle"])
def test_every_row_is_identical(codec: str) -> None:
    found = compare(PAGES, GOLDEN / f"public.{codec}.ops.gz", GOLDEN / f"public.{codec}.mmstat.csv", codec)
    assert found.summary() == {"rows": 200, "identical": 200, "first_difference": None}


def test_rows_may_stand_anywhere(tmp_path: Path) -> None:
    header, *rows = (GOLDEN / "public.lzo.mmstat.csv").read_text().splitlines()
    some = tmp_path / "some.csv"
    some.write_text("\n".join([header, "0,0,0,0,0,0,0,0,0,0", *rows[2:190:7], ""]))
    found = compare(PAGES, GOLDEN / "public.lzo.ops.gz", some, "lzo")
    assert (found.rows, found.equal) == (28, True)


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    lines = (GOLDEN / "public.lz4.mmstat.csv").read_text().splitlines()
    for row in (50, 60):
        cells = lines[row].split(",")
        cells[9] = str(int(cells[9]) + 1)
        lines[row] = ",".join(cells)
    (changed := tmp_path / "changed.csv").write_text("\n".join(lines))
    found = compare(PAGES, GOLDEN / "public.lz4.ops.gz", changed)
    assert (found.rows, found.identical, found.equal) == (200, 198, False)
    assert found.first is not None
    assert found.first[:3] == (50, 5000, "huge_pages_since")
    assert found.first.kernel == found.first.simulated + 1


def test_plain_files_with_slots_far_apart(tmp_path: Path) -> None:
    pages, ops, expect = tmp_path / "p.bin", tmp_path / "ops", tmp_path / "rows.csv"
    pages.write_bytes(np.arange(4096, dtype=np.uint16).view(np.uint8)[:4096].tobytes() + bytes(4096))
    ops.write_text("w 123456789012345 1\n\nw 7 1\nd 123456789012345\nd 99\nc\n")
    expect.write_text(f"{HEADER}\n2,8192,0,0,0,0,2,0,0,0\n5,4096,0,0,0,0,1,0,0,0\n")
    assert compare(pages, ops, expect).equal


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / name for name in ("pages.bin", "ops.gz", "rows.csv")}
    paths["pages.bin"].write_bytes(bytes(8192))
    paths["ops.gz"].write_bytes(gzip.compress(b"w 0 1\nd 0\n"))
    paths["rows.csv"].write_text(f"{HEADER}\n2,0,0,0,0,0,0,0,0,0\n")
    return paths


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("w 0", "'w 0' is malformed; lines are `w SLOT PAGE` (write)"),
        ("w 0 -1", "malformed"),
        ("w 0 1 2", "malformed"),
        ("x 0", "malformed"),
        ("c 0", "malformed"),
        ("d", "malformed"),
        ("w 0 9999999999999999999", "malformed"),
        ("w 0 2", "page 2 of 2; pages are counted from 0"),
    ],
)
def test_bad_operations(files: dict[str, Path], line: str, message: str) -> None:
    files["ops.gz"].write_bytes(gzip.compress(f"w 0 1\n\n{line}\n".encode()))
    with pytest.raises(UserError) as error:
        compare(*files.values())
    assert str(error.value).startswith(f"{files['ops.gz']}:3: ")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("ops,live\n1,2\n", ":1", "the header is not ops_done,orig_data_size"),
        (f"{HEADER}\n1,2\n", ":2", "is not 10 whole numbers"),
        (f"{HEADER}\n1,0,0,0,0,x,0,0,0,0\n", ":2", "is not 10 whole numbers"),
        (f"{HEADER}\n2{',0' * 9}\n1{',0' * 9}\n", ":3", "ops_done 1 follows 2; sort the rows"),
        (f"{HEADER}\n1{',0' * 9}\n1{',0' * 9}\n", ":3", "ops_done 1 follows 1"),
        (f"{HEADER}\n3{',0' * 9}\n", ":2", "ops_done 3, but there are 2 operations"),
        (f"{HEADER}\n", "", "has no rows"),
        ("\n", ":1", "the header is not"),
    ],
)
def test_bad_rows(files: dict[str, Path], text: str, place: str, message: str) -> None:
    files["rows.csv"].write_text(text)
    with pytest.raises(UserError) as error:
        compare(*files.values())
    assert str(error.value).startswith(f"{files['rows.csv']}{place}: ")
    assert message in str(error.value)


def test_no_operations(files: dict[str, Path]) -> None:
    files["ops.gz"].write_bytes(gzip.compress(b"\n\n"))
    with pytest.raises(UserError, match="has no operations; lines are"):
        compare(*files.values())


def test_a_line_of_sysfs() -> None:
    line = "  409600   165461  1044480        0  1044480        8        0        2        2\n"
    assert parsed(line) == MmStat(409600, 165461, 1044480, 0, 1044480, 8, 0, 2, 2)
    with pytest.raises(HostError, match="has 8 fields instead of 9"):
        parsed("1 2 3 4 5 6 7 8")
