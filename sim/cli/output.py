"""What commands print on standard output: JSON, CSV, tables."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from workloads.shown import shown

UNLIMITED = 10_000  # columns
STDOUT = "standard output"


class Closed(io.TextIOBase):
    """Standard output that was closed before the command began."""

    def write(self, text: str, /) -> int:
        """Say so."""
        raise OSError(errno.EBADF, "is closed", STDOUT)


def open_streams() -> None:
    """Replace closed standard streams, so that no file we open gets their numbers."""
    if sys.stdout is not None and sys.stderr is not None:
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    if sys.stdout is None:
        sys.stdout = Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


@contextmanager
def standard_output() -> Iterator[None]:
    """Print inside: a failed write is an OSError that names standard output, or BrokenPipeError."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename not in (None, STDOUT):
            raise
        forget_output()
        raise OSError(error.errno, error.strerror, STDOUT) from error


def forget_output(unless_written: bool = False) -> None:
    """Discard what is not printed yet, and the interpreter's last flush; or only if it cannot be written."""
    with suppress(OSError):
        if unless_written:
            sys.stdout.flush()
            return
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Print a line on standard error, if that can be written."""
    with suppress(OSError):
        print("cswap:", shown(" ".join(text.split())), file=sys.stderr)


def print_line(text: str) -> None:
    """Print a line that contains file names, keys of a trace or other foreign text."""
    print(shown(text))


def print_json(data: Any) -> None:
    """Print indented JSON; NaN, which JSON does not have, is an error."""
    with standard_output():
        json.dump(data, sys.stdout, indent=2, allow_nan=False)
        print()


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that have the same keys, under a header of them."""
    with standard_output():
        writer = csv.DictWriter(sys.stdout, rows[0].keys() if rows else (), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def print_table(title: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows with the same keys as a table."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(shown(title), style="table.title"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        if not table.columns:
            for key in row:
                table.add_column(Text(shown(key)))
        table.add_row(*(Text(shown(value)) for value in row.values()))
    with standard_output():
        console().print(table)


def console() -> Any:
    """Standard output for tables: as wide as the terminal, or as wide as they need elsewhere."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else UNLIMITED
    return Console(width=width, markup=False, emoji=False)  # names of traces may contain anything


def fitting(table_of: Callable[[list[Any]], Any], items: list[Any], width: int) -> Iterator[Any]:
    """The table of all items, or several tables of fewer, so that none is wider than `width` unless it has only one."""
    from rich.console import Console
    from rich.measure import Measurement

    table, wide = table_of(items), Console(width=UNLIMITED, markup=False, emoji=False)
    if len(items) < 2 or Measurement.get(wide, wide.options, table).maximum <= width:
        yield table
        return
    half = len(items) // 2
    for part in (items[:half], items[half:]):
        yield from fitting(table_of, part, width)
