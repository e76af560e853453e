"""What compressed swap is worth at each size of RAM, from the `ram` frame: in words and in MiB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.plots.names import distinguished
from sim.results.ram import RAM_FIGURES

if TYPE_CHECKING:
    import pandas as pd

BASELINE = "device"
MIB = 1 << 20
THRASHING = 0.5  # share of the time lost to swapping from which a program thrashes: it works for less than half of it
PARTS = ("frontend", "compressor", "allocator")  # of a way of swapping
MEASURES = {"time_lost_s": "time", "page_ins": "page-ins"}


class Curves(NamedTuple):
    """A trace's measure at each size of RAM: a column for each way of swapping, and the swap device alone."""

    trace: str
    measure: str  # "time_lost_s" where runs are timed, else "page_ins"
    size: str  # "ram" or "limit"
    of: pd.DataFrame  # by size in bytes; float
    device: pd.Series[float]  # by size in bytes, the larger ones too


def curves(ram: pd.DataFrame, measure: str | None = None) -> Iterator[Curves]:
    """Those of every trace, of one setting and policy: the first of each."""
    timed = "time_lost_s" in ram and ram["time_lost_s"].notna().any()
    measure = measure or ("time_lost_s" if timed else "page_ins")
    for trace, rows in ram.groupby("trace", sort=False):
        size = "ram" if rows["ram"].notna().any() else "limit"
        rows = rows[rows[size].notna()]
        others = [name for name in rows if name not in RAM_FIGURES and name not in ("ram", "limit")]
        for name in (name for name in others if name not in ("trace", *PARTS)):
            rows = rows[rows[name].isna() | (rows[name] == rows[name].iloc[0])]
        labels = ways(rows)
        table = rows.assign(way=labels).pivot_table(index=size, columns="way", values=measure, sort=False).sort_index()
        alone = rows[rows["frontend"] == BASELINE]
        device = alone.drop_duplicates(size).set_index(size)[measure].sort_index()
        shown = list(dict.fromkeys(labels[rows["frontend"] != BASELINE]))
        yield Curves(str(trace), measure, size, table[shown].dropna(how="all"), device)


def ways(rows: pd.DataFrame) -> pd.Series[str]:
    """How each row swaps, in as few words as tell them apart."""
    import pandas as pd

    swaps = rows["frontend"] != BASELINE
    names = [name for name in PARTS if name == "compressor" or rows.loc[swaps, name].nunique() > 1]
    words = {name: distinguished(rows.loc[swaps, name]) for name in names}
    told = [
        " ".join(words[name].get(value, "") for name, value in zip(names, of, strict=True)) for of in rows[names].values
    ]

    return pd.Series(told, rows.index).where(swaps, BASELINE)


def worth(curve: Curves) -> pd.DataFrame:
    """MiB that each way of swapping is worth at each size: how much more RAM the swap device alone needs for as little.

    Interpolated between the sizes of its runs. NaN where it needs more than was looked at; negative where it needs
    less: the pool takes RAM from the program.
    """
    device = np.minimum.accumulate(curve.device.to_numpy(float))  # more RAM is never worse, but for noise
    sizes = curve.device.index.to_numpy(float)

    def needed(value: float) -> float:
        if np.isnan(value) or value < device[-1] or not len(device):
            return float("nan")
        if value > device[0]:
            return float(sizes[0])
        i = int(np.argmax(device <= value))
        if i == 0 or device[i] == device[i - 1]:
            return float(sizes[i])
        return float(sizes[i - 1] + (sizes[i] - sizes[i - 1]) * (device[i - 1] - value) / (device[i - 1] - device[i]))

    found: pd.DataFrame = curve.of.map(needed)
    return found.sub(curve.of.index.to_numpy(float), axis=0) / MIB


def verdict(ram: pd.DataFrame) -> Iterator[str]:
    """Sentences: which way loses least at each size, what it is worth, where it thrashes, what the figures lack."""
    for curve in curves(ram):
        many = ram["trace"].nunique() > 1
        of = f"{curve.trace}: " if many else ""
        yield from (of + sentence for sentence in _least(curve))
        yield from (of + sentence for sentence in _thrashing(ram, curve))
        yield from (of + sentence for sentence in _worth(ram, curve))
        yield from (of + sentence for sentence in _below(ram, curve))


def _least(curve: Curves) -> Iterator[str]:
    """Which way loses least at each size, and where they swap places."""
    if curve.of.shape[1] < 2:
        return
    what = "loses the least time" if curve.measure == "time_lost_s" else "has the fewest page-ins"
    spans: list[tuple[str, int, int]] = []
    for size, row in curve.of.dropna().iterrows():
        values = row.to_dict()
        least, most = min(values.values()), max(values.values())
        if most > 0:
            way = str(min(values, key=values.__getitem__)) if least < most else "all alike"
            first = spans.pop()[1] if spans and spans[-1][0] == way else int(str(size))
            spans.append((way, first, int(str(size))))
    told = ", ".join(f"{way} {_span(first, last)}" for way, first, last in spans)
    if told:
        yield f"{what[0].upper()}{what[1:]}: {told}."


def _thrashing(ram: pd.DataFrame, curve: Curves) -> Iterator[str]:
    if "time_lost_share" not in ram:
        return
    shares = next(c for c in curves(ram, "time_lost_share") if c.trace == curve.trace).of.dropna()
    told = []
    for way, share in shares.items():
        bad = share[share >= THRASHING]
        if len(bad):
            told.append(f"{way} up to {_size(bad.index[-1])}")
    if told:
        yield f"Thrashes, losing half of its time or more: {', '.join(told)}."


def _worth(ram: pd.DataFrame, curve: Curves) -> Iterator[str]:
    """The RAM that the swap device alone needs besides, for as little time and for as few page-ins."""
    for measure in ("time_lost_s", "page_ins") if curve.measure == "time_lost_s" else ("page_ins",):
        other = next(c for c in curves(ram, measure) if c.trace == curve.trace)
        if other.size != "ram" or other.device.empty:
            continue
        mib, told = worth(other), []
        for way in mib:
            row = mib[way].where(other.of[way] > 0).dropna()
            if len(row):
                size = row.index[len(row) // 2]
                told.append(f"{way} {row[size]:+.0f}M at {_size(size)} ({row.min():+.0f} to {row.max():+.0f})")
        if told:
            yield f"Worth in RAM against a swap device alone, for equal {MEASURES[measure]}: {'; '.join(told)}."


def _below(ram: pd.DataFrame, curve: Curves) -> Iterator[str]:
    rows = ram[(ram["trace"] == curve.trace) & (ram["below"] > 0.01)]
    if len(rows):
        sizes = rows[curve.size].dropna().astype(int)
        yield (
            f"Up to {_size(sizes.max())} the program has less than in the recording for up to "
            f"{rows['below'].max():.0%} of the events: its page-ins there are more than told; record it in less."
        )
    whole = ram[(ram["trace"] == curve.trace) & (ram["over"] > 0.01)]
    if len(whole):
        yield f"Pages that win nothing fill the pool at {_size(whole[curve.size].max())} and below: it cannot hold."


def _span(first: int, last: int) -> str:
    return f"at {_size(first)}" if first == last else f"{_size(first)} to {_size(last)}"


def _size(size: Any) -> str:
    return f"{int(size) / MIB:g}M"
