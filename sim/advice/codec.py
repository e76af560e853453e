"""lz4, lzo-rle or zstd, and which level: the densest of those that lose no noticeable time."""

from __future__ import annotations

from sim.advice.judging import (
    CERTAIN,
    CODECS,
    FELT,
    HALF_AND_TWICE,
    LIKELY,
    OPEN,
    PACE,
    Advice,
    Row,
    cheapest,
    clear,
    mib,
    run_seconds,
    seconds,
    totals,
)
from sim.advice.runs import is_device
from sim.advice.study import NONE, Study
from sim.ram.meter import BASELINE
from workloads.traces.sizes import GIVEN

WORTH = 1.1  # pages held in a page of the pool, below which compression is not worth its time


def codec(study: Study) -> Advice:
    """Which, from runs of zram at half, at once and at twice the CPU's speed; None where swap is better plain."""
    speeds = (1.0, *HALF_AND_TWICE)
    for one in study.workloads:
        fronts = ("zram", BASELINE)
        study.of_codecs += study.runs.of(one, frontends=fronts, compressors=study.codecs, speeds=speeds)
    usual = study.runs.cpu_scale
    now = [row for row in study.of_codecs if row["cpu_scale"] == usual]
    rows, device = [row for row in now if not is_device(row)], [row for row in now if is_device(row)]
    costs, run_s = totals(rows, "compressor"), run_seconds(rows)
    best = cheapest(costs, run_s)
    densest = min(costs, key=lambda name: costs[name].ram)
    study.codec = best
    study.plain = [row for row in rows if row["compressor"] == best]
    of_none = totals(device, "frontend")[BASELINE]
    held = _held([row for row in rows if row["compressor"] == densest])
    if held < WORTH:
        study.codec, study.frontend = NONE, BASELINE
        told = f"{densest} holds {held:.2f} pages in a page of RAM, no other more"
        return _advice(study, NONE, told, CERTAIN, "sizes are exact", "pages that compress", now)
    if study.closed and clear(of_none, costs[best], run_s):
        study.codec, study.frontend = NONE, BASELINE
        told = (
            f"loses {seconds(of_none.lost_s)}, {best} {seconds(costs[best].lost_s)}: it leaves the RAM to the program"
        )
        return _advice(study, NONE, told, LIKELY, f"{PACE}; {CODECS}", "a slower swap device", now)
    evidence = _evidence(study, costs, best, run_s)
    if best == GIVEN:
        return _advice(study, None, evidence, OPEN, "its sizes are by one compressor that it does not name", "", now)
    others = {
        speed: cheapest(totals([r for r in study.of_codecs if _zram_at(r, usual * speed)], "compressor"), run_s)
        for speed in HALF_AND_TWICE
    }
    alone = {one.trace.name: cheapest(_of(rows, one.trace.name), one.trace.duration_s or 0) for one in study.workloads}
    turned = [
        f"CPU {'twice as fast' if s < 1 else 'half as fast'}: {name}" for s, name in others.items() if name != best
    ]
    differ = [f"{trace} alone: {name}" for trace, name in alone.items() if name != best]
    turns = "; ".join([*turned, *differ])
    if not study.closed:
        reason = "what the RAM it saves is worth to the program is not known"
        return _advice(study, best, evidence, OPEN, reason, turns, now)
    if turned:
        return _advice(study, best, evidence, OPEN, f"turns with the CPU's speed ({'; '.join(turned)})", turns, now)
    told = "only one was looked at" if len(costs) == 1 else "the same at half and at twice the CPU's speed"
    return _advice(study, best, evidence, LIKELY if len(costs) > 1 else OPEN, told, turns, now)


def _advice(
    study: Study, value: str | None, evidence: str, certainty: str, reason: str, turns: str, rows: list[Row]
) -> Advice:
    return Advice("codec", value, evidence, certainty, reason, turns, study.traces, rows)


def _zram_at(row: Row, scale: float) -> bool:
    return row["cpu_scale"] == scale and not is_device(row)


def _of(rows: list[Row], trace: str) -> dict[str, object]:
    return totals([row for row in rows if row["trace"] == trace], "compressor")


def _held(rows: list[Row]) -> float:
    """Pages held at the fullest moment in a page of RAM; by their bytes, in a pool too small to judge."""
    objects = sum(row["objects_peak"] for row in rows)
    pages = sum(row["bytes_peak"] / row["page_size"] if row["small"] else row["pages_at_fullest"] for row in rows)
    return objects / pages if pages else 1.0


def _evidence(study: Study, costs: dict[str, object], best: str, run_s: float) -> str:
    """The chosen one beside the fastest and the densest."""
    page = study.page_size
    names = list(
        dict.fromkeys([best, min(costs, key=lambda n: costs[n].lost_s), min(costs, key=lambda n: costs[n].ram)])
    )
    if len(names) == 1 and len(costs) > 1:
        names.append(min((n for n in costs if n != best), key=lambda n: costs[n].lost_s))
    told = [f"{name} loses {seconds(costs[name].lost_s)}, pool {mib(costs[name].ram, page)}" for name in names]
    return f"{'; '.join(told)}; of {seconds(run_s)}, {FELT:.0%} is felt"
