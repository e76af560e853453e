"""The trace ring buffer, decoded from pages that are put together here as the kernel does it."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import numpy as np
import pytest

from workloads.errors import HostError
from workloads.recorder.tracefs.ringbuffer import (
    FORKED,
    MISSED,
    QUEUED_IN,
    QUEUED_OUT,
    RECLAIM_BEGINS,
    RECLAIM_ENDS,
    RECLAIMS,
    WRITTEN,
    Decoder,
)

QUEUE, DONE, FORK, STRANGE = 11, 12, 13, 99

BIO = """name: block_bio_queue
ID: {number}
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:dev_t dev;	offset:8;	size:4;	signed:0;
	field:sector_t sector;	offset:16;	size:8;	signed:0;
	field:unsigned int nr_sector;	offset:24;	size:4;	signed:0;
	field:char rwbs[10];	offset:{rwbs};	size:10;	signed:0;

print fmt: "%d"
"""
FORKING = """name: sched_process_fork
ID: {number}
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:__data_loc char[] parent_comm;	offset:8;	size:4;	signed:0;
	field:pid_t parent_pid;	offset:12;	size:4;	signed:1;
	field:pid_t child_pid;	offset:20;	size:4;	signed:1;

print fmt: "%d"
"""


def bio(number: int, pid: int, slot: int, pages: int, rwbs: bytes, at: int = 28) -> bytes:
    head = struct.pack("<HHiiiQI", number, 0, pid, 0, 0, slot * 8, pages * 8)
    return (head.ljust(at, b"\0") + rwbs).ljust(56, b"\0")


def fork(parent: int, child: int) -> bytes:
    return struct.pack("<HHiiiii", FORK, 0, parent, 0, parent, 0, child)


def event(delta: int, data: bytes) -> bytes:
    return struct.pack("<I", len(data) // 4 | delta << 5) + data


def long_event(delta: int, data: bytes) -> bytes:
    return struct.pack("<II", delta << 5, len(data) + 4) + data


def page(time: int, *parts: bytes, flags: int = 0) -> bytes:
    body = b"".join(parts)
    return (struct.pack("<QQ", time, len(body) | flags) + body).ljust(mmap.PAGESIZE, b"\xee")


@pytest.fixture
def formats(tmp_path: Path) -> Path:
    for name, text in (
        ("block/block_bio_queue", BIO.format(number=QUEUE, rwbs=28)),
        ("block/block_bio_complete", BIO.format(number=DONE, rwbs=32)),
        ("sched/sched_process_fork", FORKING.format(number=FORK)),
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "format").write_text(text)
    return tmp_path


def decoded(formats: Path, *pages: bytes) -> tuple[list[tuple[int, ...]], int]:
    decoder = Decoder(formats, 4096)
    buffer = bytearray(b"".join(pages))
    for i in range(len(pages)):
        decoder.walk(memoryview(buffer).cast("I"), i * mmap.PAGESIZE // 4)
    found = decoder.events(np.frombuffer(buffer, np.uint32))
    return [
        tuple(int(row[name]) for name in ("time_ns", "what", "pid", "slot", "pages")) for row in found
    ], decoder.missed


def test_bios_and_forks(formats: Path) -> None:
    far = 3 << 33  # beyond 32 bits of sectors
    content = page(
        1 << 40,
        event(5, bio(QUEUE, 7, 3, 1, b"WS\0")),
        event(10, bio(DONE, 7, 3, 1, b"WS\0", at=32)),
        event(0, bio(QUEUE, 8, far, 512, b"RA\0")),
        event(1, fork(7, 9)),
        event(1, bio(QUEUE, 7, 5, 1, b"DS\0")),
        event(1, struct.pack("<HHi", STRANGE, 0, 7).ljust(56, b"\0")),
    )
    found, missed = decoded(formats, content)
    t = 1 << 40
    assert [row for row in found if row[1] <= FORKED] == [
        (t + 5, QUEUED_OUT, 7, 3, 1),
        (t + 15, WRITTEN, 7, 3, 1),
        (t + 15, QUEUED_IN, 8, far, 512),
        (t + 16, FORKED, 7, 9, found[3][4]),
    ]
    assert missed == 0


def test_time_is_extended_set_and_passed_over(formats: Path) -> None:
    out = bio(QUEUE, 7, 3, 1, b"WS\0")
    base = 5 << 59 | 100
    stamp = 1 << 45
    found, missed = decoded(
        formats,
        page(
            base,
            struct.pack("<II", 30 | 3 << 5, 2),  # 2 * 2^27 + 3 later
            event(1, out),
            struct.pack("<II", 29 | 7 << 5, 12) + b"\0" * 8,  # an event that was discarded
            event(1, out),
            struct.pack("<II", 31 | (stamp & (1 << 27) - 1) << 5, stamp >> 27),
            event(2, out),
            struct.pack("<I", 29),
            event(1, out),  # behind the end
            flags=MISSED,
        ),
    )
    first = base + (2 << 27) + 4
    assert sorted(row[0] for row in found) == sorted([first, first + 8, (5 << 59) + stamp + 2])
    assert missed == 1


def test_long_events_and_several_pages_are_sorted_by_time(formats: Path) -> None:
    late = page(
        500, long_event(1, bio(QUEUE, 7, 3, 1, b"WS\0").ljust(200, b"\0")), event(1, bio(QUEUE, 7, 4, 1, b"R\0"))
    )
    early = page(100, event(2, bio(QUEUE, 7, 5, 1, b"R\0")))
    assert [(row[0], row[3]) for row in decoded(formats, late, early)[0]] == [(102, 5), (501, 3), (502, 4)]


def test_formats_that_cannot_be_read(formats: Path) -> None:
    path = formats / "block" / "block_bio_queue" / "format"
    path.write_text(path.read_text().replace("sector;\toffset:16", "sector;\toffset:17"))
    with pytest.raises(HostError, match=r"a field of .*sector.* is missing; try --backend bpf"):
        Decoder(formats, 4096)
    path.write_text("nonsense")
    with pytest.raises(HostError, match="in a form that this release does not know"):
        Decoder(formats, 4096)


RECLAIM = """name: mm_vmscan_direct_reclaim_begin
ID: {number}
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

print fmt: "%d"
"""


def test_reclaim_of_anybodys_memory(formats: Path) -> None:
    for number, (name, part) in enumerate([(name, part) for name in RECLAIMS for part in ("begin", "end")], start=20):
        place = formats / "vmscan" / f"mm_vmscan_{name}_{part}"
        place.mkdir(parents=True)
        (place / "format").write_text(RECLAIM.format(number=number))
    steps = [event(1, struct.pack("<HHi", number, 0, 7).ljust(12, b"\0")) for number in (20, 21, 22, 23)]
    found, _ = decoded(formats, page(100, *steps * ((mmap.PAGESIZE - 16) // 64)))  # up to the last word of the buffer
    assert [row[1] for row in found[:4]] == [RECLAIM_BEGINS, RECLAIM_ENDS] * 2
    assert {row[2] for row in found} == {7}
