"""Colours, names and small helpers that all pictures share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from sim.parameters import is_number
from sim.timing.latency import LATER, MEMORY

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])

# Okabe and Ito's palette: told apart by colour-blind readers too. An era or parameter shares its family's colour.
FAMILIES = {
    "zsmalloc": "#0072B2",
    "xvmalloc": "#D55E00",
    "zbud": "#CC79A7",
    "z3fold": "#E69F00",
    "order1": "#009E73",
    "kmalloc": "#999999",
    "coalesce": "#56B4E9",
    "ideal": "#000000",
}
OTHER = "#7F6A55"
LINES = ("-", "--", ":", "-.")


def plainly(draw: F) -> F:
    """Let a function draw names as they are: in matplotlib `$` begins mathematics, in a trace's name it does not."""

    @wraps(draw)
    def drawn(*given: Any, **named: Any) -> Any:
        import matplotlib as mpl

        with mpl.rc_context({"text.parse_math": False}):
            return draw(*given, **named)

    return drawn  # type: ignore[return-value]


def colour(allocator: str) -> str:
    """The colour of an allocator's family."""
    return FAMILIES.get(allocator.partition(":")[0], OTHER)


def line_styles(allocators: list[str]) -> dict[str, str]:
    """A line style for each allocator: solid for the first of a family, others for its variants."""
    seen: dict[str, int] = {}
    styles = {}
    for allocator in allocators:
        family = allocator.partition(":")[0]
        styles[allocator] = LINES[seen.get(family, 0) % len(LINES)]
        seen[family] = seen.get(family, 0) + 1
    return styles


def in_order(column: pd.Series[Any]) -> list[Any]:
    """Distinct values in the order of their first appearance."""
    return list(dict.fromkeys(column))


def by_sweep(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with what is swept besides the columns of every result told in the name of the trace."""
    swept = [name for name in (*MEMORY, *LATER) if name in rows and rows[name].nunique(dropna=False) > 1]
    if not swept:
        return rows
    return rows.assign(trace=[", ".join(_told(row, swept)) for row in rows.to_dict("records")])


def _told(row: Mapping[Any, Any], swept: list[str]) -> Iterator[str]:
    import pandas as pd

    yield str(row["trace"])
    for name in swept:
        if not pd.isna(row[name]):
            yield f"{name.replace('_', '-')} {row[name]:g}" if is_number(row[name]) else f"{name} {row[name]}"


def short(spec: str) -> str:
    """The spec of an allocator or a compressor as a label."""
    return spec.replace(":era=", " ").replace(":level=", " level ").replace(":", " ").replace(",", " ")


WAITING = "////"
# Parts of an operation, in the order in which they happen: colour, hatching (of what is waiting), and what it says.
PARTS = {
    "queue": ("#D55E00", WAITING, "waiting for a CPU or kswapd"),
    "path": ("#BBBBBB", "", "the kernel's way there and back"),
    "check": ("#777777", "", "same-filled?"),
    "stream": ("#882255", WAITING, "waiting for a compression stream"),
    "compress": ("#0072B2", "", "compressing"),
    "lock": ("#CC3311", WAITING, "waiting for the allocator's lock"),
    "alloc": ("#009E73", "", "allocating, freeing"),
    "map": ("#F0E442", "", "mapping what spans two pages"),
    "copy": ("#E69F00", "", "copying"),
    "decompress": ("#56B4E9", "", "decompressing"),
    "readahead": ("#CC79A7", "", "pages read ahead"),
    "device": ("#332288", WAITING, "the swap device"),
}

CODECS = {
    "lz4": "#0072B2",
    "lzo-rle": "#D55E00",
    "lzo": "#E69F00",
    "zstd": "#009E73",
    "deflate": "#882255",
    "lz4hc": "#56B4E9",
    "lz4-lib": "#999999",
}


def codec_colour(codec: str) -> str:
    """The colour of a compressor, whatever its level."""
    return CODECS.get(codec.partition(":")[0], OTHER)
