"""Colours, lines and names that all pictures share."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sim.parameters import is_number
from sim.plots.names import distinguished, family_of
from sim.timing.latency import LATER, MEMORY
from workloads.shown import shown
from workloads.traces.sizes import GIVEN

if TYPE_CHECKING:
    import pandas as pd

F = TypeVar("F", bound=Callable[..., Any])

# Okabe and Ito's palette: told apart by colour-blind readers too. An era or parameter shares its family's colour.
FAMILIES = {
    "zsmalloc": "#0072B2",
    "xvmalloc": "#D55E00",
    "zbud": "#CC79A7",
    "z3fold": "#E69F00",
    "zblock": "#661100",
    "order1": "#009E73",
    "kmalloc": "#555555",
    "coalesce": "#56B4E9",
    "ideal": "#000000",
}
OTHERS = ("#7F6A55", "#6A3D9A", "#44AA99", "#882255", "#332288", "#999933")  # an unknown name always has the same one
CODECS = {
    "lz4": "#0072B2",
    "lzo-rle": "#D55E00",
    "lzo": "#E69F00",
    "zstd": "#009E73",
    "deflate": "#882255",
    "lz4hc": "#56B4E9",
    "lz4-lib": "#999999",
}
RECORDINGS = {"gcc": "#0072B2", "pandas": "#E69F00", "redis": "#882255", "node": "#56B4E9"}
DASHES: tuple[Any, ...] = (
    *("-", "--", ":", "-.", (0, (8, 2)), (0, (1, 3)), (0, (5, 1, 1, 1, 1, 1))),
    *((0, (3, 1)), (0, (12, 3, 2, 3)), (0, (2, 5)), (0, (6, 1, 1, 1)), (0, (1, 1, 3, 1))),
)
MARKERS = "os^Dv*XPp<>hdH8"  # what tells lines apart in grey
PALEST = 0.5  # share of white in the last of many variants
IDEAL = "ideal"
US = "µs"


class Look(NamedTuple):
    """How a line is drawn."""

    color: str
    linestyle: Any
    marker: str


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
    return _colour(FAMILIES, allocator)


def codec_colour(codec: str) -> str:
    """The colour of a compressor, whatever its level."""
    return _colour(CODECS, codec)


def trace_colour(trace: str) -> str:
    """The colour of a shipped recording, and of its sample."""
    return _colour(RECORDINGS, trace.removesuffix("-sample"))


def _colour(known: dict[str, str], spec: str) -> str:
    name = family_of(spec)
    return known.get(name) or OTHERS[zlib.crc32(name.encode("utf-8", "replace")) % len(OTHERS)]


def looks(specs: Iterable[str], colour: Callable[[str], str] = colour) -> dict[str, Look]:
    """A look for each spec: colour of its family, solid for the first of a family, dashed and paler for variants.

    Each has a marker of its own, or its family's where there are not enough.
    """
    import matplotlib.colors

    families: dict[str, list[str]] = {}
    for spec in specs:
        families.setdefault(family_of(spec), []).append(spec)
    marked = [spec for name, variants in families.items() for spec in variants if name != IDEAL]
    found = {}
    for i, (name, variants) in enumerate(families.items()):
        for k, spec in enumerate(variants):
            nth = marked.index(spec) if name != IDEAL and len(marked) <= len(MARKERS) else i
            marker = "" if name == IDEAL else MARKERS[nth % len(MARKERS)]
            pale = PALEST * k / max(3, len(variants) - 1)
            red, green, blue = ((1 - pale) * part + pale for part in matplotlib.colors.to_rgb(colour(spec)))
            found[spec] = Look(matplotlib.colors.to_hex((red, green, blue)), DASHES[k % len(DASHES)], marker)
    return found


def in_order(column: Iterable[Any]) -> list[Any]:
    """Distinct values in the order of their first appearance."""
    return list(dict.fromkeys(column))


def by_sweep(rows: pd.DataFrame, also: Iterable[str] = (), without: str = "") -> pd.DataFrame:
    """The rows, with what is swept told in the name of the trace.

    That is, what is swept besides the columns of every result, and the columns `also`.
    """
    columns = [name for name in (*MEMORY, *LATER, *also) if name in rows and name != without]
    swept = [name for name in columns if rows[name].nunique(dropna=False) > 1]
    if not swept:
        return rows
    return rows.assign(trace=[", ".join(_told(row, swept)) for row in rows.to_dict("records")])


def _told(row: Mapping[Any, Any], swept: list[str]) -> Iterator[str]:
    import pandas as pd

    yield str(row["trace"])
    for name in swept:
        if not pd.isna(row[name]):
            number = f"{row[name] / 2**20:g} MiB" if name in ("ram", "limit") else row[name]
            yield f"{name.replace('_', '-')} {number:g}" if is_number(number) else f"{name} {number}"


def compressed(codec: str) -> str:
    """How pages came by their sizes, for the title of a panel."""
    return "sizes given" if codec == GIVEN else f"compressed by {short(codec)}"


def short(spec: str) -> str:
    """The spec of an allocator or a compressor as a label."""
    return shown(spec).replace(":era=", " ").replace(":level=", " level ").replace(":", " ").replace(",", " ")


def named(specs: Iterable[str]) -> dict[str, str]:
    """A label for each spec; where there are several of a family, all say what tells them apart, defaults too."""
    specs = list(dict.fromkeys(specs))
    families = [family_of(spec) for spec in specs]
    told = distinguished(specs)
    return {spec: short(told[spec] if families.count(family_of(spec)) > 1 else spec) for spec in specs}


WAITING = "////"
# Parts of an operation, in the order in which they happen: colour, hatching (of what is waiting, and of what looks
# like its neighbour in grey), and what it says.
PARTS = {
    "queue": ("#D55E00", WAITING, "waiting for a CPU or kswapd"),
    "path": ("#BBBBBB", "", "the kernel's way there and back"),
    "memory": ("#A6761D", "...", "memory out of the caches"),
    "check": ("#777777", "", "same-filled?"),
    "stream": ("#882255", WAITING, "waiting for a compression stream"),
    "compress": ("#0072B2", "", "compressing"),
    "lock": ("#CC3311", WAITING, "waiting for the allocator's lock"),
    "alloc": ("#009E73", "...", "allocating, freeing"),
    "map": ("#F0E442", "", "mapping what spans two pages"),
    "copy": ("#E69F00", "xxx", "copying"),
    "decompress": ("#56B4E9", "", "decompressing"),
    "readahead": ("#CC79A7", "", "pages read ahead"),
    "device": ("#332288", WAITING, "the swap device"),
}
