"""Forged traces: one lie in a trace, and every digest, count and check made right around it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Columns = dict[str, npt.NDArray[Any]]
Change = Callable[[Columns], Columns | None]  # alters columns in place, or returns others
Lie = Mapping[str, Any] | Callable[[dict[str, Any]], dict[str, Any] | None]

KINDS = ("out", "in", "free", "compact", "lost")
EVENTS, PAGES, HEADER = "events.parquet", "pages.parquet", "trace.json"


def forge(
    source: Path,
    target: Path,
    *,
    events: Change | None = None,
    pages: Change | None = None,
    sizes: Mapping[str, Change] | None = None,
    header: Lie | None = None,
    **writing: Any,
) -> Path:
    """Copy the trace `source` to `target` with changes; what the header says of them is made right.

    `events`, `pages` (column `content`, uint8[n, page_size]) and `sizes` by codec change columns; `header` fields of
    trace.json, last of all, so that it can lie about anything but its own check. `writing` goes to pq.write_table.
    """
    shutil.copytree(source, target)
    body = json.loads((source / HEADER).read_text())
    if events is not None:
        columns = _changed(_columns(pq.read_table(target / EVENTS)), events)
        _write(target / EVENTS, columns, {}, writing)
        body |= _counted(columns)
        body["digests"]["events"] = events_digest(columns)
    if pages is not None:
        width = body["page_size"]
        table = pq.read_table(target / PAGES)
        raw = b"".join(table.column("content").to_pylist())
        columns = _changed({"content": np.frombuffer(raw, np.uint8).reshape(-1, width).copy()}, pages)
        content = columns["content"]
        column = pa.array([row.tobytes() for row in content], pa.binary(content.shape[1]))
        field = pa.field("content", column.type, nullable=False)
        pq.write_table(pa.table([column], schema=pa.schema([field])), target / PAGES, **writing)
        body["unique_pages"] = len(content)
        body["digests"]["pages"] = _hash(*(_digest(row.tobytes()) for row in content))
    for codec, change in (sizes or {}).items():
        rewrite_sizes(target / "sizes" / f"{codec}.parquet", change, **writing)
    if sizes and not body["content"]:
        body["digests"]["pages"] = all_sizes_digest(target)
    body["files"] = {name: _hash((target / name).read_bytes()) for name in body["files"] if (target / name).exists()}
    rewrite_header(target, body)
    if header is not None:
        rewrite_header(target, header)
    return target


def rewrite_header(folder: Path, lie: Lie) -> None:
    """Change fields of trace.json and make its check right; lone surrogates and infinities included."""
    body = json.loads((folder / HEADER).read_text())
    body.pop("check", None)
    body = (lie(body) or body) if callable(lie) else {**body, **lie}
    body.pop("check", None)
    body["check"] = _hash(json.dumps(body, sort_keys=True).encode())
    (folder / HEADER).write_text(json.dumps(body, indent=1) + "\n")


def rewrite_sizes(path: Path, change: Change, meta: Mapping[str, str] | None = None, **writing: Any) -> None:
    """Change columns and meta of a sizes file and make its digest right."""
    table = pq.read_table(path)
    old = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    columns = _changed(_columns(table), change)
    new = {key: value for key, value in {**old, **(meta or {})}.items() if key != "digest"}
    _write(path, columns, {**new, "digest": sizes_digest(columns, new)}, writing)


def events_digest(columns: Columns) -> str:
    """The digest of decoded events."""
    parts = (f"{name}={_hash(_bytes(columns[name]))}" for name in sorted(columns))
    return _hash(" ".join(parts).encode())


def sizes_digest(columns: Columns, meta: Mapping[str, str]) -> str:
    """The digest of decoded sizes and their meta."""
    return _hash(repr(sorted(meta.items())).encode(), *(_bytes(column) for column in columns.values()))


def all_sizes_digest(folder: Path) -> str:
    """What stands for the pages of a trace without contents."""
    digests = {}
    for path in sorted((folder / "sizes").glob("[!.]*.parquet")):
        meta = {key.decode(): value.decode() for key, value in pq.read_schema(path).metadata.items()}
        digests[path.name.removesuffix(".parquet")] = meta["digest"]
    return _hash(" ".join(f"{codec}={digests[codec]}" for codec in sorted(digests)).encode())


def _changed(columns: Columns, change: Change) -> Columns:
    return change(columns) or columns


def _columns(table: pa.Table) -> Columns:
    return {name: table.column(name).to_numpy().copy() for name in table.schema.names}


def _counted(columns: Columns) -> dict[str, Any]:
    """What the header says of events; a kind that does not exist counts as lost."""
    kind, slot, time = columns["kind"], columns["slot"], columns.get("time_ns")
    counts = {name: int((kind == code).sum()) for code, name in enumerate(KINDS)}
    counts["lost"] += int((kind >= len(KINDS)).sum())
    return {
        "counts": counts,
        "n_slots": int(slot.max()) + 1 if len(slot) else 0,
        "span_ns": [int(time[0]), int(time[-1])] if time is not None and len(time) else None,
        "tasks": "task" in columns,
    }


def _write(path: Path, columns: Columns, meta: Mapping[str, str], writing: Mapping[str, Any]) -> None:
    arrays = {name: pa.array(column) for name, column in columns.items()}
    fields = [pa.field(name, array.type, nullable=False) for name, array in arrays.items()]
    table = pa.table(list(arrays.values()), schema=pa.schema(fields, metadata=dict(meta)))
    pq.write_table(table, path, **writing)


def _bytes(column: npt.NDArray[Any]) -> bytes:
    return "\n".join(map(str, column)).encode() if column.dtype == object else column.tobytes()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _hash(*parts: bytes) -> str:
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        hasher.update(part)
    return hasher.hexdigest()
