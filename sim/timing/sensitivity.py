"""What changes when an assumed cost is at either end of its range."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sim.plugins import MAPPINGS
from sim.timing.codec_costs import PARTS
from sim.timing.costs import Cost, Costs
from sim.timing.kernel_codecs import family
from sim.timing.latency import TOTAL, run_columns, setting_columns
from sim.timing.lines import SLOT
from sim.timing.setting import Setting

FIGURES = ("mean_us", "p50_us", "p99_us")


def variants(costs: Costs, setting: Setting, frontend: str, codecs: Iterable[str]) -> Iterator[tuple[Cost, Costs]]:
    """The costs with each assumed cost at each end of its range; of mappings, codecs, frontends only those in use."""
    mapping = MAPPINGS.make(setting.mapping).name.replace("-", "_")
    used = {
        "map": {mapping, f"{mapping}_per_cpu"},
        "codec": {f"{family(codec)}_{part}" for codec in codecs for part in PARTS},
    }
    others = {step.lines for name, steps in SLOT.items() if name != frontend for step in steps}
    for cost in costs.assumed():
        section, _, key = cost.name.partition(".")
        if key not in used.get(section, {key}) or (section == "lines" and key in others):
            continue
        for value in (cost.low, cost.high):
            if value is not None and value != cost.value:
                changed = costs.with_value(cost.name, value)
                yield changed.entries[cost.name], changed


def compared(rows: list[dict[str, Any]], base: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the `sensitivity` frame.

    `rows` are totals of runs with one cost changed, with the columns `price` and `value`; `base` are rows of the
    `latency` frame. Each figure comes with its `_change`, the share by which it differs from that of the base.
    """
    columns = rows[0] if rows else {}
    run = (*run_columns(columns), *setting_columns(columns))
    key = (*run, "operation")
    known = {tuple(row[name] for name in key): row for row in base if row["part"] == TOTAL and row.get("mapping")}
    found = []
    for row in rows:
        before = known.get(tuple(row[name] for name in key))
        if before is None:  # its run was not finished
            continue
        entry = {name: row[name] for name in (*run, "price", "value", "operation")}
        for figure in FIGURES:
            entry[figure] = row[figure]
            entry[figure.replace("_us", "_change")] = row[figure] / before[figure] - 1 if before[figure] else 0.0
        found.append(entry)
    return found
