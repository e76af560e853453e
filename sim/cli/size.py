"""Sizes in bytes as options: `256M`, `1.5G`."""

from __future__ import annotations

from sim.errors import UserError
from sim.parameters import PAGE
from sim.units import bytes_of

LEAST = 1 << 20  # bytes


def size_of(option: str, text: str) -> int:
    """The bytes of a size. Raises UserError for anything else, and for less than 1M."""
    size = bytes_of(text)
    if size is None or size < LEAST:
        raise UserError(f"{option} {text}: give a size of at least 1M, such as 256M or 1.5G")
    return size


def page_size_of(text: str) -> int:
    """The bytes of `--page-size`, for Typer. Raises UserError unless it is a size; who uses it, says which will do."""
    size = bytes_of(text)
    if not size:
        raise UserError(f"--page-size {text}: give the bytes of a page, such as 4096 or 16K")
    return size


def pages_of(option: str, text: str) -> int:
    """A number of pages. Raises UserError for anything else; of a size it says how many pages that is."""
    if text.isascii() and text.lstrip("-").isdigit():
        return int(text)
    size = bytes_of(text)
    told = "" if size is None else f": {text} is {size // PAGE} pages of {PAGE} bytes"
    raise UserError(f"{option} {text}: give a number of pages{told}")
