"""Speed of imports: a raw dump in MB/s, texts in lines a second, each relative to the plainest program for it.

    python benchmarks/bench_import.py

A dump is compared with hashing its pages and compressing them with zstd, one after the other, a text with splitting its
lines into words. The dump holds the shipped samples again and again, each page made unique.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import zstandard

from sim import import_trace
from workloads import open_sample, sample_names

DUMP_MB = 512
LINES = 300_000
BLOCK = 1 << 22
TEXTS: dict[str, Callable[[int], str]] = {
    "blkparse": lambda i: f"253,5 10 {i} {i // 9}.{i % 9:09} 116  Q {'WR'[i & 1]} {8 * (i * 7919 % 99991)} + 8 [a]",
    "trace-events": lambda i: (
        f" kswapd0-68 [001] .... {i // 9}.{i % 9:06}: block_bio_queue: 253,0 {'WR'[i & 1]} "
        f"{8 * (i * 7919 % 99991)} + 8 [kswapd0]"
    ),
    "msr": lambda i: f"{128166372003061629 + i},h,0,{('Read', 'Write')[i & 1]},{4096 * (i * 7919 % 99991)},4096,26",
    "swapreplay": lambda i: f"{8 * (i * 7919 % 99991)} {'RW'[i & 1]} {i % 4000 + 1}",
}


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def dump(path: Path) -> None:
    pages = np.concatenate([trace.page_array(0, trace.unique_pages) for trace in map(open_sample, sample_names())])
    draw = np.random.default_rng(0)
    with path.open("wb") as file:
        for _ in range(DUMP_MB << 20 >> 22):
            part = pages[draw.integers(0, len(pages), BLOCK >> 12)]
            part[:, :8] = draw.integers(0, 256, (len(part), 8), np.uint8)
            part.tofile(file)


def plain(path: Path) -> None:
    packer = zstandard.ZstdCompressor(level=1)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            for at in range(0, len(block), 4096):
                hashlib.blake2b(block[at : at + 4096], digest_size=16).digest()
            packer.compress(block)


def split(path: Path) -> None:
    with path.open("rb") as file:
        for line in file:
            line.split()


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = folder / "dump"
        dump(path)
        import_trace(path, folder / "warm.cswap")
        took, base = seconds(lambda: import_trace(path, folder / "dump.cswap")), seconds(lambda: plain(path))
        print(f"{'dump':14} {path.stat().st_size / took / 1e6:8.0f} MB/s, {took / base:5.2f} of plain hashing and zstd")
        for name, line in TEXTS.items():
            path = folder / f"{name}.txt"
            path.write_text("\n".join(map(line, range(LINES))) + "\n")
            took = seconds(lambda path=path, name=name: import_trace(path, folder / f"{name}.cswap", format=name))
            base = seconds(lambda path=path: split(path))
            print(f"{name:14} {LINES / took:8,.0f} lines/s, {took / base:5.1f} of splitting lines")


if __name__ == "__main__":
    main()
