"""Content-free traces: what of a trace can be published without publishing anyone's memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workloads.copying import copy_rows
from workloads.disk import open_trace
from workloads.errors import TraceError
from workloads.progress import Progress, silent
from workloads.sizes import Sizes
from workloads.trace import Trace
from workloads.writer import TraceWriter

META = ("codec", "version", "host")  # of sizes; `host` is a kind of processor
TEXTS = ("kind", "reclaim", "backend", "algorithm", "ended")
"""Keys of a trace's source whose texts are cswap's own words; the other texts in it may be anybody's."""
NUMBERS = (
    *("limit", "seconds", "swapped_pages", "held_pages", "zero_pages", "zero_pages_on_device"),
    *("pages_of_others", "stopped_for_memory"),
    *("sample", "mm_stat", "mm_stat_before", "vmstat", "decided", "dropped", "recovered"),
    *("interval", "snapshots", "snapshot_seconds", "processes", "unreadable"),
)
"""Keys under which numbers are kept, at any depth; texts below them (a digest is one) are not."""


def strip_trace(
    trace: Trace,
    path: Path | str,
    sizes: Mapping[str, Sizes],
    *,
    keep_source: bool = False,
    progress: Progress = silent,
) -> Trace:
    """Write the folder `path` with the events of `trace` and `sizes` by codec, and no contents; open it.

    It replays exactly as the original does with those codecs: sizes, times, same-filled and zero-filled
    marks stay, and equal pages still share a number. What could tell contents goes: the pages, and every
    digest made from them, because a digest confirms who guesses right. Of the source `safe_source` is kept,
    all of it with `keep_source`; the name becomes that of the folder. The original is not touched.
    `progress` is called with events done and in all. Raises TraceError when `path` exists or `sizes` is empty.
    """
    if not sizes:
        wrong, remedy = "without contents nothing would be left", "size the pages first"
        raise TraceError.at(trace.path or trace.name, "sizes", wrong, remedy)
    source = trace.source if keep_source else safe_source(trace.source)
    with TraceWriter(path, trace.page_size, source, content=False) as writer:
        for codec, table in sizes.items():
            kept = {key: text for key, text in table.meta.items() if key in META}
            writer.add_sizes(codec, replace(table, meta=kept))
        copy_rows(trace, writer, content=False, progress=progress)
    return open_trace(path)


def safe_source(source: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a source that names nobody: which kind of trace, its limits and counts, the kernel's release.

    Command lines, file and host names, users, notes and digests are left out, and so is every key that is not
    known to be safe. A kernel's release is cut after its numbers: what follows is the builder's own.
    """
    safe = {key: source[key] for key in TEXTS if isinstance(source.get(key), str)}
    release = re.match(r"(Linux )?\d+(\.\d+)*", str(source.get("kernel", "")))
    if release:
        safe["kernel"] = release[0]
    numbers = {key: _numbers(source[key]) for key in NUMBERS if key in source}
    return safe | {key: value for key, value in numbers.items() if value is not None}


def _numbers(value: Any) -> Any:
    """Numbers, and what of a mapping is numbers; None for anything else."""
    if isinstance(value, Mapping):
        inside = {key: _numbers(part) for key, part in value.items()}
        return {key: part for key, part in inside.items() if part is not None} or None
    return value if isinstance(value, int | float) else None
