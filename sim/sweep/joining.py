"""The finished cells of a sweep as one result, which equals that of `cswap run`; and the table of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.experiment.jobs import Rows
from sim.results.provenance import provenance
from sim.results.reading import read_csv
from sim.results.result import Result
from sim.sweep.store import TABLE
from sim.timing.latency import RUN

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiment.description import Experiment
    from sim.experiment.inputs import Item
    from sim.sweep.cells import Cell
    from sim.sweep.work import Done
    from workloads.traces.trace import Trace

    Ended = Sequence[tuple[Cell, Done]]


def joined(experiment: Experiment, traces: Sequence[tuple[Item, Trace]], ended: Ended, keep_source: bool) -> Result:
    """The result of all cells that did not fail, which are in the order of the sweep; those that did are named in its
    provenance as `failed`.
    """
    finished = [(cell, done) for cell, done in ended if not done.error]
    about = provenance(experiment, traces, (), complete=True, keep_source=keep_source)
    for _, done in finished:
        _merge(about, done.about)
    failed = [{"cell": cell.digest, **cell.columns, "error": done.error} for cell, done in ended if done.error]
    return Result.of(Rows.joined(_parts(finished)), about | {"failed": failed})


def _parts(finished: Ended) -> Iterable[Rows]:
    """The rows of all cells with their columns, those that cells share once: the codecs' first, as in `run`."""
    seen: set[tuple[Any, ...]] = set()
    after = []
    for cell, done in finished:
        both = (done.codecs.latency, done.codecs.sizes)
        new = {(row["trace"], row["compressor"]) for rows in both for row in rows} - seen
        latency, sizes = ([row for row in rows if (row["trace"], row["compressor"]) in new] for rows in both)
        yield Rows(latency=latency, sizes=sizes)
        columns = done.names | {name: value for name, value in cell.run.items() if name not in RUN}
        run = (cell.baseline, *map(str, columns.values()))
        if run not in seen:
            after.append(_with(columns, done.run))
        after.append(_with(columns | cell.timed, done.timed))
        seen |= {*new, run}
    yield from after


def _with(columns: Mapping[str, Any], rows: Rows) -> Rows:
    return Rows(**{name: [{**columns, **row} for row in part] for name, part in vars(rows).items()})


def _merge(one: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Add what the other has, also in the mappings that both have."""
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(one.get(name), dict):
            _merge(one[name], value)
        else:
            one[name] = dict(value) if isinstance(value, dict) else value


def table(ended: Ended) -> pd.DataFrame:
    """One row per cell: its digest, the columns that tell cells apart, seconds, and the error of one that failed."""
    import pandas as pd

    rows = [
        {"digest": cell.digest, **cell.columns, **done.names, "seconds": round(done.seconds, 3), "error": done.error}
        for cell, done in ended
    ]
    whole = dict.fromkeys(("zone_pages", "max_comp_streams", "ram", "limit"), "Int64")
    made = pd.DataFrame(rows)
    return made.astype({name: kind for name, kind in whole.items() if name in made})


def read_table(folder: Path) -> list[dict[str, Any]]:
    """The rows of a sweep's `cells.csv`, as plain values; None for what a cell does not have."""
    frame = read_csv(folder / TABLE)
    rows: list[Any] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{**row, "error": row["error"] or ""} for row in rows]
