"""Sweeping: every combination that is not there yet is done and kept, then all are joined."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import USER_ERRORS, UserError, remark
from sim.experiment.description import Experiment
from sim.experiment.inputs import as_generator, shipped
from sim.experiment.preparation import Report, models_of, quiet, traces_of
from sim.experiment.remarks import remarks
from sim.experiment.remote import is_url
from sim.interrupts import held
from sim.results.result import Result
from sim.results.saving import RESULT, check_folder, naming, provenance_in
from sim.sweep import work
from sim.sweep.cells import Cell, Source, cells_of
from sim.sweep.executors import by_executor, by_processes
from sim.sweep.joining import joined, table
from sim.sweep.store import TABLE, Damaged, Store
from sim.sweep.work import Done
from sim.workers import processors

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiment.inputs import Item
    from workloads.traces.trace import Trace

CELLS = "cells"  # the stage of which progress is told


class Interrupted(KeyboardInterrupt):
    """A sweep that was broken off: of `of` cells, `kept` are kept."""

    def __init__(self, kept: int, of: int) -> None:
        super().__init__()
        self.kept, self.of = kept, of


def sweep(
    experiment: Experiment,
    folder: str | Path,
    executor: Executor | None = None,
    report: Report = quiet,
    workers: int | None = None,
    retry: bool = False,
    keep_source: bool = False,
) -> Result:
    """Do every combination of an experiment that the folder does not have yet, and keep it there as soon as it is done
    (`sim.sweep.store`); then write `cells.csv`, a row a cell, and the result of all that did not fail to `result/`.

    The cells are done by `executor`, by default by `workers` processes, as many as there are processors. A combination
    that fails is kept as such, and done again with `retry` only. Raises what `run` raises before it begins, UserError
    if no cell succeeded, OSError for what cannot be written, and Interrupted for a KeyboardInterrupt.
    """
    store = Store(Path(folder))
    check_folder(store.folder / RESULT)  # reported before the work is done, not after it
    models = models_of(experiment)
    opened, traces = traces_of(experiment)
    for text in remarks(experiment, traces, models.frontends, models.codecs):
        remark(text)
    sources = [_source(item, trace) for item, trace in opened]
    cells = cells_of(experiment, sources, traces, models)
    store.make()
    there = _there(store, cells, retry)
    rest = [cell for cell in cells if cell.digest not in there]
    work.known.update({(trace.name, trace.digest): trace for _, trace in opened})
    try:
        if rest and executor is None:
            _size(rest, report)
        progress = report(CELLS)

        def told() -> None:
            progress(len(there), len(cells))

        told()
        ended = by_executor(rest, executor, told) if executor else by_processes(rest, workers or processors(), told)
        for cell, done in ended:
            with held():
                store.write(cell.digest, cell.experiment.describe(), done)
                there[cell.digest] = done
            told()
    except KeyboardInterrupt as error:
        raise Interrupted(len(there), len(cells)) from error
    finally:
        work.known.clear()
    return _finish(experiment, opened, store, [(cell, there[cell.digest]) for cell in cells], keep_source)


def _source(item: Item, trace: Trace) -> Source:
    """How another process opens a trace of the experiment."""
    made = as_generator(item)
    if made is not None:
        given: Item = replace(made, page_size=trace.page_size)
    elif isinstance(item, str):
        by_itself = is_url(item) or (item in shipped() and not Path(item).exists())
        given = item if by_itself or trace.path is None else str(trace.path.absolute())
    else:
        given = item
    return Source(given, trace.name, trace.digest)


def _there(store: Store, cells: Sequence[Cell], retry: bool) -> dict[str, Done]:
    """The cells that are kept, those that failed only if they are not tried again."""
    for path in store.strangers():
        remark(f"{path}: is no cell of a sweep; it is left as it is")
    there = {}
    for cell in cells:
        try:
            done = store.read(cell.digest)
        except Damaged as error:
            remark(str(error))
            continue
        if done is not None and not (done.error and retry):
            there[cell.digest] = done
    return there


def _size(cells: Sequence[Cell], report: Report) -> None:
    """Size the pages of the traces of cells with all processors, which the cells then find in the cache.

    What goes wrong here is told by the cells.
    """
    from sim.plugins import COMPRESSORS, FRONTENDS
    from sim.sizing.sizing import size_pages

    sized = set()
    for cell in cells:
        own = [spec for f in cell.experiment.frontends for spec in FRONTENDS.make(f).compressors]
        codecs = [COMPRESSORS.make(spec) for spec in (*cell.experiment.compressors, *own)]
        for source, codec in product(cell.sources, codecs):
            if (source.name, codec.spec) not in sized:
                sized.add((source.name, codec.spec))
                trace = work.open_source(source)
                if trace.content:
                    with suppress(*USER_ERRORS):
                        size_pages(trace, codec, progress=report(f"{codec.spec} on {trace.name}"), in_memory=True)


def _finish(
    experiment: Experiment,
    opened: Sequence[tuple[Item, Trace]],
    store: Store,
    ended: Sequence[tuple[Cell, Done]],
    keep_source: bool,
) -> Result:
    """Join what did not fail, and write it and the table of all cells."""
    for text in dict.fromkeys(text for _, done in ended for text in done.remarks):
        remark(text)
    with naming(store.folder / TABLE):
        _write(store.folder / TABLE, table(ended))
    failed = [(cell, done) for cell, done in ended if done.error]
    if len(failed) == len(ended):
        cell, done = failed[0]
        more = f" (and {len(failed) - 1} more cells)" if len(failed) > 1 else ""
        raise UserError(f"sweep: no cell succeeded: {cell.label()}{more}: {done.error}")
    of_cells = _digest([experiment.describe(), keep_source, [(cell.digest, done.error) for cell, done in ended]])
    folder = store.folder / RESULT
    if (provenance_in(folder) or {}).get("cells") == of_cells:  # nothing is new
        with suppress(UserError):
            return Result.load(folder)
    result = joined(experiment, opened, ended, keep_source)
    result.provenance["cells"] = of_cells
    result.save(folder)
    return result


def _digest(described: Any) -> str:
    return hashlib.blake2b(json.dumps(described, default=str).encode(), digest_size=16).hexdigest()


def _write(path: Path, frame: pd.DataFrame) -> None:
    """Replace a CSV file whole."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        frame.to_csv(part, index=False)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
