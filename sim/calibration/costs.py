"""Costs of the timing stage from the samples of a calibration."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from sim.timing.costs import Cost

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
    compare = _medians(frame, "compare", state="warm")
    store, load = (_medians(frame, "device", part=part) for part in ("store", "load"))
    if len(store):
        what = "store of a same-filled page on zram through O_DIRECT, less the comparison"
        found.append(_cost("path.page_out", (store - compare).clip(lower=0), "ns", what))
        found.append(_cost("path.page_in", load, "ns", "load of an empty slot of zram through O_DIRECT"))
    fault = _medians(frame, "fault")
    if len(fault):
        found.append(_cost("path.fault", fault, "ns", "first write to a page of anonymous memory"))
    cold = _medians(frame, "compare", state="cold")
    if len(cold):
        found.append(_cost("check.same_filled", cold, "ns", "4096 equal bytes, not in the core's caches"))
    copies = frame[(frame["measure"] == "copy") & (frame["state"] == "cold")]
    if len(copies):
        found += _copy_costs(copies)
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


def _copy_costs(copies: pd.DataFrame) -> list[Cost]:
    """A straight line through the medians of all sizes, for each process."""
    import pandas as pd

    lines = {}
    for process, rows in copies.groupby("process"):
        medians = rows.groupby("number")["ns"].median()
        lines[process] = np.polyfit(medians.index.to_numpy(float) / 1024, medians.to_numpy(), 1).clip(0)
    line = pd.DataFrame.from_dict(lines, orient="index", columns=["per_kib", "start"])
    what = "copies of 64 to 4096 bytes to memory that is not in the core's caches"
    return [
        _cost("copy.start", line["start"], "ns", what),
        _cost("copy.per_kib", line["per_kib"], "ns/KiB", what),
    ]


def _cost(name: str, medians: pd.Series[float], unit: str, what: str) -> Cost:
    text = f"measured: {what}; {len(medians)} processes: {medians.min():.4g} to {medians.max():.4g}"
    return Cost(name, float(f"{medians.median():.4g}"), unit, text)
