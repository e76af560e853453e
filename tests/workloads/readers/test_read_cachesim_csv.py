from __future__ import annotations

from pathlib import Path

import pytest
from reading_kit import read, sniffed

from workloads.progress import silent
from workloads.readers.cachesim_csv import CachesimCsv
from workloads.readers.input import Input

HEADER = "version,time,op,size,lbn\n"


def put(folder: Path, text: str) -> Path:
    (folder / "c.csv").write_text(text)
    return folder / "c.csv"


def test_opcodes_seconds_and_sectors(tmp_path: Path) -> None:
    rows = "1,33898,2a,8192,8\n1,33898.5,28,512,9\n1,33899,35,0,0\n1,33899,8A,512,80\n"
    rows += "1,33900,42,4096,16\n1,33900,42,4096,160\n"
    path = put(tmp_path, HEADER + rows)
    assert sniffed(CachesimCsv, path)
    got = read(CachesimCsv(), path)
    assert (got.error, got.kind.tolist(), got.slot.tolist()) == ("", [0, 0, 1, 0, 2], [1, 2, 1, 10, 2])
    assert got.facts["requests_skipped"] == 1
    assert got.facts["frees"].startswith("of the file")
    (batch,) = CachesimCsv().read(Input(path, 4096, silent), {})
    assert batch.time_ns is not None
    assert batch.time_ns[1:3].tolist() == [33_898_000_000_000, 33_898_500_000_000]


@pytest.mark.parametrize(
    "line", ["1,9223372037,2a,1,1", "1,1,2a,1,36028797018963968", "1,1,2a,1073741825,1", "1,1,zz,1,1", "1,1,2a,1"]
)
def test_a_bad_line_is_named_and_all_before_it_kept(tmp_path: Path, line: str) -> None:
    got = read(CachesimCsv(), put(tmp_path, f"{HEADER}1,1,2a,512,8\n{line}\n"))
    assert got.slot.tolist() == [1]
    assert "c.csv: line 3: " in got.error
