"""Costs of the timing stage from the samples of a calibration."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.timing.costs import Cost
from sim.timing.lines import FOOTPRINTS

if TYPE_CHECKING:
    import pandas as pd


def measured_costs(frame: pd.DataFrame) -> list[Cost]:
    """The costs that these samples show, in the order of `costs.toml`; all others keep their defaults.

    `frame` as of `sim.calibration.samples`. Medians of the processes' medians; the source of each says how
    far those lie apart.
    """
    found: list[Cost] = []
    chain = frame[frame["measure"] == "chain"]
    if len(chain):
        ghz = (chain["number"] / chain["ns"]).groupby(chain["process"]).median()
        found.append(_cost("cpu.ghz", ghz, "GHz", "a chain of squarings and additions, 4 cycles each"))
    found += _device_costs(frame)
    fault = _medians(frame, "fault")
    if len(fault):
        found.append(_cost("path.fault", fault, "ns", "first write to a page of anonymous memory"))
    cold = _medians(frame, "compare", state="cold")
    if len(cold):
        found.append(_cost("check.same_filled", cold, "ns", "4096 equal bytes, out of the caches"))
    found += _pool_costs(frame)
    found += _memory_costs(frame)
    for state, between, where in (("cold", "", "to"), ("cold both", "cold_", "from and to")):
        copies = _copies(frame, state)
        if copies is not None:
            what = f"copies of 64 to 4096 bytes {where} memory out of the caches"
            found.append(_cost(f"copy.{between}start", copies["start"], "ns", what))
            found.append(_cost(f"copy.{between}per_kib", copies["per_kib"], "ns/KiB", what))
    return found


def to_toml(found: Iterable[Cost], comments: Iterable[str]) -> str:
    """A file for `cswap run --costs`: the comments, then the costs."""
    lines = [f"# {comment}".rstrip() for comment in comments]
    section = ""
    for cost in found:
        head, _, key = cost.name.partition(".")
        if head != section:
            section = head
            lines += ["", f"[{head}]"]
        unit, source = json.dumps(cost.unit), json.dumps(cost.source)
        lines.append(f"{key} = {{ value = {cost.value:g}, unit = {unit}, source = {source} }}")
    return "\n".join(lines) + "\n"


def _medians(frame: pd.DataFrame, measure: str, **which: str) -> pd.Series[float]:
    """Median of each process, in ns; empty when it was not measured."""
    rows = frame[frame["measure"] == measure]
    for column, value in which.items():
        rows = rows[rows[column] == value]
    return rows.groupby("process")["ns"].median()


def _device_costs(frame: pd.DataFrame) -> list[Cost]:
    """The way to a zram device and back, by what moves no page of a trace (`sim.calibration.device`)."""
    store, load = (_medians(frame, "device", part=part, state="warm") for part in ("store", "load"))
    if not len(store):
        return []
    found = [
        _cost(
            "path.page_out",
            (store - _medians(frame, "compare", state="warm")).clip(lower=0),
            "ns",
            "store of a same-filled page on zram through O_DIRECT, less the comparison",
        ),
        _cost("path.page_in", load, "ns", "load of an empty slot of zram through O_DIRECT"),
    ]
    loaded = _medians(frame, "device", part="object load", state="warm")
    if len(loaded):
        what = "load of an object on zram, less that of an empty slot and the codec's time; all in the caches"
        found.append(_cost("path.object", (loaded - load).clip(lower=0), "ns", what))
    return found


def _pool_costs(frame: pd.DataFrame) -> list[Cost]:
    """What zsmalloc does for an object, by what zram does for pages that are no trace's."""
    store, stored, there, empty = (
        _medians(frame, "device", part=part, state="warm")
        for part in ("store", "object store", "object discard", "discard")
    )
    if not len(stored):
        return []
    free = (there - empty).clip(lower=0)
    there_and_back = store - _medians(frame, "compare", state="warm")  # as path.page_out
    hit = (stored - there_and_back - free).clip(lower=0)
    what = "discard of a slot of zram with an object, less that of an empty one; all in the caches"
    told = "store of an object on zram over another, less path.page_out, alloc.free and the codec's time"
    found = [
        _cost("alloc.hit", hit, "ns", told),
        _cost("alloc.free", free, "ns", what),
    ]
    grown = frame[(frame["measure"] == "device") & (frame["part"] == "grow")]
    if len(grown):
        line = _lines_through(grown, 1.0)
        what = "stores on zram that took 1 to 8 new pages for their zspage, less those that took none"
        found.append(
            _cost("alloc.grow", (line["start"] - hit).clip(lower=0), "ns", f"{what}: per zspage, less alloc.hit")
        )
        found.append(_cost("alloc.page", line["slope"], "ns", f"{what}: per page"))
    return found


def _memory_costs(frame: pd.DataFrame) -> list[Cost]:
    """Loads out of the caches, and the lines after the first of what is read."""
    found = []
    for name, size in FOOTPRINTS.items():
        misses = frame[(frame["measure"] == "miss") & (frame["number"] == size >> 10)]
        if len(misses):
            what = f"a load from {size >> 10} KiB of huge pages that waits for the one before, after emptied caches"
            found.append(_cost(f"memory.{name}", misses.groupby("process")["ns"].median(), "ns", what))
    copies = _copies(frame, "cold source")
    if copies is not None:
        what = "copies of 64 to 4096 bytes from memory out of the caches"
        found.append(_cost("memory.read_per_kib", copies["per_kib"], "ns/KiB", what))
    return found


def _copies(frame: pd.DataFrame, state: str) -> pd.DataFrame | None:
    """Columns `start` ns and `per_kib` ns, a row for each process; None when it was not measured."""
    copies = frame[(frame["measure"] == "copy") & (frame["state"] == state)]
    return _lines_through(copies, 1024.0).rename(columns={"slope": "per_kib"}) if len(copies) else None


def _lines_through(frame: pd.DataFrame, unit: float) -> pd.DataFrame:
    """A straight line through the medians of all numbers, for each process: `start` and `slope` per `unit`."""
    import pandas as pd

    lines = {}
    for process, rows in frame.groupby("process"):
        groups = rows.groupby("number")["ns"]
        medians, weights = groups.median(), np.sqrt(groups.count())
        lines[process] = np.polyfit(medians.index.to_numpy(float) / unit, medians, 1, w=weights).clip(0)
    return pd.DataFrame.from_dict(lines, orient="index", columns=["slope", "start"])


def _cost(name: str, medians: pd.Series[float], unit: str, what: str) -> Cost:
    text = f"measured: {what}; {len(medians)} processes: {medians.min():.4g} to {medians.max():.4g}"
    return Cost(name, float(f"{medians.median():.4g}"), unit, text)


def scatter(frame: pd.DataFrame, part: str) -> NDArray[np.float64]:
    """How far stores or loads (`part`) of objects out of the caches lie from their median, ns; float64[n]."""
    rows = frame[(frame["measure"] == "device") & (frame["part"] == part) & (frame["state"] == "cold")]
    ns = rows["ns"].to_numpy(float)
    return ns - np.median(ns) if len(ns) else np.zeros(1)
