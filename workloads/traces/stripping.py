"""Content-free traces: what of a trace can be published without publishing anyone's memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workloads.errors import TraceError
from workloads.host.counters import DIRECT_RECLAIM, VMSTAT
from workloads.host.mmstat import MmStat
from workloads.progress import Progress, silent
from workloads.traces.copying import copy_rows
from workloads.traces.disk import open_trace
from workloads.traces.events import KINDS
from workloads.traces.sizes import SPREAD, SPREAD_TEXTS, Sizes
from workloads.traces.slots import anonymous
from workloads.traces.source import DECISIONS, DROPPED
from workloads.traces.trace import Trace
from workloads.traces.writer import TraceWriter

FORMATS = (
    "csv|dump|swap|elf|lime|avml|criu|quetschn|ariadne|memory|fio|msr|swapreplay|cachesim-csv|lackey|oracle-general"
    "|blkparse|trace-events"
)
MOST = 1 << 63  # a number beyond is none of cswap's

TEXTS = {
    "kind": re.compile(f"recording|frame|synthetic|{FORMATS}"),
    "reclaim": re.compile("simulated"),
    "backend": re.compile("bpf|tracefs|snapshot"),
    "algorithm": re.compile("lzo|lzo-rle|lz4|lz4hc|zstd|deflate|842"),
    "ended": re.compile(r"duration|signal \d{1,2}|command ended with status \d{1,3}"),
}
"""Keys of a trace's source under which cswap's own words stay; the other texts in it may be anybody's."""
KERNEL = re.compile(r"(Linux )?\d{1,3}(\.\d{1,5}){1,3}")
EVENTS = dict.fromkeys(KINDS)
NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("limit", "ram", "seconds", "swapped_pages", "held_pages", "zero_pages", "zero_pages_on_device")),
    **dict.fromkeys(
        (
            "pages_of_others",
            "stopped_for_memory",
            "watching_cpu_s",
            "too_small",
            "limit_busy",
            "interval",
            "snapshots",
            "processes",
            "unreadable",
        )
    ),
    "limits": dict.fromkeys(("min", "mean", "max")),
    "excess": dict.fromkeys(("mean", "max")),
    "mm_stat": dict.fromkeys(MmStat._fields),
    "mm_stat_before": dict.fromkeys(MmStat._fields),
    "vmstat": dict.fromkeys((*VMSTAT, DIRECT_RECLAIM)),
    "decided": dict.fromkeys(DECISIONS),
    "dropped": dict.fromkeys(DROPPED),
    "recovered": dict.fromkeys(("segments", "damaged")),
    "snapshot_seconds": dict.fromkeys(("mean", "max")),
    "sample": {"share": None, "seed": None, "of": {"unique_pages": None, **EVENTS}},
}
"""Keys under which a number stays, or such keys do; nothing else, for a key can tell as much as a text."""
META = {
    "version": re.compile(r"((liblz4|libzstd|zlib) )?\d{1,4}(\.\d{1,4}){0,3}"),
    "host": re.compile("x86_64|AMD64|i[3-6]86|aarch64|arm64|armv[5-8]l|riscv64|ppc64le|s390x|loongarch64"),
    **dict(zip(SPREAD, SPREAD_TEXTS, strict=True)),
}
"""What of the meta of sizes stays besides the codec; `host` is a kind of processor."""


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
    digest made from them, because a digest confirms who guesses right. What numbered slots were called goes too, all
    but which lie side by side. Of the source `safe_source` is kept, all of it with `keep_source`; the name becomes that
    of the folder. The original is not touched. `progress` is called with events done and in all. Raises TraceError when
    `path` exists or `sizes` is empty.
    """
    if not sizes:
        wrong, remedy = "without contents nothing would be left", "size the pages first"
        raise TraceError.at(trace.path or trace.name, "sizes", wrong, remedy)
    source = trace.source if keep_source else safe_source(trace.source)
    with TraceWriter(path, trace.page_size, source, content=False) as writer:
        for codec, table in sizes.items():
            kept = {key: table.meta[key] for key, words in META.items() if _matches(words, table.meta.get(key))}
            writer.add_sizes(codec, replace(table, meta={"codec": codec, **kept}))
        original = trace.original_slots()
        writer.add_original_slots(None if original is None else anonymous(original, trace.page_size))
        writer.add_memory(trace.memory)
        copy_rows(trace, writer, content=False, progress=progress)
    return open_trace(path)


def safe_source(source: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a source that names nobody: which kind of trace, its limits and counts, the kernel's release.

    Command lines, file and host names, users, notes and digests are left out, and so is every key that is not
    known to be safe, at any depth. A kernel's release is cut after its numbers: what follows is the builder's own.
    """
    safe = {key: source[key] for key, words in TEXTS.items() if _matches(words, source.get(key))}
    release = KERNEL.match(str(source.get("kernel", "")))
    if release:
        safe["kernel"] = release[0]
    return safe | _numbers(source, NUMBERS)


def _matches(words: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and words.fullmatch(value) is not None


def _numbers(source: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers under known keys; a mapping of which nothing is left goes too."""
    kept: dict[str, Any] = {}
    for key, below in known.items():
        value = source.get(key)
        if below is not None:
            inside = _numbers(value, below) if isinstance(value, Mapping) else {}
            if inside:
                kept[key] = inside
        elif isinstance(value, int | float) and abs(value) < MOST:
            kept[key] = value
    return kept
