from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from reading_kit import GOLDEN, read, sniffed

from workloads.progress import silent
from workloads.readers.fio import Fio
from workloads.readers.input import Input

V2 = "fio version 2 iolog\n/dev/x add\n/dev/x open\n"


def put(folder: Path, text: str) -> Path:
    (folder / "f.log").write_text(text)
    return folder / "f.log"


def times(path: Path) -> list[int] | None:
    batches = [batch.time_ns for batch in Fio().read(Input(path, 4096, silent), {}) if batch.time_ns is not None]
    return np.concatenate(batches).tolist() if batches else None


def test_the_log_of_a_real_run() -> None:
    got = read(Fio(), GOLDEN / "fio-v3.log")
    assert not got.error
    assert got.slot.tolist()[:8] == [0, 11, 12, 13, 14, 15, 7, 6]
    assert got.kind.tolist()[:8] == [1, 1, 1, 1, 1, 1, 0, 1]
    assert times(GOLDEN / "fio-v3.log")[:3] == [110_000, 343_000, 343_000]  # type: ignore[index]
    assert got.facts["frees"].startswith("inferred")


def test_times_are_those_that_the_kernel_saw() -> None:
    """fio and the block layer wrote down the same 63 requests, each a few microseconds apart."""
    fields = [line.split() for line in gzip.decompress((GOLDEN / "loop-blkparse.txt.gz").read_bytes()).splitlines()]
    queued = [round(float(f[3]) * 1e9) for f in fields if f[5:6] == [b"Q"] and f[6] in (b"R", b"WS")][:63]
    logged = sorted(set(times(GOLDEN / "loop-fio-mix.log") or []))
    assert np.ptp(np.array(logged) - np.array(queued)) < 50_000


def test_waits_are_the_clock_of_version_2(tmp_path: Path) -> None:
    log = put(
        tmp_path, V2 + "/dev/x write 0 8192\n/dev/x wait 250 0\n/dev/x read 4096 1\n/dev/x wait 50\n/dev/x read 0 1\n"
    )
    assert times(log) == [0, 0, 250_000, 300_000]
    assert times(put(tmp_path, V2 + "/dev/x write 0 8192\n")) is None


def test_trims_free_what_was_written(tmp_path: Path) -> None:
    log = (
        V2
        + "/dev/x trim 0 4096\n/dev/x write 0 8192\n/dev/x trim 0 1048576\n/dev/x trim 0 4096\n/dev/x write 4096 512\n"
    )
    got = read(Fio(), put(tmp_path, log + f"/dev/x trim 0 {1 << 39}\n/dev/x sync 0 0\n"))
    assert not got.error
    assert list(zip(got.kind.tolist(), got.slot.tolist(), strict=True)) == [
        (0, 0), (0, 1), (2, 0), (2, 1), (0, 1), (2, 1)
    ]  # fmt: skip


def test_one_of_several_files(tmp_path: Path) -> None:
    log = put(tmp_path, V2 + "/dev/x write 0 4096\n/dev/y write 4096 4096\n")
    got = read(Fio(), log)
    assert len(got.slot) == 1
    assert "f.log: line 5: has requests of another device" in got.error
    assert "--format fio:file=/dev/x" in got.error
    assert read(Fio("/dev/y"), log).slot.tolist() == [1]
    assert "has no requests of '/dev/z'; those that have: /dev/x, /dev/y" in read(Fio("/dev/z"), log).error


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("/dev/x write 0 1073741825", "is longer than any"),
        ("/dev/x write 18446744073709551615 4096", "ends behind 2**64"),
        ("/dev/x write 18446744073709551616 1", "out of range"),
        (f"/dev/x write 0 {'9' * 5000}", "not `FILE ACTION"),
        ("/dev/x write 0", "has no length"),
        ("/dev/x frob 0 1", "not `FILE ACTION"),
        ("/dev/x wait 18446744073709551615 1", "beyond what a time"),
    ],
)
def test_a_bad_line_is_named_and_all_before_it_kept(tmp_path: Path, line: str, wrong: str) -> None:
    got = read(Fio(), put(tmp_path, f"{V2}/dev/x write 0 4096\n{line}\n/dev/x read 0 4096\n"))
    assert got.slot.tolist() == [0]
    assert "f.log: line 5: " in got.error
    assert wrong in got.error
    assert len(got.error) < 1000


def test_told_by_its_first_line(tmp_path: Path) -> None:
    assert sniffed(Fio, put(tmp_path, "fio version 2 iolog\r\n/dev/x add\r\n"))
    assert not sniffed(Fio, put(tmp_path, "fio version 1\n"))
    assert "line 1: is no header" in read(Fio(), put(tmp_path, "/dev/x read 0 1\n")).error
