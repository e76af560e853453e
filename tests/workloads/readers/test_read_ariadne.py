"""Ariadne's traces, made here from their description: the data itself is not shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading_kit import read, sniffed, text

from workloads.readers.ariadne import Ariadne
from workloads.traces.events import IN, OUT


def record(uid: int, sector: int, page: bytes, pad: bytes = b"^") -> bytes:
    return (b"TEST^^^#%d,%d,%d#^^^" % (uid, 77, sector)).ljust(50, pad) + page


OUTS = record(10123, 80, text(1)) + record(10124, 88, text(2), b"\0") + record(10123, 80, bytes(4096), b"\xff")
INS = "kworker [003] 10123,80\n\n 10124,88\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "swapout_trace.txt").write_bytes(OUTS)
    (tmp_path / "swapin_trace.txt").write_text(INS)
    (tmp_path / "ttid_swapin_trace.txt").write_text("10124,88\n")
    (tmp_path / "lru_list.txt").write_text("10124,77\n")
    return tmp_path


def test_page_outs_come_before_page_ins(folder: Path) -> None:
    assert sniffed(Ariadne, folder)
    found = read(Ariadne(), folder)
    assert found.kind.tolist() == [OUT] * 3 + [IN] * 2
    assert found.slot.tolist() == [10, 11, 10, 10, 11]
    assert found.task is not None
    assert found.task.tolist() == [10123, 10124, 10123, 10123, 10124]
    assert found.pages.tobytes() == text(1) + text(2) + bytes(4096)
    assert found.facts["times"] == "none, and no common clock"
    assert found.facts["order"] == "that of each file: first all page-outs, then all page-ins"
    assert read(Ariadne("initial"), folder).slot.tolist() == [10, 11, 10, 11]


@pytest.mark.parametrize(
    ("name", "slots"),
    [("swapout_trace.txt", [10, 11, 10]), ("swapin_trace.txt", [10, 11]), ("ttid_swapin_trace.txt", [11])],
)
def test_one_of_the_files(folder: Path, name: str, slots: list[int]) -> None:
    assert sniffed(Ariadne, folder / name)
    assert read(Ariadne(), folder / name).slot.tolist() == slots
    assert not sniffed(Ariadne, folder / "lru_list.txt")


@pytest.mark.parametrize(
    ("name", "data", "slots", "error"),
    [
        ("swapout_trace.txt", OUTS[:-1], [10, 11], "record 2: has 4145 of 4146 bytes"),
        ("swapout_trace.txt", OUTS.replace(b"#10124,", b"#10,,24"), [10], "record 1: has no header TEST^^^#UID,PFN"),
        ("swapout_trace.txt", OUTS.replace(b",88#", b",89#"), [10], "record 1: has no header"),
        ("swapout_trace.txt", OUTS.replace(b"#10124,", b"#9999999999,")[:8292], [10], "record 1"),
        ("swapin_trace.txt", b"10123,80\nx 10123,81\n", [10], "line 2: does not end in UID,SECTOR"),
        ("swapin_trace.txt", b"10123,80\nnothing\n", [10], "line 2: does not end in UID,SECTOR"),
    ],
)
def test_what_comes_before_a_damaged_record_is_kept(
    tmp_path: Path, name: str, data: bytes, slots: list[int], error: str
) -> None:
    (tmp_path / name).write_bytes(data)
    found = read(Ariadne(), tmp_path / name)
    assert found.slot.tolist() == slots
    assert error in found.error


def test_other_page_sizes_and_folders_are_refused(folder: Path) -> None:
    assert "give --page-size 4096" in read(Ariadne(), folder, 16384).error
    (folder / "none").mkdir()
    assert "has neither swapout_trace.txt nor swapin_trace.txt" in read(Ariadne(), folder / "none").error
    with pytest.raises(ValueError, match="is none of all, initial, full"):
        Ariadne("some")
