"""The source of a trace: the words that a recorder writes into it, of which `strip` keeps these; and what they tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

ZEROS_APART = (6, 12)  # the release since which swap core keeps zero-filled pages itself (mm/page_io.c)

DECISIONS = (
    *("frees by reuse", "frees by page-in", "frees by pagemap", "frees of zero pages", "zero page-outs"),
    *("zero page-outs by pagemap", "pages of zeros on the device", "page-outs given to the program by pagemap"),
    *("page-outs noticed by pagemap only", "page-outs of nobody known", "page-outs of others", "records of others"),
    *("page-ins of free slots", "page-ins that left their slot in use"),
)
"""What the ledger counts, in the account of a trace's source."""
DROPPED = ("overrun", "commit overrun", "dropped events", "events that found the ring full")


def swap_keeps_zeros(source: Mapping[str, Any]) -> bool:
    """Whether zero-filled pages never reached the swap device of a recording, as the release of its kernel tells."""
    found = re.match(r"(?:Linux )?(\d{1,3})\.(\d{1,5})", str(source.get("kernel", "")), re.ASCII)
    return found is not None and (int(found[1]), int(found[2])) >= ZEROS_APART


def recorded_limit(source: Mapping[str, Any]) -> int | None:
    """Bytes of the memory in which a trace was recorded, the least if its pool shared them; None if it is not told."""
    limits = source.get("limits")
    least = limits.get("min") if isinstance(limits, Mapping) else None
    return next((told for told in (source.get("limit"), least) if is_size(told)), None)


def is_size(value: object) -> TypeGuard[int]:
    """Whether it is a number of bytes."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53
