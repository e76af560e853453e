"""zram's post-processing: what is written to its files `idle`, `recompress` and `writeback`, on a simulated device.

Source: drivers/block/zram/zram_drv.c (6.18), idle_store, recompress_store, writeback_store, scan_slots_for_* and the
buckets of struct zram_pp_ctl: of the slots that qualify the largest objects come first, in steps of 64 bytes, and the
highest slot among equals. Nothing else happens to the device meanwhile.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from allocators import Allocator
from sim.errors import UserError
from sim.frontends.zram import scans
from sim.frontends.zram.device import ZramDevice
from workloads.shown import meant

RECOMPRESSION = ("all", "idle", "huge", "huge_idle")
WRITEBACK = ("idle", "huge", "huge_idle", "incompressible")
BUCKET = 64  # bytes


def mark_idle(device: ZramDevice) -> None:
    """`echo all > idle`: every object is idle until it is read, or its slot written."""
    scans.mark_idle(device)


def recompress(
    device: ZramDevice,
    allocator: Allocator,
    kind: str = "all",
    threshold: int = 0,
    max_pages: int | None = None,
    priority: int | None = None,
) -> None:
    """`echo "type=KIND threshold=... max_pages=... priority=..." > recompress`; kind `all` means no type.

    Objects of less than `threshold` bytes are left alone, and none is replaced by one of that size or more; no more
    than `max_pages` are tried; `priority` names one of the secondary algorithms, else all are tried in turn. Raises
    UserError where the kernel says EINVAL: without such an algorithm, or for a threshold that only huge pages reach.
    """
    algorithms = 1 + len(device.secondary)
    first, end = (1, algorithms) if priority is None else (max(priority, 1), max(priority, 1) + 1)
    if first >= min(end, algorithms):
        raise UserError(f"zram: no secondary algorithm {first}, there are {algorithms - 1}; give recompress=CODEC")
    if not 0 <= threshold < device.rules[0].huge:
        raise UserError(f"zram: threshold={threshold}; give 0 or less than {device.rules[0].huge}, a huge page's size")
    device.counts[0].attempts = -1 if max_pages is None else max_pages
    chosen = in_order(device, kind, RECOMPRESSION, below=end)
    allocator.drive(scans.recompress, len(chosen), device, chosen, first, end, threshold)


def write_back(device: ZramDevice, allocator: Allocator, kind: str) -> None:
    """`echo type=KIND > writeback`: as far as the budget and the backing device reach."""
    chosen = in_order(device, kind, WRITEBACK)
    allocator.drive(scans.write_back, len(chosen), device, chosen, allocator.page_size // 4096)


def in_order(device: ZramDevice, kind: str, known: tuple[str, ...], below: int = 0) -> npt.NDArray[np.int64]:
    """The numbers of the slots that hold an object of a kind, in the order in which zram takes them.

    With `below` only those that an algorithm of a lower number may improve. Raises UserError for a kind not `known`.
    """
    if kind not in known:
        raise UserError(f"zram: type {kind!r} is unknown{meant(kind, known)}; use {', '.join(known)}")
    chosen = np.empty(len(device.entry), np.int64)
    wanted = ("idle" in kind, "huge" in kind, kind == "incompressible")
    chosen = chosen[: scans.choose(device, *wanted, below, chosen)]
    bucket = device.slots.slot["bytes"][chosen] // BUCKET
    return np.ascontiguousarray(chosen[np.argsort(-bucket, kind="stable")])
