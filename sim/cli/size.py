"""Sizes in bytes on the command line: `256M`, `1.5G`."""

from __future__ import annotations

import re

from sim.errors import UserError

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
LEAST = 1 << 20  # bytes


def size_of(option: str, text: str) -> int:
    """The bytes of a size. Raises UserError for anything else, and for less than 1M."""
    found = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([KMGT]?)(?:i?B)?", text, re.IGNORECASE | re.ASCII)
    size = int(float(found[1]) * UNITS[found[2].upper()]) if found else 0
    if size < LEAST:
        raise UserError(f"{option} {text}: give a size of at least 1M, such as 256M or 1.5G")
    return size
