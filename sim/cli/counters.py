"""The frontends' counters of a result, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

KEY = ("trace", "frontend", "compressor", "allocator")
EVERYWHERE = {"refusals", "device_reads", "device_writes"}


def counters(frame: pd.DataFrame) -> Iterator[Any]:
    """A table of the runs in which more happened than refusals of the allocator, if there are any."""
    runs = list(_happened(frame))
    if not runs:
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(title="what the frontends counted", title_justify="left", box=SIMPLE_HEAD)
    for name in KEY:
        table.add_column(name, overflow="fold")
    table.add_column("counters", no_wrap=True)
    for key, counted in runs:
        table.add_row(*map(str, key), "\n".join(f"{name} {value:,}" for name, value in counted.items()))
    yield table


def _happened(frame: pd.DataFrame) -> Iterator[tuple[tuple[Any, ...], dict[str, int]]]:
    """Runs, by their key, and what is not zero in them."""
    if frame.empty:
        return
    for key, mine in frame[frame["value"] > 0].groupby(list(KEY), sort=False):
        counted = dict(zip(mine["counter"], mine["value"], strict=True))
        if counted.keys() - EVERYWHERE:
            yield key, counted
