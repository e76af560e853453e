"""Lies in traces, every digest made right around them."""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from forging import HEADER, all_sizes_digest, forge, rewrite_header, rewrite_sizes
from mutate import TEXTS, mutated_bytes, mutated_column, mutated_json
from sound import PAGE, pages

WRITABLE = [text for text in TEXTS if "\ud800" not in text]


def forge_events(source: Path, target: Path, draw: Random) -> None:
    """Columns and rows of the events; what the header promises of them follows, or not."""

    def change(columns: dict[str, Any]) -> dict[str, Any]:
        for _ in range(draw.choice((1, 1, 2))):
            name, other = draw.choice(sorted(columns)), draw.choice(sorted(columns))
            length = len(columns[name])
            match draw.randrange(8):
                case 0:
                    count = draw.choice((0, 1, length - 1, length, length + 9))
                    order = sorted(draw.choices(range(length), k=count)) if length else []
                    columns = {name: column[np.array(order, int)] for name, column in columns.items()}
                case 1:
                    order = draw.sample(range(length), length)
                    columns = {name: column[order] for name, column in columns.items()}
                case 2:
                    columns[name], columns[other] = (
                        columns[other].astype(columns[name].dtype),
                        columns[name].astype(columns[other].dtype),
                    )
                case _:
                    columns[name] = mutated_column(columns[name], draw)
        return columns

    promised = json.loads((source / HEADER).read_text())
    old = {key: promised[key] for key in ("counts", "n_slots", "span_ns", "tasks")}
    forge(source, target, events=change, header=draw.choice((None, old)))


def forge_pages(source: Path, target: Path, draw: Random) -> None:
    """Contents, or their number, order and width; the sizes beside them say that they are of these pages, or not."""

    def change(columns: dict[str, Any]) -> dict[str, Any]:
        rows, n = columns["content"], len(columns["content"])
        match draw.randrange(6):
            case 0:
                rows = rows[draw.choices(range(n), k=draw.choice((0, 1, n - 1, n, n + 1, 40)))]
            case 1:
                rows = rows[:, : draw.choice((1, 8, 64, 2048, PAGE - 1))]
            case 2:
                rows = np.concatenate([rows, rows], axis=1)
            case 3:
                rows[draw.randrange(n)] = rows[draw.randrange(n)]
            case _:
                at = draw.randrange(n)
                data = mutated_bytes(rows[at].tobytes(), draw)[:PAGE].ljust(PAGE, b"\0")
                rows[at] = np.frombuffer(data, np.uint8)
        width.append(rows.shape[1])
        return {"content": rows}

    width: list[int] = []
    old = draw.choice(({}, {"unique_pages": len(pages())}))
    forge(source, target, pages=change, header=lambda body: old | body | draw.choice(({}, {}, {"page_size": width[0]})))
    if draw.random() < 0.7:
        digest = json.loads((target / HEADER).read_text())["digests"]["pages"]
        rewrite_sizes(target / "sizes" / "lz4.parquet", lambda columns: columns, {"pages": digest})


def forge_sizes(source: Path, target: Path, draw: Random) -> None:
    """Columns and meta of the sizes."""
    meta = (
        {draw.choice(("codec", "pages", "version", "host", "new")): draw.choice(WRITABLE)}
        if draw.random() < 0.3
        else {}
    )

    def change(columns: dict[str, Any]) -> dict[str, Any]:
        if draw.random() < 0.2:
            order = draw.choices(range(len(columns["size"])), k=draw.choice((0, 1, 8, 9, 9, 10, 40)))
            columns = {name: column[order] for name, column in columns.items()}
        if not meta or draw.random() < 0.5:
            name = draw.choice(("size", "size", *sorted(columns)))
            columns[name] = mutated_column(columns[name], draw)
        return columns

    forge(source, target, sizes={"lz4": change})
    file = target / "sizes" / "lz4.parquet"
    rewrite_sizes(file, lambda columns: columns, meta)
    if draw.random() < 0.1:
        file.rename(
            file.with_name(draw.choice(("given", "zstd:level=3", "lzo-rle", "x y", "[b]x", "\x1b[31m")) + ".parquet")
        )
    if not json.loads((target / HEADER).read_text())["content"] and draw.random() < 0.9:
        rewrite_header(target, lambda body: body["digests"].update(pages=all_sizes_digest(target)))


def forge_header(source: Path, target: Path, draw: Random) -> None:
    """Fields of the header."""

    def lie(body: dict[str, Any]) -> dict[str, Any]:
        for _ in range(draw.choice((1, 1, 2))):
            new = mutated_json(body, draw)
            body = new if isinstance(new, dict) else body
        return body

    forge(source, target, header=lie)


def forge_types(source: Path, target: Path, draw: Random) -> None:
    """Columns of another type, another name, or another order; row groups of other lengths; nulls."""
    shutil.copytree(source, target)
    file = draw.choice(sorted(target.rglob("*.parquet")))
    table = pq.read_table(file)
    names, at = table.schema.names, draw.randrange(table.num_columns)
    with suppress(pa.ArrowException):  # what cannot be cast stays
        match draw.randrange(6):
            case 0:
                table = table.rename_columns(
                    [draw.choice((*WRITABLE, *names)) if i == at else n for i, n in enumerate(names)]
                )
            case 1:
                table = table.remove_column(at)
            case 2:
                table = table.add_column(at, draw.choice((*WRITABLE, *names)), table.column(at))
            case 3:
                kind = draw.choice(
                    (
                        pa.int8(),
                        pa.int64(),
                        pa.uint64(),
                        pa.float64(),
                        pa.string(),
                        pa.binary(),
                        pa.bool_(),
                        pa.decimal128(30),
                        pa.timestamp("ns"),
                        pa.null(),
                    )
                )
                table = table.set_column(at, names[at], table.column(at).cast(kind, safe=False))
            case 4:
                values = table.column(at).to_pylist()
                values[draw.randrange(len(values))] = None
                table = table.set_column(at, names[at], pa.array(values, table.schema.field(at).type))
            case 5:
                table = table.set_column(at, names[at], table.column(at).combine_chunks().dictionary_encode())
    if draw.random() < 0.1:
        table = table.replace_schema_metadata({draw.choice(WRITABLE): draw.choice(WRITABLE)})
    pq.write_table(table, file, row_group_size=draw.choice((None, 1, 7)))
    rewrite_header(target, lambda body: body["files"].update({n: _digest(target / n) for n in body["files"]}))


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
