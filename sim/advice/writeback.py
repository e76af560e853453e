"""zram's writeback: which pages, and what flash it wears."""

from __future__ import annotations

import math

from sim.advice.judging import ALIKE, FELT, LIKELY, OPEN, PACE, Advice, Row, mib, run_seconds, seconds, unfelt
from sim.advice.runs import canonical
from sim.advice.study import Study

KINDS = ("huge_idle", "huge_idle+idle")
DAY = 86_400


def writeback(study: Study) -> Advice:
    """That which loses noticeably less time than none; where RAM's worth is not known, that which frees some of it."""
    rows: list[Row] = []
    for one in study.workloads:
        specs = {canonical(f"zram:writeback={kind},every={study.every(one)}"): kind for kind in KINDS}
        made = study.runs.of(one, frontends=(*specs,), compressors=(study.codec,))
        rows += [row | {"kind": specs[row["frontend"]]} for row in made]
    run_s = run_seconds(rows)
    plain = sum(row["time_lost_s"] for row in study.plain)
    lost = {kind: sum(row["time_lost_s"] for row in rows if row["kind"] == kind) for kind in KINDS}
    freed = {kind: _mean(study, study.plain) - _mean(study, [r for r in rows if r["kind"] == kind]) for kind in KINDS}
    best = min(KINDS, key=lambda kind: lost[kind])
    if study.closed:
        good = plain - lost[best] > FELT * run_s
    else:
        good = lost[best] - plain <= FELT * run_s and freed[best] > ALIKE * _mean(study, study.plain)
    best = best if good else KINDS[-1]
    mine = [row for row in rows if row["kind"] == best]
    wear = sum(study.scaled(row, "bd_writes") for row in mine)
    lasts = _lasts(study)
    pace = "" if math.isinf(lasts) else f", {wear * study.page_size / 2**30 * DAY / lasts:,.0f}G a day"
    evidence = (
        f"{best}: pool -{mib(freed[best], study.page_size)}; {mib(wear, study.page_size)} written{pace}; "
        f"loses {seconds(lost[best])}, not {seconds(plain)}"
    )
    certainty = LIKELY if study.closed and abs(plain - lost[best]) > FELT * run_s else OPEN
    reason = PACE if certainty == LIKELY else unfelt(run_s, "the difference is not felt")
    reason = reason if study.closed else "what RAM is worth to it is not known"
    turns = "pages that stay idle for hours: traces of minutes call pages idle that are read back"
    value = best if good else "no"
    return Advice("writeback", value, evidence, certainty, reason, turns, study.traces, [*study.plain, *rows])


def _lasts(study: Study) -> float:
    """Seconds that the traces last, where all tell."""
    return sum(one.trace.duration_s or math.inf for one in study.workloads)


def _mean(study: Study, rows: list[Row]) -> float:
    """Pages of the pool over time, for the machine."""
    return sum(study.scaled(row, "pool_pages_mean") for row in rows)
