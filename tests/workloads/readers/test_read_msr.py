from __future__ import annotations

from pathlib import Path

import pytest
from reading_kit import read, sniffed

from workloads.progress import silent
from workloads.readers.input import Input
from workloads.readers.msr import Msr

LINE = "128166372003061629,host,0,Write,7014912,8192,26\n"


def put(folder: Path, text: str) -> Path:
    (folder / "m.csv").write_text(text)
    return folder / "m.csv"


def test_ticks_since_1601_and_bytes(tmp_path: Path) -> None:
    path = put(
        tmp_path, "Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime\n" + LINE + LINE.replace("Write", "Read")
    )
    got = read(Msr(), path)
    assert (got.error, got.slot.tolist(), got.kind.tolist()) == ("", [1712, 1713] * 2, [0, 0, 1, 1])
    (batch,) = Msr().read(Input(path, 4096, silent), {})
    assert batch.time_ns is not None
    assert batch.time_ns[0] == 1_172_163_600_306_162_900  # 22 February 2007, 17:00 UTC
    assert sniffed(Msr, path)


def test_one_of_several_disks(tmp_path: Path) -> None:
    path = put(tmp_path, LINE + LINE.replace(",0,", ",1,"))
    assert "m.csv: line 2: has requests of another device" in read(Msr(), path).error
    assert "--format msr:disk=host.0" in read(Msr(), path).error
    assert len(read(Msr("host.1"), path).slot) == 2
    assert "those that have: host.0, host.1" in read(Msr("host.2"), path).error


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("1281", "0000"),
        LINE.replace("1281", "99991281"),
        LINE.replace("8192", "1073741825"),
        LINE.replace("7014912", "-1"),
        LINE.replace("Write", "Erase"),
        LINE[:-8] + "\n",
    ],
)
def test_a_bad_line_is_named_and_all_before_it_kept(tmp_path: Path, line: str) -> None:
    got = read(Msr(), put(tmp_path, LINE + line + LINE))
    assert len(got.slot) == 2
    assert "m.csv: line 2: " in got.error
