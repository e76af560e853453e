"""P1 to P3, the years of xvmalloc: its pools beside what was published by those who wrote and replaced it.

- kmalloc.csv (P1): most memory ever, relative to an ideal allocator. The published trace, SwapReplay's "Data 1", is
  lost with its host; its summary is not: 139,937 page-outs to 64 MiB of swap, 72 % of them to half a page or less,
  24,947 KiB at most. A bell through these two points stands in, on random slots. SwapReplay saw no frees, so a slot is
  freed when it is written again.
- xvmalloc.csv (P2): a million allocations and frees, each as likely as the other, of random sizes and of such that
  half of them are from 1,024 to 2,600 bytes; five seeds each, as five tests of each were published.
- text.csv (P3): 65,925 pages of text, which LZO makes three quarters of, and of zeros, in zcache of 2011: xvmalloc, and
  40 bytes before each object that say whose it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from allocators.compiled.batch import ALLOC, FREE, run_operations
from sim.compressors.lzo import Lzo
from sim.plugins import make_allocator
from sim.sizing.sizing import size_pages
from workloads import Events, Trace
from workloads.generators.contents.text import Text
from workloads.generators.draws import Draws
from workloads.traces.events import OUT

PAGE = 4096
KIB = 1024
SLOTS = (64 << 20) // PAGE
PAGE_OUTS = 139_937
IDEAL = 24_947  # KiB
HALF, HALVED = PAGE / 2, 0.583  # 72 % of a normal distribution is below mean + 0.583 sd
HEADER = 8  # bytes that xvmalloc needs beside the largest object of a page
SMALLEST, LARGEST = 32, 3 * PAGE // 4  # bytes: what compcache gave its allocator
COMMON = (1024, 2600)
OPERATIONS = 1_000_000
TESTS = 5
TEXTS = 65_925
DIFFERENT = 8192  # of them, written in turn
ZEROS = {"zeros": 28, "zeros, LZO of today": 44}  # bytes of a page of them; 28: Magenheimer, February 2013
OWNER = 40  # bytes: struct zv_hdr of zcache, before each object
LIMIT = PAGE // 8 * 7  # zcache refuses larger ones

Ints = npt.NDArray[np.int64]


def kmalloc() -> pd.DataFrame:
    """Most KiB by allocator, also relative to the ideal; a row a workload and allocator."""
    mean = IDEAL * KIB / SLOTS
    draws = np.random.default_rng(1).normal(mean, (HALF - mean) / HALVED, PAGE_OUTS)
    size = np.clip(np.rint(draws), SMALLEST, PAGE - HEADER).astype(np.int64)
    slot = np.concatenate((np.arange(SLOTS), np.random.default_rng(2).integers(0, SLOTS, PAGE_OUTS - SLOTS)))
    rows = []
    ideal = peak(*overwritten(slot, size))
    for spec in ("kmalloc", "xvmalloc", "zsmalloc:era=2012"):
        most = held(spec, *overwritten(slot, size)) * PAGE / KIB
        rows.append({"workload": "synthetic", "allocator": spec, "ideal_kib": ideal / KIB, "kib": most})
    frame = pd.DataFrame(rows)
    frame["to_ideal"] = frame["kib"] / frame["ideal_kib"]
    return frame


def overwritten(slot: Ints, size: Ints) -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    """Operations of page-outs: what a slot held is freed, then the page stored."""
    known = np.zeros(len(slot), bool)
    known[np.unique(slot, return_index=True)[1]] = True
    op = np.tile(np.array([FREE, ALLOC], np.uint8), len(slot))
    keep = np.ones(len(op), bool)
    keep[::2] = ~known
    return op[keep], np.repeat(slot, 2)[keep], np.repeat(size, 2)[keep]


def held(spec: str, op: npt.NDArray[np.uint8], key: Ints, size: Ints) -> int:
    """Most pages ever. No object may be refused."""
    handles, pages = run_operations(make_allocator(spec), op, key, size)
    assert (handles >= 0).all(), spec
    return int(pages.max())


def peak(op: npt.NDArray[np.uint8], key: Ints, size: Ints) -> int:
    """Most bytes ever in live objects."""
    order = np.argsort(key, kind="stable")
    previous = np.where(np.diff(key[order], prepend=-1) == 0, np.roll(size[order], 1), 0)
    change = np.empty(len(op), np.int64)
    change[order] = np.where(op[order] == ALLOC, size[order], -previous)
    return int(np.cumsum(change).max())


def xvmalloc() -> pd.DataFrame:
    """Most KiB, those of an ideal allocator, and percent beyond it; a row a kind of sizes and seed."""
    rows = []
    for kind, biased in (("random", False), ("biased", True)):
        for seed in range(TESTS):
            operations = walk(np.random.default_rng((seed, biased)), biased)
            ideal, most = peak(*operations), held("xvmalloc", *operations) * PAGE
            rows.append({"sizes": kind, "seed": seed, "ideal_kib": ideal / KIB, "kib": most / KIB})
    frame = pd.DataFrame(rows)
    frame["percent"] = 100 * (frame["kib"] / frame["ideal_kib"] - 1)
    return frame


def walk(rng: np.random.Generator, biased: bool) -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    """Allocations and frees of any live object, each as likely; where nothing is live, an allocation."""
    coin, luck = rng.integers(0, 2, OPERATIONS), rng.random(OPERATIONS)
    size = rng.integers(SMALLEST, LARGEST, OPERATIONS, endpoint=True)
    if biased:
        common = rng.integers(*COMMON, OPERATIONS, endpoint=True)
        size = np.where(rng.random(OPERATIONS) < 0.5, common, size)
    op, key = coin.astype(np.uint8), np.empty(OPERATIONS, np.int64)
    live: list[int] = []
    for i, (free, at) in enumerate(zip(coin.tolist(), luck.tolist(), strict=True)):
        if free and live:
            chosen = int(at * len(live))
            live[chosen], live[-1] = live[-1], live[chosen]
            key[i] = live.pop()
        else:
            op[i], key[i] = ALLOC, i
            live.append(i)
    return op, key, size


def text() -> pd.DataFrame:
    """Pages stored and those of the pool, and what LZO makes of a page on average; a row a kind of pages."""
    pages = Text().fill(Draws("published text").words(DIFFERENT), PAGE)
    trace = Trace.from_arrays("text", Events.of([OUT], [0], [0]), pages)
    of = {"text": size_pages(trace, Lzo(), workers=1).size.astype(np.int64)}
    of |= {kind: np.array([size]) for kind, size in ZEROS.items()}
    rows = []
    for kind, different in of.items():
        size = np.resize(different, TEXTS)
        wanted = size[size + OWNER <= LIMIT] + OWNER
        allocator = make_allocator("xvmalloc:align=8")
        run_operations(allocator, np.full(len(wanted), ALLOC, np.uint8), np.arange(len(wanted)), wanted)
        rows.append(
            {"pages_are": kind, "lzo_percent": 100 * size.mean() / PAGE, "stored": len(wanted)}
            | {"pool_pages": allocator.pages, "pool_percent": 100 * allocator.pages / len(wanted)}
        )
    return pd.DataFrame(rows)
