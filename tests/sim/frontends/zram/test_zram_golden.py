"""Writeback and recompression beside live kernels: all twelve fields of mm_stat and bd_stat, time and again."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from allocators.zspages.zsmalloc import Zsmalloc
from sim.frontends.base import NO_LIMIT
from sim.frontends.zram import Zram, post_processing
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from sim.validate.prediction import Prediction
from workloads.traces.events import COMPACT, FREE, IN, OUT, Events
from workloads.traces.rawpages import raw_pages
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

GOLDEN = Path(__file__).parents[3] / "golden"
ROWS = GOLDEN / "zram-post-processing"
KINDS = {"w": OUT, "r": IN, "d": FREE, "c": COMPACT}
BACKING = {"lz4-small-backing": 120 - 1, "lzo-rle-three": 300}  # pages that fit; the others never fill theirs


@cache
def pages() -> Trace:
    content = np.concatenate(list(raw_pages(GOLDEN / "zram" / "public.bin.zst", 4096, lambda moved: None)))
    return Trace.from_arrays("golden", Events.of([OUT], [0], [0]), content)


@cache
def stored(codec: str) -> Sizes:
    """What a codec makes of the pages: as the kernel stored them, for codecs that are a library's here."""
    exact = size_pages(pages(), COMPRESSORS.make("lz4" if codec in ("lz4hc", "zstd", "deflate") else codec))
    if codec in ("lz4", "lzo-rle"):
        return exact
    with (ROWS / "sizes.csv").open() as file:
        size = np.array([int(row[codec]) for row in csv.DictReader(file)], np.int32)
    return Sizes(size, exact.same_filled, exact.zero_filled, exact.compress_ns, exact.decompress_ns)


class Device:
    """A simulated device that takes the lines of an .ops file."""

    def __init__(self, name: str, setup: dict[str, list[str]]) -> None:
        _, _, case = name.partition("-")
        self.algorithms = [words(line)["algo"] for line in setup.get("recomp_algorithm", [])]
        zram = Zram(
            mem_limit=int(setup.get("mem_limit", ["0K"])[0][:-1]) * 1024,
            recompress="+".join(self.algorithms),
            writeback="idle",
            backing_pages=BACKING.get(case, 0),
            compressed_writeback=setup.get("compressed_writeback") == ["1"],
        )
        columns = [stored(codec) for codec in self.algorithms]
        slots = int(setup["disksize"][0]) // 4096
        self.allocator = Zsmalloc()
        self.simulated = Prediction(slots, stored(setup["comp_algorithm"][0]), self.allocator, zram, *columns)
        self.limited, self.limit = False, 0  # writeback_limit_enable, writeback_limit

    def do(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        if kind == "s":
            file, _, value = rest.partition(" ")
            getattr(self, file)(value)
        else:
            slot, page = ([int(word) for word in rest.split()] + [0, 0])[:2]
            self.simulated.apply(Events.of([KINDS[kind]], [slot], [page if kind == "w" else -1]))

    def idle(self, value: str) -> None:
        post_processing.mark_idle(self.simulated.device)

    def recompress(self, value: str) -> None:
        given = words(value)
        priority = int(given.get("priority", 1))  # as 7.2 has it
        if "algo" in given:
            priority = self.algorithms.index(given["algo"]) + 1
        most = int(given["max_pages"]) if "max_pages" in given else None
        kind, threshold = given.get("type", "all"), int(given.get("threshold", 0))
        post_processing.recompress(self.simulated.device, self.allocator, kind, threshold, most, priority)

    def writeback(self, value: str) -> None:
        counts = self.simulated.device.counts[0]
        counts.budget = self.limit if self.limited else NO_LIMIT
        post_processing.write_back(self.simulated.device, self.allocator, words(value)["type"])
        self.limit = int(counts.budget) if self.limited else self.limit

    def writeback_limit(self, value: str) -> None:
        self.limit = int(value)

    def writeback_limit_enable(self, value: str) -> None:
        self.limited = value == "1"


def words(line: str) -> dict[str, str]:
    return dict(word.split("=") for word in line.split())


def rows(path: Path) -> dict[int, tuple[int, ...]]:
    with path.open() as file:
        _, *found = csv.reader(file)
    return {int(done): tuple(map(int, fields)) for done, *fields in found}


def replayed(name: str, wanted: set[int]) -> Iterator[tuple[int, tuple[int, ...]]]:
    lines = gzip.decompress((ROWS / f"{name}.ops.gz").read_bytes()).decode().splitlines()
    setup: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("! "):
            file, _, value = line[2:].partition(" ")
            setup.setdefault(file, []).append(value)
    device = Device(name, setup)
    for done, line in enumerate((line for line in lines if not line.startswith("! ")), 1):
        device.do(line)
        if done in wanted:
            yield done, (*device.simulated.mm_stat(), *device.simulated.bd_stat())
    device.allocator.check()


@pytest.mark.parametrize("path", sorted(ROWS.glob("*.ops.gz")), ids=lambda path: path.name.removesuffix(".ops.gz"))
def test_every_row_is_identical(path: Path) -> None:
    name = path.name.removesuffix(".ops.gz")
    expected = rows(ROWS / f"{name}.csv")
    found = dict(replayed(name, set(expected)))
    different = [done for done in expected if found[done] != expected[done]]
    assert not different, (different[0], found[different[0]], expected[different[0]])
    assert len(found) > 240


@pytest.mark.parametrize("codec", ["zstd", "deflate"])
def test_sizes_of_a_library_are_the_kernels(codec: str) -> None:
    made: Any = COMPRESSORS.make(codec)
    if codec == "zstd" and made.version != "libzstd 1.5.7":
        pytest.skip(f"{made.version}; the kernel has 1.5.7")
    sizes = size_pages(pages(), made)
    whole = np.where(sizes.size >= 3625, 4096, sizes.size)
    assert np.where(sizes.same_filled, 0, whole).tolist() == stored(codec).size.tolist()
