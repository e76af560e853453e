from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from reading_kit import read, sniffed, text

from workloads import TraceError, import_pages
from workloads.readers.dump import Dump
from workloads.readers.image import BLOCK

NONE = "cannot be told from pages of zeros, the file has none"


def sparse(path: Path, pages: dict[int, bytes], total: int) -> Path:
    with path.open("wb") as file:
        for number, page in pages.items():
            file.seek(number * 4096)
            file.write(page)
        file.truncate(total * 4096)
    return path


def test_holes_were_never_written_and_zero_pages_were(tmp_path: Path) -> None:
    far = 3 * BLOCK // 4096  # the same block has pages of several extents
    path = sparse(tmp_path / "dump", {2: text(2), 3: bytes(4096), 40: text(40), far: text(9)}, far + 7)
    with path.open("rb") as file:
        if os.lseek(file.fileno(), 0, os.SEEK_DATA) == 0:
            pytest.skip("this file system tells no holes")
    found = read(Dump(), path)
    assert found.slot.tolist() == [2, 3, 40, far]
    assert [page.tobytes() for page in found.pages] == [text(2), bytes(4096), text(40), text(9)]
    assert (found.facts["zero pages"], found.facts["holes"]) == (1, far + 7 - 4)
    assert not found.error


def test_without_holes_the_source_says_that_they_cannot_be_told(tmp_path: Path) -> None:
    data = text(0) + bytes(8192)
    (tmp_path / "dump").write_bytes(data)
    (tmp_path / "dump.gz").write_bytes(gzip.compress(data))
    for name in ("dump", "dump.gz"):
        found = read(Dump(), tmp_path / name)
        assert found.slot.tolist() == [0, 1, 2]
        assert (found.facts["zero pages"], found.facts["holes"]) == (2, NONE)
    assert import_pages(tmp_path / "dump.gz", tmp_path / "t.cswap").source["holes"] == NONE


@pytest.mark.parametrize("name", ["dump", "dump.gz"])
def test_a_page_that_is_cut_off_is_told_after_all_before_it(tmp_path: Path, name: str) -> None:
    data = b"".join(map(text, range(BLOCK // 4096 + 3)))[:-100]
    (tmp_path / name).write_bytes(gzip.compress(data, 1) if name.endswith("gz") else data)
    found = read(Dump(), tmp_path / name)
    assert len(found.slot) == BLOCK // 4096 + 2
    assert np.array_equal(found.pages.reshape(-1), np.frombuffer(data[: found.pages.nbytes], np.uint8))
    assert f"page {len(found.slot)}: has 3996 of 4096 bytes; give whole pages" in found.error
    assert not sniffed(Dump, tmp_path / name)


@pytest.mark.parametrize("size", [0, 100, 96 * 1024])
def test_page_sizes_that_none_can_have_are_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "dump").write_bytes(text(0))
    assert f"page size: is {size}; give a power of two" in read(Dump(), tmp_path / "dump", size).error


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dump").touch()
    with pytest.raises(TraceError, match="is empty"):
        import_pages(tmp_path / "dump", tmp_path / "t.cswap")
