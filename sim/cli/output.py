"""What commands print on standard output: JSON, CSV, tables."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


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
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        if not table.columns:
            for key in row:
                table.add_column(key)
        table.add_row(*(Text(str(value)) for value in row.values()))
    Console().print(table)
