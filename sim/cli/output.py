"""What commands print on standard output: JSON, CSV, tables."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

UNLIMITED = 10_000  # columns


def print_json(data: Any) -> None:
    """Print indented JSON; NaN, which JSON does not have, is an error."""
    json.dump(data, sys.stdout, indent=2, allow_nan=False)
    print()


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that have the same keys, under a header of them."""
    writer = csv.DictWriter(sys.stdout, rows[0].keys() if rows else (), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def print_table(title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows that have the same keys as a table for people."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        if not table.columns:
            for key in row:
                table.add_column(key)
        table.add_row(*(Text(str(value)) for value in row.values()))
    console().print(table)


def console() -> Any:
    """Standard output for tables: as wide as the terminal, or as wide as they need elsewhere."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=UNLIMITED)


def fitting(table_of: Callable[[list[Any]], Any], items: list[Any], width: int) -> Iterator[Any]:
    """The table of all items, or several tables of fewer, so that none is wider than `width` unless it has only one."""
    from rich.console import Console
    from rich.measure import Measurement

    table, wide = table_of(items), Console(width=UNLIMITED)
    if len(items) < 2 or Measurement.get(wide, wide.options, table).maximum <= width:
        yield table
        return
    half = len(items) // 2
    for part in (items[:half], items[half:]):
        yield from fitting(table_of, part, width)
