"""What is written to zram's files `idle`, `recompress` and `writeback`, done to a simulated device.

Source: drivers/block/zram/zram_drv.c (6.18), idle_store, recompress_store, writeback_store, scan_slots_for_* and the
buckets of struct zram_pp_ctl: of the slots that qualify the largest objects come first, in steps of 64 bytes, and the
highest slot among equals. Nothing else happens to the device meanwhile.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from allocators import Allocator
from sim.errors import UserError
from sim.frontends.base import drive
from sim.frontends.kernels import slots, zram_upkeep
from sim.frontends.kernels.zram import Zram

RECOMPRESSION = ("all", "idle", "huge", "huge_idle")
WRITEBACK = ("idle", "huge", "huge_idle", "incompressible")
BUCKET = 64  # bytes

Mask = npt.NDArray[np.bool_]


def mark_idle(device: Zram) -> None:
    """`echo all > idle`: every object is idle until it is read, or its slot written."""
    device.entry["idle"][objects(device)] = 1


def recompress(
    device: Zram,
    allocator: Allocator,
    kind: str = "all",
    threshold: int = 0,
    max_pages: int | None = None,
    priority: int | None = None,
) -> None:
    """`echo "type=KIND threshold=... max_pages=... priority=..." > recompress`; kind `all` is no type.

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
    entry = device.entry
    fit = qualified(device, kind, RECOMPRESSION) & (entry["incompressible"] == 0) & (entry["priority"] + 1 < end)
    device.counts[0].attempts = -1 if max_pages is None else max_pages
    drive(zram_upkeep.recompress, device, allocator, in_order(device, fit), first, end, threshold)


def write_back(device: Zram, allocator: Allocator, kind: str) -> None:
    """`echo type=KIND > writeback`: as far as the budget and the backing device reach."""
    unit = allocator.page_size // 4096
    drive(zram_upkeep.write_back, device, allocator, in_order(device, qualified(device, kind, WRITEBACK)), unit)


def objects(device: Zram) -> Mask:
    """The slots that hold an object; bool[slots]."""
    what = device.slots.slot["what"]
    found: Mask = (what == slots.OBJECT) | (what == slots.HUGE)
    return found


def qualified(device: Zram, kind: str, known: tuple[str, ...]) -> Mask:
    """The slots that hold an object of a kind; bool[slots]. Raises UserError for a kind that is not `known`."""
    if kind not in known:
        raise UserError(f"zram: type {kind!r} is unknown; use {', '.join(known)}")
    fit = objects(device)
    if "idle" in kind:
        fit &= device.entry["idle"] == 1
    if "huge" in kind:
        fit &= device.slots.slot["what"] == slots.HUGE
    if kind == "incompressible":
        fit &= device.entry["incompressible"] == 1
    return fit


def in_order(device: Zram, fit: Mask) -> npt.NDArray[Any]:
    """The numbers of the slots that fit, in the order in which zram takes them; int64[n]."""
    chosen = np.flatnonzero(fit)[::-1]
    bucket = device.slots.slot["bytes"][chosen] // BUCKET
    return np.ascontiguousarray(chosen[np.argsort(-bucket, kind="stable")])
