"""Sizes in bytes as people write them: one reader for options, specs and files of settings."""

from __future__ import annotations

import re
from decimal import Decimal

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,19})?) ?(?:([KMGT])(?:i?B)?|B)?", re.IGNORECASE | re.ASCII)


def bytes_of(text: str) -> int | None:
    """The bytes of `256M`, `1.5G`, `64KiB` or `4096`, units being powers of 1024; None for anything else.

    A fraction of a byte is cut off, but bytes alone must be whole.
    """
    found = _SIZE.fullmatch(text.strip())
    unit = (found[2] or "").upper() if found else ""
    if found is None or ("." in found[1] and not unit):
        return None
    return int(Decimal(found[1]) * UNITS[unit])


def has_unit(text: str) -> bool:
    """Whether it is a size with a unit, so that it cannot be a plain number."""
    return bytes_of(text) is not None and not text.strip().isdigit()


def size_text(size: int) -> str:
    """A number of bytes in the largest unit that divides it: `256M`."""
    unit = next(unit for unit in reversed(UNITS) if size % UNITS[unit] == 0 and (size or not unit))
    return f"{size // UNITS[unit]}{unit}"


def mib_text(size: float) -> str:
    """A number of bytes in MiB, below one in KiB: `400M`, `1.5M`, `12K`; whole KiB with as many digits as it takes."""
    unit = "K" if 0 < abs(size) < UNITS["M"] else "M"
    text = f"{size / UNITS[unit]:g}{unit}"
    return f"{size / UNITS['K']:.0f}K" if size % UNITS["K"] == 0 and bytes_of(text) != size >= 0 else text
