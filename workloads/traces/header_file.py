"""`trace.json`: read as foreign input, every field of its type and within its limits."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Struct

from workloads.errors import TraceError
from workloads.files import REMEDY, read_regular
from workloads.traces.digests import digest_text

FORMAT = 1
HEADER_FILE = "trace.json"
BYTES = 1 << 20  # of the file, at most
NAME = 255  # characters of a name, at most
DEPTH = 16  # of brackets in brackets, at most
PAGE_SIZES = tuple(1 << shift for shift in range(6, 17))

Count = Annotated[int, Meta(ge=0, le=1 << 40)]
Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]
Time = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
File = Annotated[str, Meta(pattern=r"\A(events|pages|slots|memory)\.parquet\Z")]


class Counts(Struct, frozen=True, forbid_unknown_fields=True, rename=lambda name: name.rstrip("_")):
    """Events of each kind; older traces know fewer kinds."""

    out_: Count = 0
    in_: Count = 0
    free_: Count = 0
    compact_: Count = 0
    lost_: Count = 0


class Digests(Struct, frozen=True, forbid_unknown_fields=True):
    """Of the decoded events and pages; of what the slots were called, if they were numbered anew; of memory samples."""

    events: Digest
    pages: Digest
    slots: Digest | None = None
    memory: Digest | None = None


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file, without its check."""

    format: int
    name: str
    page_size: int
    source: dict[str, Any]
    counts: Counts
    n_slots: Annotated[int, Meta(ge=0)]
    unique_pages: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
    content: bool
    span_ns: tuple[Time, Time] | None
    tasks: bool
    digests: Digests
    files: dict[File, Digest]

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise ValueError(f"name {self.name!r} is not printable, or a path")
        if self.page_size not in PAGE_SIZES:
            raise ValueError(
                f"page_size {self.page_size} is not a power of two from {PAGE_SIZES[0]} to {PAGE_SIZES[-1]}"
            )
        if self.span_ns is not None and not 0 <= self.span_ns[1] - self.span_ns[0] < 1 << 63:
            raise ValueError(f"span_ns {list(self.span_ns)} does not go forward, or is 2**63 ns or longer")


def read(path: Path) -> Body:
    """Read `trace.json`; TraceError when it is missing, too long or deep, no JSON, changed, or not sound."""
    if not path.parent.is_dir():
        raise TraceError.at(path.parent, "folder", "is no trace", "give the folder NAME.cswap of a trace")
    data = read_regular(path, BYTES, "give the folder NAME.cswap of a trace")
    if _depth(data) > DEPTH:
        raise TraceError.at(path, "JSON", f"is nested deeper than {DEPTH}", REMEDY)
    try:
        body = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise TraceError.at(path, "JSON", f"cannot be read ({error})", REMEDY) from error
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        found = body.get("format") if isinstance(body, dict) else None
        wrong = f"is {str(found)[:20]!r}" if isinstance(found, str) else f"is {str(found)[:20]}"
        raise TraceError.at(path, "format", f"{wrong}, this cswap reads {FORMAT}", "use the release that wrote it")
    if body.pop("check", None) != _check(body):
        raise TraceError.at(path, "check", "does not match the rest of the file", REMEDY)
    return _sound(path, body, REMEDY)


def write(path: Path, body: dict[str, Any]) -> None:
    """Write `trace.json`; TraceError when `read` would refuse it."""
    _sound(path, body, "give another")
    body = {**body, "check": _check(body)}
    data = (json.dumps(body, indent=1, allow_nan=False) + "\n").encode()
    if len(data) > BYTES or _depth(data) > DEPTH:
        wrong = f"is longer than {BYTES:,} bytes, or nested deeper than {DEPTH}"
        raise TraceError.at(path, "source", wrong, "shorten the source")
    path.write_bytes(data)


def check_name(path: Path, name: str) -> str:
    """Return a name that a trace can have; TraceError for any other."""
    if not _is_name(name):
        wrong = f"{name[:NAME]!r} cannot be a trace's"
        raise TraceError.at(path, "name", wrong, f"give up to {NAME} printable characters without /")
    return name


def _is_name(name: str) -> bool:
    return 0 < len(name) <= NAME and name not in (".", "..") and "/" not in name and name.isprintable()


def _sound(path: Path, body: dict[str, Any], remedy: str) -> Body:
    try:
        return msgspec.convert(body, Body)
    except msgspec.ValidationError as error:
        raise TraceError.at(path, "fields", f"missing or wrong: {error}", remedy) from error


def _depth(data: bytes) -> int:
    """How deep brackets lie in brackets, outside of texts."""
    code = np.frombuffer(re.sub(rb'"(?:[^"\\]|\\.)*+"', b"", data, flags=re.DOTALL), np.uint8)
    step = np.isin(code, (ord("["), ord("{"))).astype(np.int64) - np.isin(code, (ord("]"), ord("}")))
    return int(step.cumsum().max(initial=0))


def _check(body: dict[str, Any]) -> str:
    return digest_text(json.dumps(body, sort_keys=True))
