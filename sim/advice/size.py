"""How large the device may be, and how much RAM it may take: what the worst of the traces needs."""

from __future__ import annotations

from sim.advice.judging import ALIKE, ASSUMED, LIKELY, OPEN, POOLS, SMALL, Advice, Row, mib
from sim.advice.study import Study, worst
from sim.plots.curves import BELOW

MIB = 1 << 20
STEPS = 16  # sizes are rounded up to a sixteenth of the power of two below them
MORE = 1 + ALIKE  # by so much predictions are missed
ENTRY = 16  # bytes of zram's table for each page of disksize (struct zram_table_entry, 6.18, x86-64)


def rounded(pages: int, page_size: int) -> int:
    """MiB, rounded up to a step that is no more than a sixteenth."""
    size = max(1, -(-pages * page_size // MIB))
    step = max(1, (1 << (size.bit_length() - 1)) // STEPS)
    return -(-size // step) * step


def disksize(study: Study) -> Advice:
    """Pages in slots, at most."""
    row, pages = worst(study, study.plain, "stored_pages_peak")
    size = rounded(round(pages * MORE), study.page_size)
    table = size * MIB // study.page_size * ENTRY / MIB
    most = f"{pages:,} pages in slots, {mib(pages, study.page_size)}{_whose(study, row)}"
    evidence = f"at most {most}; its table takes {table:.1f}M"
    certainty, reason = _how_sure(study)
    turns = "a program that swaps more than these: page-outs beyond it are refused"
    return Advice("disksize", f"{size}M", evidence, certainty, reason, turns, study.traces, study.plain)


def mem_limit(study: Study) -> Advice:
    """Pages that the pool takes, at most."""
    row, pages = worst(study, study.plain, "pool_pages_peak")
    size = rounded(round(pages * MORE), study.page_size)
    share = size * MIB / study.ram
    most = f"{mib(pages, study.page_size)}{_whose(study, row)}"
    evidence = f"the pool takes at most {most}"
    if all(one.scale for one in study.workloads):
        evidence += f"; the limit is {share:.0%} of RAM"
    certainty, reason = _how_sure(study)
    if any(row["small"] for row in study.plain):
        certainty, reason = OPEN, SMALL
    turns = "pages that compress worse: without it, incompressible ones take all of disksize"
    return Advice("mem_limit", f"{size}M", evidence, certainty, reason, turns, study.traces, study.plain)


def _whose(study: Study, row: Row) -> str:
    """The trace that needs it, where there are several."""
    return f" ({row['trace']})" if len(study.workloads) > 1 else ""


def _how_sure(study: Study) -> tuple[str, str]:
    if any(one.scale is None for one in study.workloads):
        return OPEN, "exact for the trace; scale not known"
    if not study.exact:
        return OPEN, ASSUMED
    if any(row["below"] > BELOW for row in study.plain):
        return OPEN, "it swaps more than was recorded"
    return LIKELY, POOLS
