"""A small file of every format, and what it holds: for the conformance kit of readers, and to be mutated."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
from pathlib import Path
from typing import NamedTuple

import cramjam
import zstandard

GOLDEN = Path(__file__).parents[1] / "golden" / "readers"


class Example(NamedTuple):
    """`files` by name, of which `file` is imported (their folder, if that is empty); `events` that are `outs`, `ins`,
    `frees`; `settings` are options of the command besides.
    """

    files: dict[str, bytes]
    file: str
    outs: int
    ins: int = 0
    frees: int = 0
    settings: tuple[str, ...] = ()

    def put(self, folder: Path) -> Path:
        for name, data in self.files.items():
            (folder / name).write_bytes(data)
        return folder / self.file


def page(number: int, size: int = 4096) -> bytes:
    return (b"page %d of an example; " % number * size)[:size]


def _golden(name: str) -> bytes:
    data = (GOLDEN / name).read_bytes()
    return zstandard.ZstdDecompressor().decompress(data, 1 << 24) if name.endswith(".zst") else data


def _criu() -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(_golden("criu.tar.gz"))) as archive:
        found = {Path(one.name).name: archive.extractfile(one) for one in archive if one.name.startswith("a/")}
        return {name: data.read() for name, data in found.items() if data is not None}


def _lime(data: bytes) -> bytes:
    return struct.pack("<2I3Q", 0x4C694D45, 1, 0x1000, 0x1000 + len(data) - 1, 0) + data


def _avml(number: int) -> bytes:
    data = bytes(range(256)) * 16 + page(number) + page(number + 50)
    frames = bytes(cramjam.snappy.compress(data))
    first = 0x1000 + 0x10000 * number
    header = struct.pack("<2I3Q", 0x4C4D5641, 2, first, first + len(data) - 1, 0)
    return header + frames + struct.pack("<Q", len(frames))


def _swap() -> bytes:
    header = bytearray(4096)
    header[1024:1036] = struct.pack("<3I", 1, 9, 1)
    header[1536:1540] = struct.pack("<I", 4)  # bad
    header[-10:] = b"SWAPSPACE2"
    return bytes(header) + b"".join(map(page, range(1, 10)))


PAGES = b"".join(map(page, range(12)))
EVENTS = "ts_ns,kind,pid,slot,size\n0,out,7,1,900\n5,out,7,2,4096\n9,in,7,1,\n9,free,7,1,\n9,out0,7,3,20\n"
ROWS = "".join(f"{i}\t41\ta name\t{(i + 9) << 12:x}\t0\t0\t{0:016x}\t3.1415\t[heap]\n" for i in range(12))
TABLE = "# page_size=4096\npage\tpid\tcomm\taddress\tzero_bytes\tsame_filled\tfill_value\tentropy\tmapping\n" + ROWS
MSR = "".join(f"{128166372003061629 + i},host,0,{('Read', 'Write')[i % 2]},{i << 12},4096,26\n" for i in range(8))
SWAPREPLAY = "".join(f"{8 * i} {'WWR'[i % 3]} {900 + i}\n" for i in range(9))
REQUESTS = "".join(f"1,{33898 + i},{('2a', '28', '42', '35')[i % 4]},4096,{8 * (i // 4):09}\n" for i in range(12))
RECORDS = b"".join((b"TEST^^^#10123,77,%d#^^^" % (8 * i)).ljust(50, b"^") + page(i) for i in range(5))
ORACLE = b"".join(struct.pack("<IQIq", 1000 + i // 8, i % 40, 512 * (1 + i % 9), i + 40) for i in range(200))

BLOCKS = "".join(
    f"253,5   10 {i:8}     {i * 0.0001:.9f}   116  Q   {rwbs} {8 * slot} + {8 * n} [kswapd0]\n"
    f"253,5   10 {i:8}     {i * 0.0001:.9f}   116  C   {rwbs} {8 * slot} + {8 * n} [0]\n"
    for i, (rwbs, slot, n) in enumerate(
        [("W", 1, 1), ("WS", 2, 2), ("R", 3, 1), ("RA", 4, 4), ("FWS", 5, 1), ("D", 1, 2), ("D", 1, 900)]
    )
)

EXAMPLES = {
    "csv": Example({"e.csv": EVENTS.encode()}, "e.csv", 3, 1, 1),
    "dump": Example({"d.bin": page(1) + bytes(4096) + bytes(range(256)) * 16 + page(1)}, "d.bin", 4),
    "swap": Example({"s.img": _swap()}, "s.img", 8),
    "elf": Example({"core": _golden("process.core.zst")}, "core", 58),
    "lime": Example({"m.lime": _lime(PAGES)}, "m.lime", 12),
    "avml": Example({"m.avml": b"".join(map(_avml, range(4)))}, "m.avml", 12),
    "criu": Example(_criu(), "", 55),
    "quetschn": Example({"c.tsv": TABLE.encode(), "c.pages": PAGES}, "c.tsv", 12),
    "ariadne": Example({"swapout_trace.txt": RECORDS, "swapin_trace.txt": b"kworker 10123,8\n"}, "", 5, 1),
    "fio": Example({"fio.log": _golden("fio-v3.log")}, "fio.log", 6, 10),
    "msr": Example({"m.csv": MSR.encode()}, "m.csv", 4, 4),
    "swapreplay": Example({"s.txt": SWAPREPLAY.encode()}, "s.txt", 6, 3),
    "cachesim-csv": Example({"c.csv": b"version,time,op,size,lbn\n" + REQUESTS.encode()}, "c.csv", 3, 3, 3),
    "lackey": Example({"l.txt": gzip.decompress(_golden("lackey.txt.gz"))}, "l.txt", 0),
    "blkparse": Example({"b.txt": BLOCKS.encode()}, "b.txt", 4, 5, 4),
    "trace-events": Example({"f.txt": gzip.decompress(_golden("ftrace.txt.gz"))}, "f.txt", 298, 492, 25),
    "oracle-general": Example({"t.oracleGeneral": ORACLE}, "t.oracleGeneral", 0),
}
NONE = {"memory"}  # a running process, which has a test of its own
