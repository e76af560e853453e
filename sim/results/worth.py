"""What compressed swap is worth at each size of RAM, from the `ram` frame: in words and in MiB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.plots.curves import BELOW, MIB, PARTS, RAM_FIGURES, Curves, curves, other, ways, worth
from sim.ram.meter import BASELINE
from sim.units import UNITS, mib_text

if TYPE_CHECKING:
    import pandas as pd

THRASHING = 0.5  # share of the time lost to swapping from which a program thrashes: it works for less than half of it
SMALL = 16 * MIB  # of a machine this large and larger, a MiB is told, of smaller ones a KiB
AS_GOOD = {"time_lost_s": "To lose as little time as", "page_ins": "To have as few page-ins as"}


def verdict(ram: pd.DataFrame) -> Iterator[str]:
    """Sentences: which way loses least at each size, what it is worth, where it thrashes, what the figures lack."""
    for curve in curves(ram):
        many = ram["trace"].nunique() > 1
        of = f"{curve.trace}: " if many else ""
        yield from (of + sentence for sentence in _least(curve))
        yield from (of + sentence for sentence in _thrashing(ram, curve))
        yield from (of + sentence for sentence in _worth(ram, curve))
        yield from (of + sentence for sentence in _below(ram, curve))
    yield from _not_shown(ram)
    yield from _sure(ram)


def unknown(curve: Curves, size: int) -> bool:
    """Whether the program has less there than in the recording, which tells nothing of that."""
    return bool((curve.below.loc[size] > BELOW).any())


def densities(ram: pd.DataFrame, density: pd.DataFrame) -> Iterator[str]:
    """A sentence a trace: compressed pages in a page of RAM, on the smallest machine that has any, by way of swapping.

    A machine with less memory than in the recording is passed over where there is a larger one.
    """
    for curve in curves(ram):
        if density.empty or curve.size not in density:
            continue
        sizes = [size for size in curve.of.index if not unknown(curve, size)]
        rows = density[(density["trace"] == curve.trace) & density[curve.size].isin(sizes)]
        rows = rows[rows["density"].notna()]
        rows = rows[rows[curve.size] == rows[curve.size].min()]
        rows = rows.assign(way=ways(rows)).drop_duplicates("way")
        if rows.empty:
            continue
        told = [
            f"{way} {row['density']:.2f} ({row['ideal_density']:.2f})" for way, row in rows.set_index("way").iterrows()
        ]
        small = f"; few pages, {rows['pages_peak'].max():,} at most" if rows["small"].all() else ""
        of = f"{curve.trace}: " if ram["trace"].nunique() > 1 else ""
        yield (
            f"{of}Compressed pages in a page of RAM at {mib_text(rows[curve.size].iloc[0])} (packed without loss): "
            f"{', '.join(told)}{small}."
        )


def _not_shown(ram: pd.DataFrame) -> Iterator[str]:
    """What was run besides, of which neither table nor sentences tell: they are of the first of each."""
    known = {"trace", *PARTS, *RAM_FIGURES, "ram", "limit"}
    told = [
        f"{name} {', '.join(map(str, values[1:]))}"
        for name in ram
        if name not in known and len(values := ram[name].dropna().drop_duplicates().tolist()) > 1
    ]
    if {"ram", "limit"} <= set(ram) and ram["ram"].notna().any() and ram["limit"].notna().any():
        told.append("the sizes of limit")
    if told:
        yield f"Not told here, but in --json: {'; '.join(told)}."


def _least(curve: Curves) -> Iterator[str]:
    """Which way loses least at each size, and where they swap places."""
    if curve.of.shape[1] < 2:
        return
    what = "loses the least time" if curve.measure == "time_lost_s" else "has the fewest page-ins"
    spans: list[tuple[str, int, int]] = []
    for size, row in curve.of.dropna().iterrows():
        if unknown(curve, int(str(size))):
            continue
        values = row.to_dict()
        least, most = min(values.values()), max(values.values())
        if most > 0:
            way = " and ".join(str(one) for one in values if values[one] == least) if least < most else "all alike"
            first = spans.pop()[1] if spans and spans[-1][0] == way else int(str(size))
            spans.append((way, first, int(str(size))))
    told = ", ".join(f"{way} {_span(first, last)}" for way, first, last in spans)
    if told:
        yield f"{what[0].upper()}{what[1:]}: {told}."


def _thrashing(ram: pd.DataFrame, curve: Curves) -> Iterator[str]:
    if "time_lost_share" not in ram:
        return
    shares = other(ram, curve, "time_lost_share").of.dropna()
    told = []
    for way, share in shares.items():
        bad = share[share >= THRASHING]
        if len(bad):
            told.append(f"{way} up to {mib_text(bad.index[-1])}")
    if told:
        yield f"Thrashes, losing half of its time or more: {', '.join(told)}."


def _worth(ram: pd.DataFrame, curve: Curves) -> Iterator[str]:
    """The RAM that the swap device alone needs besides, for as little time and for as few page-ins."""
    for measure in ("time_lost_s", "page_ins") if curve.measure == "time_lost_s" else ("page_ins",):
        measured = other(ram, curve, measure)
        if measured.size != "ram" or measured.device.empty:
            continue
        mib, told = worth(measured), list[str]()
        for way in mib:
            row = mib[way].where(measured.of[way] > 0).dropna()
            if len(row):
                needs = ", a swap device alone needs " if not told else ": "
                told.append(f"{way}{needs}{_more(row)}")
        if told:
            yield f"{AS_GOOD[measure]} {'; as '.join(told)}."


def _more(mib: pd.Series[float]) -> str:
    """How much more RAM, from MiB by size: the least and the most, and at which sizes; or the one figure there is."""
    unit = "M" if mib.index.max() >= SMALL else "K"
    more = (mib * (MIB // UNITS[unit])).round()
    sizes = [mib_text(int(str(size))) for size in (more.idxmin(), more.idxmax())]
    least, most = int(more.min()), int(more.max())
    if least == most:
        where = sizes[0] if len(mib) == 1 else f"{mib_text(mib.index.min())} to {mib_text(mib.index.max())}"
        return f"{abs(least)}{unit} {_sign(least)} RAM at {where}"
    first = f"{abs(least)}{unit} {_sign(least)}" if least < 0 < most else f"{abs(least)}{unit}"
    return f"{first} (at {sizes[0]}) to {abs(most)}{unit} (at {sizes[1]}) {_sign(most or least)} RAM"


def _sign(mib: int) -> str:
    return "less" if mib < 0 else "more"


def _below(ram: pd.DataFrame, curve: Curves) -> Iterator[str]:
    rows = ram[(ram["trace"] == curve.trace) & (ram["below"] > BELOW)]
    if len(rows):
        sizes = rows[curve.size].dropna().astype(int)
        yield (
            f"* Up to {mib_text(sizes.max())} the program has less than in the recording for up to "
            f"{rows['below'].max():.0%} of the events: its page-ins there are more than told; record it in less."
        )
    whole = ram[(ram["trace"] == curve.trace) & (ram["over"] > BELOW)]
    if len(whole):
        size = mib_text(whole[curve.size].max())
        yield f"Pages stored whole, which free no memory, fill the pool at {size} and below: it cannot hold."


def _sure(ram: pd.DataFrame) -> Iterator[str]:
    """How sure the figures are, and what they are of."""
    if "time_lost_s" in ram and ram["time_lost_s"].notna().any():
        yield "Time lost: page-ins, and page-outs when kswapd lags; what the recording lost itself is not in it."
    asked_for = ram[ram["frontend"] != BASELINE]
    if "basis" in ram and (told := list(dict.fromkeys(asked_for["basis"].dropna()))):
        yield f"Page-ins are {'; '.join(told[:3])}{' ...' if len(told) > 3 else ''}."
    else:
        yield "How well that fits a program: cswap validate ram, with recordings at several limits."


def _span(first: int, last: int) -> str:
    return f"at {mib_text(first)}" if first == last else f"{mib_text(first)} to {mib_text(last)}"
