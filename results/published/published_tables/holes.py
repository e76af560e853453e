"""P7 and P8, what holes cost zsmalloc: compaction, and the merging of size classes while directories are deleted.

- compaction.csv (P7): pages of one repeated byte, without and with a number in their first word, which LZO makes 44 and
  53 bytes of; of each as many bytes as were published, and before them so many that freeing them at random leaves the
  published pool.
- merging.csv (P8): a kernel tree is unpacked to zram and its largest directories are deleted, one after the other. Of
  each the mail tells, by its differences, the pages and the compressed bytes; a beta distribution of this mean stands
  in for their sizes. It does not tell the order in which pages were stored. `apart`: what stays (inodes, small
  directories), then the directories by name, as in an archive; `apart, 2 % strewn`: that share of the pages at any
  moment instead; `spread`: what stays evenly among the directories; `anywhere`: runs of 4 pages in any order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from allocators import Allocator
from allocators.compiled.batch import ALLOC, COMPACT, FREE, run_operations
from allocators.zspages.zsmalloc import Zsmalloc
from sim.compressors.lzo import Lzo

PAGE = 4096
LIVE, BEFORE, AFTER = 60_212_066, 140_103_680, 76_185_600  # bytes: Kim, January 2015
MIB = 1 << 20
TREE = (  # MB stored and compressed, before and after each directory is deleted: Kim, 29 September 2014
    *((525.88, 199.16), (288.32, 97.43), (177.32, 61.12), (146.47, 47.32), (124.16, 38.85), (103.93, 31.68)),
    *((84.34, 22.86), (66.87, 14.83), (60.67, 11.11), (55.86, 8.83), (53.32, 8.01)),
)
DELETED = ("drivers", "arch", "fs", "sound", "include", "net", "Documentation", "firmware", "kernel", "tools")
WITHOUT = (5.56, 8.41, 13.55, 18.55, 24.58, 29.21, 43.13, 60.70, 67.48, 88.03, 91.24)  # percent over the data
MERGED = (5.34, 6.80, 9.47, 11.51, 13.96, 16.19, 22.04, 29.86, 34.17, 42.97, 46.53)
STREWN = 0.02  # share of the pages
RUN = 4  # pages

Ints = npt.NDArray[np.int64]


def compaction() -> pd.DataFrame:
    """Bytes in objects and of the pool, published and simulated, before and after compaction; by kind of pages."""
    rows = []
    for kind, number in (("one byte", b""), ("one byte and a number", b"\x70\x11\x01\0\0\0\0\0")):
        size = len(Lzo().compress(number + bytes([1]) * (PAGE - len(number))))
        allocator = Zsmalloc(era="4.1")
        chosen = allocator.classes[int(allocator.state.class_of[size])]
        live, every = LIVE // size, BEFORE // PAGE // chosen.pages * chosen.objs
        freed = np.random.default_rng(0).permutation(every)[live:]
        op = np.repeat(np.array([ALLOC, FREE, COMPACT], np.uint8), (every, len(freed), 1))
        key = np.concatenate((np.arange(every), freed, [0]))
        _, pages = run_operations(allocator, op, key, np.full(len(op), size))
        for when, published, ours in (("before", BEFORE, pages[-2]), ("after", AFTER, pages[-1])):
            held = {"object_bytes": size, "live_bytes": live * size, "published_pool": published, "pool": ours * PAGE}
            shares = {"published_percent": 100 * LIVE / published, "percent": 100 * live * size / (ours * PAGE)}
            rows.append({"pages": kind, "when": when, **held, **shares})
    return pd.DataFrame(rows)


def merging() -> pd.DataFrame:
    """Percent over the data without and with merging after each step, published and simulated; by order and step."""
    rng = np.random.default_rng(0)
    stored, compressed = np.array(TREE).T
    pages = np.rint(np.append(-np.diff(stored), stored[-1]) * MIB / PAGE).astype(int)
    mean = np.append(-np.diff(compressed), compressed[-1]) * MIB / pages
    which = np.repeat(np.arange(len(pages)), pages)
    size = np.concatenate([beta(rng, m, n) for m, n in zip(mean, pages, strict=True)])
    rows = []
    for name, order in orders(rng, which).items():
        percent = [overheads(Zsmalloc(era=era), which[order], size[order]) for era in ("3.10", "3.19")]
        for i, ours in enumerate(zip(*percent, strict=True)):
            told = {"published_percent": WITHOUT[i], "published_merged_percent": MERGED[i]}
            rows.append(
                {"order": name, "step": i, "deleted": DELETED[i - 1] if i else ""}
                | {**told, "percent": ours[0], "merged_percent": ours[1]}
            )
    frame = pd.DataFrame(rows)
    frame["published_less"] = 100 * (1 - frame["published_merged_percent"] / frame["published_percent"])
    frame["less"] = 100 * (1 - frame["merged_percent"] / frame["percent"])
    return frame


def beta(rng: np.random.Generator, mean: float, n: int) -> Ints:
    """n sizes of this mean, with half of it as standard deviation."""
    share = mean / PAGE
    weight = 4 * (1 - share) / share - 1
    return np.maximum(np.rint(PAGE * rng.beta(share * weight, (1 - share) * weight, n)), 32).astype(np.int64)


def orders(rng: np.random.Generator, which: Ints) -> dict[str, Ints]:
    """Orders in which the pages may have been stored."""
    place = np.append(np.argsort(np.argsort(DELETED)), -1)[which]
    apart = np.argsort(place, kind="stable")
    strewn = np.where(rng.random(len(which)) < STREWN, rng.permutation(place), place)
    stays = place[apart] < 0
    among = np.concatenate([np.linspace(0, 1, count) for count in (stays.sum(), (~stays).sum())])
    runs = rng.permutation(-(-len(which) // RUN))[np.arange(len(which)) // RUN]
    return {
        "apart": apart,
        "apart, 2 % strewn": np.argsort(strewn, kind="stable"),
        "spread": apart[np.argsort(among, kind="stable")],
        "anywhere": np.argsort(runs, kind="stable"),
    }


def overheads(allocator: Allocator, which: Ints, size: Ints) -> list[float]:
    """Percent over the data when all is stored, and after each deletion."""
    gone = [np.flatnonzero(which == i) for i in range(len(DELETED))]
    key = np.concatenate((np.arange(len(which)), *gone))
    op = np.repeat(np.array([ALLOC, FREE], np.uint8), (len(which), len(key) - len(which)))
    _, pages = run_operations(allocator, op, key, size[key])
    ends = len(which) - 1 + np.cumsum([0, *map(len, gone)])
    data = size.sum() - np.cumsum([0, *(size[g].sum() for g in gone)])
    return [100 * (pages[end] * PAGE / left - 1) for end, left in zip(ends, data, strict=True)]
