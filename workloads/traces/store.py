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

from workloads.traces.copying import save_trace, write_trace
from workloads.traces.disk import open_trace
from workloads.traces.verification import verify
from workloads.traces.writer import TraceWriter

__all__ = ["TraceWriter", "open_trace", "save_trace", "verify", "write_trace"]
