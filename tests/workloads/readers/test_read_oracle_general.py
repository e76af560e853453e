from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from reading_kit import read, sniffed

from workloads.readers.oracle_general import OracleGeneral

RECORDS = [(5, 7, 4096, 2), (5, 2**63 + 1, 10_000, -1), (6, 7, 4096, -1)]


def put(folder: Path, data: bytes, name: str = "t.oracleGeneral") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def packed(*records: tuple[int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<IQIq", *record) for record in records)


def test_objects_are_pages_written(tmp_path: Path) -> None:
    path = put(tmp_path, packed(*RECORDS))
    assert sniffed(OracleGeneral, path)
    got = read(OracleGeneral(), path)
    assert (got.error, got.slot.tolist(), got.kind.tolist()) == ("", [7, 2**63 + 1, 7], [0, 0, 0])
    assert got.facts["larger_than_a_page"] == 1


@pytest.mark.parametrize(
    "data",
    [
        bytes(4096 * 3),
        b"\xff" * 4096 * 3,
        b"\x01" * 4096 * 3,
        b"a line of text, all alike..."[:24] * 512,
        np.random.default_rng(0).bytes(4096 * 3),
        np.arange(3 * 1024, dtype="<u4").tobytes(),
        np.arange(3 * 512, dtype="<u8").tobytes(),
        packed(*RECORDS)[:-1],
        packed(*RECORDS[::-1]),
        b"",
    ],
)
def test_pages_are_not_taken_for_records(tmp_path: Path, data: bytes) -> None:
    assert not sniffed(OracleGeneral, put(tmp_path, data, "pages.bin"))


def test_a_cut_record_and_one_that_looks_back_are_named(tmp_path: Path) -> None:
    got = read(OracleGeneral(), put(tmp_path, packed(*RECORDS)[:-5]))
    assert len(got.slot) == 2
    assert "record 2: ends after 19 of 24 bytes" in got.error
    got = read(OracleGeneral(), put(tmp_path, packed(*RECORDS, (7, 1, 1, 3))))
    assert len(got.slot) == 3
    assert "record 3: names 3 as the next one" in got.error
