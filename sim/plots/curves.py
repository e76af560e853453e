"""Measures of swapping against the size of RAM, from the `ram` frame; and what compressed swap is worth in MiB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.plots.names import distinguished
from sim.ram.meter import BASELINE, FIGURES

if TYPE_CHECKING:
    import pandas as pd

MIB = 1 << 20
BELOW = 0.01  # share of events at which the program may have had less than in the recording
PARTS = ("frontend", "compressor", "allocator")  # of a way of swapping
LOST = ("time_lost_s", "time_lost_share", "slowdown")
RAM_FIGURES = (*FIGURES, *LOST, "basis")


class Curves(NamedTuple):
    """A trace's measure at each size of RAM: a column for each way of swapping, and the swap device alone."""

    trace: str
    measure: str  # "time_lost_s" where runs are timed, else "page_ins"
    size: str  # "ram" or "limit"
    of: pd.DataFrame  # by size in bytes; float
    device: pd.Series[float]  # by size in bytes, the larger ones too
    below: pd.DataFrame  # as `of`: the share of events at which the program had less than in the recording
    parts: dict[str, tuple[str, ...]]  # frontend, compressor and allocator of each way


def curves(ram: pd.DataFrame, measure: str | None = None) -> Iterator[Curves]:
    """Those of every trace, of one setting and policy: the first of each."""
    timed = "time_lost_s" in ram and ram["time_lost_s"].notna().any()
    measure = measure or ("time_lost_s" if timed else "page_ins")
    for trace, rows in ram.groupby("trace", sort=False):
        size = "ram" if "ram" in rows and rows["ram"].notna().any() else "limit"
        rows = rows[rows[size].notna()]
        others = [name for name in rows if name not in RAM_FIGURES and name not in ("ram", "limit")]
        for name in (name for name in others if name not in ("trace", *PARTS)):
            rows = rows[rows[name].isna() | (rows[name] == rows[name].iloc[0])]
        labels = ways(rows)
        table = rows.assign(way=labels).pivot_table(index=size, columns="way", values=measure, sort=False).sort_index()
        alone = rows[rows["frontend"] == BASELINE]
        device = alone.drop_duplicates(size).set_index(size)[measure].sort_index()
        shown = list(dict.fromkeys(labels[rows["frontend"] != BASELINE]))
        of = (table[shown] if shown else device.to_frame(BASELINE)).dropna(how="all")
        below = rows.assign(way=labels).pivot_table(index=size, columns="way", values="below", sort=False)
        below = below.reindex(of.index, columns=of.columns)
        parts = {str(way): tuple(map(str, part)) for way, part in zip(labels, rows[list(PARTS)].values, strict=True)}
        yield Curves(str(trace), measure, size, of, device, below, parts)


def other(ram: pd.DataFrame, curve: Curves, measure: str) -> Curves:
    """The same trace's by another measure."""
    return next(curves(ram[ram["trace"] == curve.trace], measure))


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

    Interpolated between the sizes of its runs; NaN beyond these, and where the program had less than in the recording.
    Negative where it needs less: the pool takes RAM from the program.
    """
    if curve.device.empty:
        return curve.of * np.nan
    device = np.minimum.accumulate(curve.device.to_numpy(float))  # more RAM is never worse, but for noise
    sizes = curve.device.index.to_numpy(float)

    def needed(value: float) -> float:
        if not device[-1] <= value <= device[0]:
            return float("nan")
        i = int(np.argmax(device <= value))
        if i == 0 or device[i] == device[i - 1]:
            return float(sizes[i])
        return float(sizes[i - 1] + (sizes[i] - sizes[i - 1]) * (device[i - 1] - value) / (device[i - 1] - device[i]))

    found: pd.DataFrame = curve.of.map(needed).where(curve.below <= BELOW)
    return found.sub(curve.of.index.to_numpy(float), axis=0) / MIB
