"""Which format a file has, by how it begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from workloads.errors import TraceError
from workloads.files import open_regular
from workloads.readers.base import Reader
from workloads.readers.input import FIRST, Head
from workloads.traces.header_file import HEADER_FILE
from workloads.traces.rawpages import blocks

FALLBACK = "dump"  # pages have no form that could be told
PRINTABLE = frozenset(b"\t\n\r\x0b\x0c\x1b") | frozenset(range(32, 256))


def recognised(path: Path, readers: Mapping[str, type[Reader]]) -> str:
    """Return the name of the one reader that takes the file for its own; raw pages where none does and it is no text.

    Raises TraceError when it is empty, when it is a text or a folder of no known format, or when several readers do.
    """
    if not path.is_dir():
        os.close(open_regular(path, "give a file or folder that you can read", follow=True))
    head = Head.of(path)
    found = [name for name, reader in readers.items() if name != FALLBACK and reader.sniff(head)]
    known = ", ".join(readers)
    if len(found) == 1:
        return found[0]
    if found:
        told = " or ".join(f"--format {name}" for name in found)
        raise TraceError.at(path, "format", f"could be one of {', '.join(found)}", f"give {told}")
    if not path.is_dir() and not path.stat().st_size:
        raise TraceError.at(path, "file", "is empty", "give one with something in it")
    if not head.data and not path.is_dir():
        next(blocks(path, FIRST, lambda _: None), b"")  # says why nothing of it can be read
    if HEADER_FILE in head.names:
        raise TraceError.at(path, "folder", "is a trace already", "use it as it is, as with cswap run")
    if head.data and not PRINTABLE.issuperset(head.data):
        return FALLBACK
    what = "folder" if path.is_dir() else "text"
    raise TraceError.at(path, "format", f"is that of no {what} that is known", f"give --format, one of {known}")
