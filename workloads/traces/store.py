"""The on-disk form of a trace, format version 1.

A folder `NAME.cswap/`, readable with plain pandas:

- `trace.json`: name, page size, source, counts, digests;
- `events.parquet`: `kind` uint8, `slot` int64, `page` int32, optionally `time_ns` int64 and `task` int32;
- `pages.parquet`: `content`, fixed-size binary, one row per unique page; absent in a content-free trace;
- `slots.parquet`: `slot` uint64, what each slot was called before it was numbered; absent where none was;
- `memory.parquet`: samples of the program's memory, int64 columns; absent where the recorder took none;
- `sizes/CODEC.parquet`: `size`, `same_filled`, `zero_filled`, `compress_ns`, `decompress_ns`, one row a
  unique page.
"""

from __future__ import annotations

from typing import Any

from workloads.limits import SLOTS
from workloads.traces.copying import save_trace, write_trace
from workloads.traces.disk import open_trace
from workloads.traces.memory import memory_facts
from workloads.traces.trace import Trace
from workloads.traces.verification import verify
from workloads.traces.writer import TraceWriter

__all__ = ["TraceWriter", "info", "open_trace", "save_trace", "verify", "write_trace"]


def info(trace: Trace) -> dict[str, Any]:
    """Return what there is to know about a trace, JSON-safe, in a stable order; reads its events.

    `in_never_written` are page-ins of slots that were never written, `in_freed` of slots freed since; None where a
    device has no room for so many slots.
    """
    empty = trace.empty_reads if trace.n_slots <= SLOTS else None
    return {
        "name": trace.name,
        "events": trace.n_events,
        **trace.counts,
        "in_never_written": empty and empty.never_written,
        "in_freed": empty and empty.freed,
        "unique_pages": trace.unique_pages,
        "page_size": trace.page_size,
        "content": trace.content,
        "slots": trace.n_slots,
        "renumbered": trace.header.slots_digest is not None,
        "duration_s": trace.duration_s,
        **memory_facts(trace.memory),
        "digest": trace.digest,
        "sizes": trace.sizes_codecs(),
        "source": trace.source,
    }
