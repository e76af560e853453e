"""zram or zswap, and how much of RAM zswap's pool may take."""

from __future__ import annotations

from typing import Any

from sim.advice.judging import (
    ASSUMED,
    FELT,
    LIKELY,
    OPEN,
    PACE,
    POOLS,
    UNFELT,
    Advice,
    Cost,
    Row,
    clear,
    mib,
    run_seconds,
    seconds,
    totals,
    unfelt,
)
from sim.advice.runs import is_device, zswap
from sim.advice.study import Study
from sim.ram.meter import BASELINE

USUAL = 20  # percent
PERCENTS = (35, 50)  # looked at where 20 is reached, besides what the pool needs
STEP = 5


def frontend(study: Study) -> list[Advice]:
    """Which, and the percentage of zswap."""
    codec = of_zswap(study.codec)
    missing = codec not in study.codecs
    codec = study.codec if missing else codec
    of_percent = [row | {"percent": USUAL} for one in study.workloads for row in _zswap(study, one, codec, USUAL)]
    if any(row["pool_limit_hit"] for row in of_percent):
        need = max(row["pool_pages_peak"] * row["page_size"] / _ram(study, row) for row in study.plain)
        wanted = min(100, -int(-need * 100 // STEP) * STEP)
        for percent in sorted({*PERCENTS, wanted} - {USUAL}):
            of_percent += [
                row | {"percent": percent} for one in study.workloads for row in _zswap(study, one, codec, percent)
            ]
    percents, run_s = totals(of_percent, "percent"), run_seconds(of_percent)
    felt = min(cost.lost_s for cost in percents.values()) + FELT * run_s
    best = min(percent for percent, cost in percents.items() if cost.lost_s <= felt)
    usual = study.runs.cpu_scale
    device = [row for row in study.of_codecs if is_device(row) and row["cpu_scale"] == usual]
    costs = {
        "zram": totals(study.plain, "frontend")["zram"],
        "zswap": percents[best],
        BASELINE: totals(device, "frontend")[BASELINE],
    }
    chosen = "zswap" if clear(costs["zswap"], costs["zram"], run_s) else "zram"
    study.frontend = chosen
    mine = [row for row in of_percent if row["percent"] == best]
    study.chosen = mine if chosen == "zswap" else study.plain
    rows = [*study.plain, *of_percent, *device]
    return [_which(study, chosen, costs, mine, run_s, rows), _percent(study, best, percents, of_percent, run_s)]


def of_zswap(codec: str) -> str:
    """What zswap takes in place of a compressor with a level, which it cannot be told."""
    return "zstd:level=3" if codec.startswith("zstd") else codec


def _zswap(study: Study, one: Any, codec: str, percent: int) -> list[Row]:
    return study.runs.of(one, frontends=(zswap(one, percent),), compressors=(codec,))


def _ram(study: Study, row: Row) -> float:
    """Bytes of the machine that a run is on, also where it is replayed as recorded."""
    return study.ram / (study.workload(row).scale or 1.0)


def _which(
    study: Study, chosen: str, costs: dict[str, Cost], zswap_rows: list[Row], run_s: float, rows: list[Row]
) -> Advice:
    written = sum(study.scaled(row, "device_writes") for row in zswap_rows)
    other = "zram" if chosen == "zswap" else "zswap"
    lost = {name: seconds(cost.lost_s) for name, cost in costs.items()}
    device = study.runs.swap_device.rpartition("/")[2]
    evidence = (
        f"loses {lost[chosen]}, {other} {lost[other]}, {device} alone {lost[BASELINE]}; "
        f"zswap writes {mib(written, study.page_size)} to {device}"
    )
    turns = "more than mem_limit: a full zram refuses the newest pages, zswap writes back the oldest"
    if not study.closed:
        certainty, reason = OPEN, "what RAM is worth to it is not known"
    elif clear(costs[chosen], costs[other], run_s):
        certainty, reason = LIKELY, PACE
    else:
        certainty, reason = OPEN, unfelt(run_s, f"{other} makes no noticeable difference")
    return Advice("frontend", chosen, evidence, certainty, reason, turns, study.traces, rows)


def _percent(study: Study, best: int, costs: dict[int, Cost], rows: list[Row], run_s: float) -> Advice:
    mine = [row for row in rows if row["percent"] == best]
    most = max(row["pool_pages_peak"] * row["page_size"] / _ram(study, row) for row in mine)
    if len(costs) == 1:
        evidence = f"the pool takes at most {most:.1%} of RAM, so the limit is never reached"
        certainty, reason = (LIKELY, POOLS) if study.exact else (OPEN, "")
    else:
        told = []
        for percent in (USUAL, best if best != USUAL else max(costs)):
            back = sum(row["written_back"] for row in rows if row["percent"] == percent)
            told.append(f"at {percent} {seconds(costs[percent].lost_s)} and {back:,} written back")
        evidence = f"loses {'; '.join(told)}"
        others = [cost for percent, cost in costs.items() if percent < best]
        sure = study.exact and all(clear(costs[best], cost, run_s) for cost in others)
        certainty, reason = (LIKELY, PACE) if sure else (OPEN, unfelt(run_s, UNFELT))
    reason = reason if study.exact else ASSUMED
    turns = "a program that swaps more, or compresses worse"
    return Advice("max_pool_percent", best, evidence, certainty, reason, turns, study.traces, rows)
