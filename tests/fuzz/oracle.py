"""What is true of a trace, found slowly: plain Python over the decoded frames, nothing of cswap's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

KINDS = ("out", "in", "free", "compact", "lost")
EVENTS = {"kind": "uint8", "slot": "int64", "page": "int32", "time_ns": "int64", "task": "int32"}
SIZES = {
    "size": "int32",
    "same_filled": "bool",
    "zero_filled": "bool",
    "compress_ns": "int64",
    "decompress_ns": "int64",
}


class Untrue(Exception):
    """The trace does not hold what it promises: no figure may be made of it."""


def must(condition: Any, what: str) -> None:
    """Raise Untrue unless it holds."""
    if not condition:
        raise Untrue(what)


def figures(folder: Path, size_of: Any, unique: bool = False) -> dict[str, Any]:
    """The figures of `cswap run -f raw -a ideal -c lz4`; Untrue when there must be none.

    `size_of` tells what lz4 makes of a page's bytes; a trace without contents is asked for its own sizes. A page that
    is stored twice changes no figure, and is untrue only if they must be `unique`.
    """
    header = json.loads((folder / "trace.json").read_text())
    frame = pd.read_parquet(folder / "events.parquet")
    columns = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    must(all(EVENTS.get(name) == dtype for name, dtype in columns.items()), f"columns {columns}")
    must({"kind", "slot", "page"} <= set(columns), f"columns {columns}")
    must(("time_ns" in columns) == (header["span_ns"] is not None), "times")
    must(("task" in columns) == header["tasks"], "tasks")
    pages, whole = header["unique_pages"], header["page_size"]
    sizes = _sizes(folder, header, size_of, unique)
    must(len(sizes) == pages, f"{len(sizes)} pages, {pages} promised")
    must(all(0 <= size <= 1 << 20 for size in sizes), "a size out of range")

    counts, held, last, top = dict.fromkeys(KINDS, 0), dict[int, int](), None, -1
    now = best = State(held, whole)
    stored = refused = missing = 0
    for event in frame.to_dict("records"):
        kind, slot, page, time = event["kind"], event["slot"], event["page"], event.get("time_ns", 0)
        must(kind < len(KINDS), f"kind {kind}")
        must(slot >= 0 and (kind != 3 or slot == 0), f"slot {slot}")
        must(0 <= page < pages if kind == 0 else page == -1, f"page {page}")
        must(last is None or time >= last, f"time {time}")
        last, top = time, max(top, slot)
        counts[KINDS[kind]] += 1
        missing += kind == 1 and slot not in held
        if kind in (2, 4):
            held.pop(slot, None)
        if kind == 0:
            held[slot] = sizes[page]
            stored += 1 <= sizes[page] <= whole
            refused += not 1 <= sizes[page] <= whole
        now = State(held, whole)
        best = now if now.slots > best.slots else best
    promised = {kind: header["counts"].get(kind, 0) for kind in KINDS}
    must(counts == promised, f"{counts}, {promised} promised")
    must(top + 1 == header["n_slots"], f"{top + 1} slots, {header['n_slots']} promised")
    if "time_ns" in columns and len(frame):
        span = [int(frame["time_ns"].iloc[0]), int(frame["time_ns"].iloc[-1])]
        must(span == header["span_ns"], f"times {span}, {header['span_ns']} promised")
        must(span[1] - span[0] < 2**63, "a span of 292 years")
    peak = {"pages": best.pages, "objects": best.objects, "bytes": best.bytes, "refused": best.refused}
    return {
        **{
            "density": best.density,
            "density_end": now.density,
            **{f"{name}_peak": value for name, value in peak.items()},
        },
        **{"pages_end": now.pages, "stored": stored, "refused": refused, "missing": missing, "lost": counts["lost"]},
    }


class State:
    """What slots that hold these sizes occupy; a size that no page can hold is refused, and counts as one page."""

    def __init__(self, held: dict[int, int], page_size: int) -> None:
        kept = [size for size in held.values() if 1 <= size <= page_size]
        self.slots = len(held)
        self.objects, self.bytes, self.refused = len(kept), sum(kept), len(held) - len(kept)
        self.pages = math.ceil(self.bytes / page_size)
        whole = self.pages + self.refused
        self.density = (self.objects + self.refused) / whole if whole else None


def _sizes(folder: Path, header: dict[str, Any], size_of: Any, unique: bool) -> list[int]:
    if header["content"]:
        contents = pd.read_parquet(folder / "pages.parquet")["content"].tolist()
        must(all(len(page) == header["page_size"] for page in contents), "pages of other sizes")
        must(not unique or len(set(contents)) == len(contents), "a page stored twice")
        return [size_of(page) for page in contents]
    frame = pd.read_parquet(folder / "sizes" / "lz4.parquet")
    columns = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    must(columns == SIZES, f"sizes {columns}")
    return [int(size) for size in frame["size"]]
