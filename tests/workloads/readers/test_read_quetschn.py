"""Corpora of quetschn, made here as its `corpus_writer` writes them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from reading_kit import read, sniffed, text

from workloads.readers.quetschn import Quetschn

HEAD = "page\tpid\tcomm\taddress\tzero_bytes\tsame_filled\tfill_value\tentropy\tmapping\n"


def row(page: int, pid: int, address: int, size: int = 4096) -> str:
    return f"{page}\t{pid}\ta name\t{address:x}\t0\t0\t{0:016x}\t3.1415\t[heap]\n"


def put(folder: Path, rows: str, pages: bytes, size: int | None = 4096, suffix: str = "") -> Path:
    table = (f"# page_size={size}\n" if size else "") + HEAD + rows
    for ending, data in ((".tsv", table.encode()), (".pages", pages)):
        (folder / f"corpus{ending}{suffix}").write_bytes(gzip.compress(data) if suffix else data)
    return folder / f"corpus.pages{suffix}"


ROWS = row(0, 0, 0x3000) + row(1, 41, 0x7F0000001000) + row(2, 41, 0x7F0000000000)
PAGES = text(0) + text(1) + bytes(4096)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("ending", ["pages", "tsv"])
@pytest.mark.parametrize("size", [4096, None])
def test_rows_tell_slots_and_processes(tmp_path: Path, suffix: str, ending: str, size: int | None) -> None:
    put(tmp_path, ROWS, PAGES, size, suffix)
    path = tmp_path / f"corpus.{ending}{suffix}"
    assert sniffed(Quetschn, path)
    found = read(Quetschn(), path)
    assert found.slot.tolist() == [3, 41 << 40 | 0x7F0000001, 41 << 40 | 0x7F0000000]
    assert found.task is not None
    assert found.task.tolist() == [0, 41, 41]
    assert found.pages.tobytes() == PAGES
    assert not found.error


def test_pages_of_16_kib(tmp_path: Path) -> None:
    path = put(tmp_path, row(0, 0, 0x8000), text(0, 16384), 16384)
    assert read(Quetschn(), path, 16384).slot.tolist() == [2]
    assert "line 1: pages have 16384 bytes, not 4096; give --page-size 16384" in read(Quetschn(), path).error


@pytest.mark.parametrize(
    ("rows", "pages", "error"),
    [
        (ROWS, PAGES[:-1], "corpus.pages: page 2: has 4095 of 4096 bytes"),
        (ROWS, PAGES + text(3), "corpus.tsv: rows: tells of 3 pages, but there are more"),
        (ROWS, PAGES[:8192], ""),
        (ROWS + row(3, 1, 1 << 12), PAGES, ""),
        (row(1, 0, 0), PAGES, "line 3: is of page 1, not 0"),
        (row(0, 1 << 22, 0), PAGES, "line 3: process 4194304, address 0 cannot be"),
        (row(0, 0, 0x1234), PAGES, "line 3: process 0, address 1234 cannot be"),
        ("0\t1\t2\n", PAGES, "line 3: is no row"),
        ("\n" + ROWS, PAGES, "line 3: is no row"),
    ],
)
def test_files_that_do_not_belong_together(tmp_path: Path, rows: str, pages: bytes, error: str) -> None:
    found = read(Quetschn(), put(tmp_path, rows, pages))
    assert error in found.error
    if not error and len(pages) == len(PAGES):
        rows_ahead = row(3, 1, 4096) * 3000
        found = read(Quetschn(), put(tmp_path, ROWS + rows_ahead, pages))
        assert "is of page 3, not 4" in found.error


def test_one_file_without_the_other(tmp_path: Path) -> None:
    path = put(tmp_path, ROWS, PAGES)
    (tmp_path / "corpus.tsv").unlink()
    assert not sniffed(Quetschn, path)
    assert "has no corpus.tsv beside it; give both files" in read(Quetschn(), path).error
    path.rename(tmp_path / "corpus.bin")
    assert "ends neither in .pages nor in .tsv" in read(Quetschn(), tmp_path / "corpus.bin").error
