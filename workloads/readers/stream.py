"""Texts from elsewhere, plain or compressed, read as blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from workloads.errors import TraceError
from workloads.traces.rawpages import BLOCK, Moved, blocks

LINE = 1 << 16  # bytes of the longest line


def lines(path: Path, moved: Moved) -> Iterator[bytes]:
    """Yield blocks of whole lines; blank lines at the end of the file are dropped. TraceError for a line too long."""
    return whole_lines(path, blocks(path, BLOCK, moved))


def whole_lines(file: object, parts: Iterable[bytes]) -> Iterator[bytes]:
    """Cut what comes in any parts into blocks of whole lines, as `lines` does."""
    rest, blank, line = b"", 0, 1  # what waits: the beginning of a line, behind blank ones that may be the last
    for part in parts:
        block = rest + part
        cut = block.rfind(b"\n") + 1
        text = len(block[:cut].rstrip())
        end = block.index(b"\n", text) + 1 if text else 0  # of the last line with text
        if text:
            yield from _blank(blank)
            yield block[:end]
            line += blank + block.count(b"\n", 0, end)
            blank = 0
        blank += block.count(b"\n", end, cut)
        rest = block[cut:]
        if len(rest) > LINE:
            wrong = f"is longer than {LINE:,} bytes"
            raise TraceError.at(file, f"line {line + blank}", wrong, "give a text file, one row per line")
    if rest.strip():
        yield from _blank(blank)
        yield rest.rstrip()


def _blank(count: int) -> Iterator[bytes]:
    for start in range(0, count, LINE):
        yield b"\n" * min(LINE, count - start)
