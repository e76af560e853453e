"""vm.page-cluster: how many neighbouring slots a page-in reads as well."""

from __future__ import annotations

from sim.advice.judging import LIKELY, OPEN, UNFELT, Advice, clear, fastest, run_seconds, seconds, totals, unfelt
from sim.advice.runs import is_device
from sim.advice.study import Study

CLUSTERS = (0, 1, 2, 3)
NONE = 0  # read nothing ahead, where the difference is not felt
USUAL = 3  # the kernel's


def page_cluster(study: Study) -> Advice:
    """None, unless another one loses noticeably less time."""
    rows = [*study.chosen]
    for one, row in zip(study.workloads, study.chosen, strict=True):
        codec = study.codecs[0] if is_device(row) else row["compressor"]
        rows += study.runs.of(one, frontends=(row["frontend"],), compressors=(codec,), page_clusters=CLUSTERS[1:])
    costs, run_s = totals(rows, "page_cluster"), run_seconds(rows)
    best = fastest(costs)
    if not clear(costs[best], costs[NONE], run_s):
        best = NONE
    other = USUAL if best != USUAL else NONE
    ahead, useful = (
        sum(r[name] for r in rows if r["page_cluster"] == USUAL) for name in ("readahead_pages", "readahead_useful")
    )
    evidence = f"loses {seconds(costs[best].lost_s)}, {seconds(costs[other].lost_s)} at {other}"
    evidence += f"; of {ahead:,} pages read ahead {useful / ahead:.0%} were of use" if ahead else ""
    turns = "a device whose neighbouring slots are read together (a sequential scan)"
    if not all(_recorded_without(one.trace.source) for one in study.workloads):
        reason = "page-ins may contain readahead already"
        certainty = OPEN
    elif clear(costs[best], costs[other], run_s):
        certainty, reason = LIKELY, "page-ins were recorded without readahead"
    else:
        certainty, reason = OPEN, unfelt(run_s, UNFELT)
    return Advice("vm.page-cluster", best, evidence, certainty, reason, turns, study.traces, rows)


def _recorded_without(source: dict[str, object]) -> bool:
    """Whether a recording's kernel read nothing ahead."""
    counted = source.get("vmstat")
    return isinstance(counted, dict) and counted.get("swap_ra") == 0
