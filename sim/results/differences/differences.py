"""Two results, compared measure by measure: ratios, their mean over workloads, and a verdict in words.

Rows are matched by what tells runs apart. A key of which each result has a single value, and not the same, is what is
compared: lz4 in one and zstd in the other. A workload is a trace with a seed; its ratio is the geometric mean of its
rows', and the ratio of a measure that of the workloads, with the 95 % interval of Student's t over their logarithms.

Figures without a clock are exact, so that every difference is real; one is called not significant where workloads
disagree on its direction and the interval includes 1. Timed figures differ by chance too: by more than the clocks'
noise (`noise`) they must differ, or, where that is not known, in an interval over several workloads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError
from sim.results.differences.chance import interval
from sim.results.differences.matching import A, B, compared, matched, values_of
from sim.results.differences.measures import PAGES, RAM, Measure, measures
from sim.results.differences.noise import noise, said_of, same_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from sim.results.result import Result

IDENTICAL, SMALLER, LARGER, CHANCE = "identical", "smaller", "larger", "not significant"
WORKLOAD = ("trace", "seed")
BETTER, WORSE = "better", "worse"


@dataclass(frozen=True)
class Differences:
    """How B differs from A.

    `measures`: a row per measure; measure, rows, workloads, ratio (B / A; NaN if a figure is 0 on one side), low and
    high (of the interval, NaN for one workload or without a ratio), noise (as a ratio, of timed measures; NaN if not
    known), verdict, and what that is: better, worse or
    empty. `rows`: a row per measure and run; measure, the keys, a, b, ratio, and better, worse or empty. `compared`:
    the keys that differ throughout, with either value. `alone`: rows of densities, machines and latencies that only A
    or only B has. `notes`: what else differs.
    """

    measures: pd.DataFrame
    rows: pd.DataFrame
    compared: dict[str, tuple[str, str]]
    alone: tuple[int, int]
    notes: list[str] = field(default_factory=list)

    def significant(self, tolerance: float = 0.01, either: bool = False) -> pd.DataFrame:
        """The measures that are worse by more than `tolerance`, or with `either` also those that are better."""
        ratio = self.measures["ratio"]
        beyond = ratio.isna() | (np.maximum(ratio, 1 / ratio) > 1 + tolerance)  # from 0 there is no ratio
        kinds = (BETTER, WORSE) if either else (WORSE,)
        found: pd.DataFrame = self.measures[beyond & self.measures["effect"].isin(kinds)]
        return found

    def worst(self, number: int, tolerance: float = 0.0) -> pd.DataFrame:
        """The rows that are worse by more than `tolerance`, those by most first."""
        rows = self.rows[self.rows["effect"] == WORSE]
        size = np.log(rows["ratio"]).abs().fillna(np.inf).sort_values(ascending=False, kind="stable")
        found: pd.DataFrame = rows.loc[size.index[size > math.log1p(tolerance)][:number]]
        return found


def differences(a: Result, b: Result) -> Differences:
    """Compare B with A. Raises UserError if they have no run in common."""
    import pandas as pd

    ours, theirs = {one.name: one for one in measures(a)}, {one.name: one for one in measures(b)}
    apart = compared(values_of([a.density, a.ram, a.latency]), values_of([b.density, b.ram, b.latency]))
    found, told, alone = [], [], [0, 0]
    sizes = [told for told in (_page_sizes(a), _page_sizes(b)) if told]
    unlike = any(told != sizes[0] for told in sizes)
    for name in (name for name in ours if name in theirs and not (unlike and name in (*PAGES, *RAM))):
        rows = matched(ours[name].rows, theirs[name].rows, ours[name].column, apart)
        both = rows[rows[A].notna() & rows[B].notna()]
        alone = [max(n, int(rows[side].isna().sum())) for n, side in zip(alone, (B, A), strict=True)]
        if len(both):
            noises = list(_noises(a, b, both, apart, ours[name]))
            found.append(_judged(ours[name], both, noises))
            told.append(_with_ratios(ours[name], both, noises))
    if not found:
        raise UserError("no run of A is in B; compare results that have traces and allocators in common")
    return Differences(
        pd.DataFrame(found), pd.concat(told, ignore_index=True), apart, (alone[0], alone[1]), _notes(a, b, unlike)
    )


def _page_sizes(result: Result) -> set[int]:
    """Those of the pages that figures count; none if it does not say."""
    return {int(size) for size in result.density["page_size"]} if "page_size" in result.density else set()


def _noises(a: Result, b: Result, rows: pd.DataFrame, apart: dict[str, Any], measure: Measure) -> Iterator[float]:
    """The noise of each row; 0 of what has no clock."""
    for row in rows.to_dict("records"):
        trace, codec = (apart.get(key) or (row.get(key, ""),) * 2 for key in ("trace", "compressor"))
        of = a.provenance, b.provenance, trace, codec
        exact = not measure.codec_parts or (measure.modelled and same_times(*of))
        yield 0.0 if exact else noise(*of, measure.codec_parts)


def _judged(measure: Measure, rows: pd.DataFrame, noises: list[float]) -> dict[str, Any]:
    """A row of the measures."""
    known = rows.assign(log=_logs(rows), noise=noises).dropna(subset="log")
    keys = [name for name in WORKLOAD if name in known]
    workloads = known.groupby(keys, sort=False)["log"].mean() if keys else known["log"]
    apart = rows.loc[rows.index.difference(known.index)]  # from or to 0: an endless ratio, and so is that of all
    mean, (low, high) = math.nan if len(apart) else float(workloads.mean()), interval(list(workloads))
    spread = float(np.max(noises)) if measure.codec_parts else math.nan
    noise = spread if measure.codec_parts else 0.0
    verdict = _endless(apart, noise) if len(apart) else _verdict(rows, workloads, low, high, noise)
    several = len(workloads) > 1 and not len(apart)
    return {
        "measure": measure.name,
        "rows": len(rows),
        "workloads": len(workloads),
        "ratio": math.exp(mean),
        "low": math.exp(low) if several else math.nan,
        "high": math.exp(high) if several else math.nan,
        "noise": math.exp(spread),
        "verdict": verdict,
        "effect": _effect(measure, verdict),
    }


def _verdict(rows: pd.DataFrame, workloads: pd.Series[float], low: float, high: float, noise: float) -> str:
    """In words, of the workloads' logarithms; `noise` 0 for what is exact, NaN if it is not known."""
    if bool((rows[A] == rows[B]).all()):
        return IDENTICAL
    mean = float(workloads.mean())
    agreed = bool(mean) and bool((workloads >= 0).all() or (workloads <= 0).all())
    way = LARGER if mean > 0 else SMALLER
    beyond = not low <= 0 <= high
    if math.isnan(noise):
        return way if beyond else CHANCE
    if noise:
        return way if abs(mean) > noise and (beyond or math.isinf(low)) else CHANCE
    return way if agreed or beyond else CHANCE


def _endless(rows: pd.DataFrame, noise: float) -> str:
    """In words, of rows that are 0 on one side: they outweigh all others, if they agree."""
    larger = rows[B] > rows[A]
    if math.isnan(noise) or larger.nunique() > 1:
        return CHANCE
    return LARGER if larger.all() else SMALLER


def _logs(rows: pd.DataFrame) -> pd.Series[float]:
    """Logarithms of B / A: 0 where both are 0, NaN where one of them is."""
    import pandas as pd

    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(rows[B].to_numpy(float) / rows[A].to_numpy(float))
    logs = np.where((rows[A] == rows[B]).to_numpy(bool), 0.0, logs)
    return pd.Series(np.where(np.isfinite(logs), logs, math.nan), rows.index)


def _with_ratios(measure: Measure, rows: pd.DataFrame, noises: list[float]) -> pd.DataFrame:
    logs = _logs(rows)
    beyond = logs.abs().fillna(math.inf) > np.array(noises)  # never, where the noise is not known
    ways = np.where(rows[B] > rows[A], LARGER, SMALLER)
    verdicts = np.where(beyond & (rows[A] != rows[B]), ways, IDENTICAL)
    effects = [_effect(measure, verdict) for verdict in verdicts]
    told = rows.assign(ratio=np.exp(logs), effect=effects)
    told.insert(0, "measure", measure.name)
    return told


def _effect(measure: Measure, verdict: str) -> str:
    if verdict not in (SMALLER, LARGER):
        return ""
    return BETTER if (verdict == LARGER) == measure.more_is_better else WORSE


def _notes(a: Result, b: Result, unlike: bool) -> list[str]:
    """What else differs: contents of traces of one name, and versions."""
    from sim.results.comparing import changes

    traces = [said_of(result.provenance, "traces") for result in (a, b)]
    digests = {name: [said_of(of, name).get("digest") for of in traces] for name in traces[0] if name in traces[1]}
    others = [name for name, (ours, theirs) in digests.items() if ours != theirs]
    notes = [f"other contents in B: trace {', '.join(others)}"] if others else []
    if unlike:
        notes.append("pages have other sizes in B, so their numbers are not compared")
    versions = changes(a.provenance, b.provenance)
    return [*notes, *([f"in B {versions}"] if versions else [])]
