"""zram's writeback: which pages, and what flash it wears."""

from __future__ import annotations

from sim.advice.judging import ALIKE, FELT, LIKELY, OPEN, PACE, UNFELT, Advice, Row, mib, run_seconds, seconds, unfelt
from sim.advice.runs import canonical
from sim.advice.study import Study

KINDS = ("huge_idle", "huge_idle+idle")
HOUR, DAY = 3600, 86_400
LASTS = HOUR  # seconds that each trace lasts at least where wear is told by the day: one is repeated 24 times at most


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
    evidence = (
        f"{best} frees {mib(max(freed[best], 0), study.page_size)}, writes {wear(study, mine)}; "
        f"loses {seconds(lost[best])}, not {seconds(plain)}"
    )
    told = abs(plain - lost[best]) > max(FELT * run_s, ALIKE * max(plain, lost[best]))
    certainty = LIKELY if study.closed and told else OPEN
    reason = PACE if certainty == LIKELY else unfelt(run_s, UNFELT)
    reason = reason if study.closed else "what RAM is worth to it is not known"
    turns = "pages that stay idle for hours: traces of minutes call pages idle that are read back"
    value = best if good else "no"
    return Advice("writeback", value, evidence, certainty, reason, turns, study.traces, [*study.plain, *rows])


def wear(study: Study, rows: list[Row]) -> str:
    """Bytes written a day, where all traces last long enough to tell; else their share of all page-outs."""
    written, outs = (sum(study.scaled(row, name) for row in rows) for name in ("bd_writes", "page_outs"))
    lasts = [one.trace.duration_s or 0.0 for one in study.workloads]
    if min(lasts) >= LASTS:
        return f"{mib(written * DAY / sum(lasts), study.page_size)} a day"
    return f"{written / outs if outs else 0:.0%} of page-outs"


def _mean(study: Study, rows: list[Row]) -> float:
    """Pages of the pool over time, for the machine."""
    return sum(study.scaled(row, "pool_pages_mean") for row in rows)
