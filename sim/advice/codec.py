"""lz4, lzo-rle or zstd, and which level: the densest of those that lose no noticeable time."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sim.advice.judging import (
    CERTAIN,
    HALF_AND_TWICE,
    LIKELY,
    OPEN,
    PACE,
    UNTIMED,
    Advice,
    Cost,
    Row,
    cheapest,
    clear,
    least_work,
    mib,
    run_seconds,
    seconds,
    totals,
)
from sim.advice.runs import PLAIN, is_device
from sim.advice.study import NONE, Study
from sim.advice.workloads import WORTH, packs, worthy
from sim.ram.meter import BASELINE
from workloads.traces.sizes import GIVEN


def codec(study: Study) -> Advice:
    """Which, from runs of zram at once, half and twice the CPU's speed; `none` where swap is better plain."""
    for one in study.workloads:
        study.of_codecs += study.runs.of(one, frontends=(PLAIN, BASELINE), compressors=study.codecs)
        study.of_codecs += study.runs.of(one, compressors=study.codecs, speeds=HALF_AND_TWICE)
    now = [row for row in study.of_codecs if row["cpu_scale"] == study.runs.cpu_scale]
    rows, device = [row for row in now if not is_device(row)], [row for row in now if is_device(row)]
    costs, run_s = totals(rows, "compressor"), run_seconds(rows)
    study.codec = best = cheapest(costs, run_s)
    study.plain = [row for row in rows if row["compressor"] == best]
    alone = totals(device, "frontend")[BASELINE]
    held, dense = packs(study.workloads, study.codecs)

    def advice(value: str | None, evidence: str, certainty: str, reason: str, turns: str = "") -> Advice:
        return Advice("codec", value, evidence, certainty, reason, turns, study.traces, now)

    if held < WORTH:
        study.codec, study.frontend, study.chosen = NONE, BASELINE, device
        told = f"{dense} holds {held:.2f} pages in a page of RAM, no other more"
        if others := [one.trace.name for one in study.workloads if worthy(one.packed)]:
            return advice(NONE, told, OPEN, "traces differ", f"{', '.join(others)} alone: compressed")
        return advice(NONE, told, CERTAIN, "sizes are exact", "pages that compress")
    if study.closed and clear(alone, costs[best], run_s):
        study.codec, study.frontend, study.chosen = NONE, BASELINE, device
        told = f"plain swap loses {seconds(alone.lost_s)}, {best} {seconds(costs[best].lost_s)}"
        return advice(NONE, told, LIKELY, PACE, "a slower swap device, or a faster CPU")
    evidence = _evidence(study, rows, costs, best, run_s)
    if best == GIVEN:
        return advice(None, evidence, OPEN, "sizes of a compressor it does not name")
    if not any(row["objects_peak"] for row in rows):
        return advice(best, evidence, OPEN, "nothing is compressed in the replay", "pages that are not same-filled")
    turned = [told for speed in HALF_AND_TWICE if (told := _at(study, speed, best, run_s))]
    turns = "; ".join([*turned, *_differing(study, rows, best)])
    if not study.closed:
        return advice(best, evidence, OPEN, "what RAM is worth to it is not known", turns)
    if math.isinf(run_s):
        return advice(best, evidence, OPEN, UNTIMED, turns)
    if turned or len(costs) == 1:
        return advice(best, evidence, OPEN, "; ".join(turned) or "only one was looked at", turns)
    return advice(best, evidence, LIKELY, "same at half and twice the CPU's speed", turns)


def _at(study: Study, speed: float, best: str, run_s: float) -> str:
    """What it is on a CPU that takes so many times as long, if that is another one."""
    scale = study.runs.cpu_scale * speed
    rows = [row for row in study.of_codecs if row["cpu_scale"] == scale and not is_device(row)]
    other = cheapest(totals(rows, "compressor"), run_s)
    return "" if other == best else f"{other} on a CPU {'twice' if speed < 1 else 'half'} as fast"


def _differing(study: Study, rows: list[Row], best: str) -> list[str]:
    """What it is for each trace alone, where that is another one."""
    found = []
    for name in study.traces:
        mine = [row for row in rows if row["trace"] == name]
        other = cheapest(totals(mine, "compressor"), run_seconds(mine))
        found += [f"{name} alone: {other}"] if other != best else []
    return found


def _evidence(study: Study, rows: list[Row], costs: Mapping[str, Cost], best: str, run_s: float) -> str:
    """The chosen one beside the quickest, or beside the densest if it is the quickest.

    Times are those of all traces, the pool is the largest of one.
    """

    def told(name: str) -> tuple[str, str, str]:
        pool = max(study.scaled(row, "pool_pages_peak") for row in rows if row["compressor"] == name)
        return seconds(costs[name].lost_s), seconds(costs[name].cpu_s), mib(pool, study.page_size)

    others = {name: cost for name, cost in costs.items() if name != best}
    lost, cpu, pool = told(best)
    evidence = f"loses {lost}{'' if math.isinf(run_s) else f' of {seconds(run_s)}'}, CPU {cpu}, pool {pool}"
    if others:
        quick = least_work(others)
        dense = min(others, key=lambda name: others[name].ram)
        other = dense if best == least_work(costs) else quick
        evidence += f"; {other} {', '.join(told(other))}"
    return evidence
