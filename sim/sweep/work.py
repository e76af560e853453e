"""One cell done: in whichever process it is sent to."""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sim.errors import USER_ERRORS, Remark, UserError, one_line
from sim.experiment.finished import sources
from sim.experiment.inputs import open_inputs, renamed
from sim.experiment.jobs import Rows
from sim.timing.latency import RUN
from sim.workers import one_of_several

if TYPE_CHECKING:
    from sim.sweep.cells import Cell, Source
    from workloads.traces.trace import Trace

KEPT = 4  # traces that a process keeps open, besides those that it began with
TIMED = ("latency", "lost", "timing", "varied", "events")  # what a run has under each setting; all else is without one

known: dict[tuple[str, str], Trace] = {}
"""Open traces by name and digest; forked processes begin with those of the one that plans the sweep."""

_opened: dict[tuple[str, str], Trace] = {}
_turn = threading.Lock()  # a process with several threads, as of Dask, does one cell at a time


@dataclass
class Done:
    """A cell that was done: its rows without the columns that tell it apart, or the `error` in one line.

    `names` are the first four of those columns; `codecs` the rows of the codec's times and sizes, `run` those of its
    run, `timed` those that depend on its setting.
    """

    seconds: float = 0.0
    error: str = ""
    names: dict[str, Any] = field(default_factory=dict)
    codecs: Rows = field(default_factory=Rows)
    run: Rows = field(default_factory=Rows)
    timed: Rows = field(default_factory=Rows)
    about: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


class OtherVersion(UserError):
    """A process that runs another cswap than the one that planned the sweep."""


def do(cell: Cell, program: str) -> Done:
    """Do a cell; what goes wrong is its error. `program` is the digest of cswap's sources where the sweep was planned.

    Raises OtherVersion.
    """
    if sources() != program:
        raise OtherVersion("the sources of cswap are other ones here; install the same cswap on every worker")
    one_of_several()
    with _turn:
        begin = time.monotonic()
        try:
            done = _done(cell)
        except USER_ERRORS as error:
            done = Done(error=one_line(error))
        except MemoryError:
            done = Done(error="out of memory; give the worker more, or run fewer at once")
        except Exception as error:  # of a stranger's model, say; the others go on
            done = Done(error=one_line(RuntimeError(f"fault: {type(error).__name__}: {error}")))
        return replace(done, seconds=time.monotonic() - begin)


def _done(cell: Cell) -> Done:
    from sim.experiment.preparation import prepare, quiet
    from sim.results.provenance import of_codecs

    traces = tuple(open_source(source) for source in cell.sources)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", Remark)
        _, jobs, codecs, confirmed = prepare(replace(cell.experiment, traces=traces), quiet, True)
    jobs = [job for job in jobs if job.baseline == cell.baseline]
    rows = Rows.joined(job.run() for job in jobs)
    rows.mm_stat.clear()  # of single runs
    run, timed = _stripped(rows, cell)
    key = jobs[0].key(jobs[0].allocator)
    return Done(
        names={name: key[name] for name in RUN},
        codecs=codecs,
        run=run,
        timed=timed,
        about=of_codecs(jobs) | {"confirmed": confirmed},
        remarks=[w.message.template for w in warned if isinstance(w.message, Remark)],
    )


def _stripped(rows: Rows, cell: Cell) -> tuple[Rows, Rows]:
    """The rows without the columns of the cell: of its run, and of its setting."""
    known = {*cell.columns, *RUN}
    bare = {
        name: [{k: v for k, v in row.items() if k not in known} for row in part] for name, part in vars(rows).items()
    }
    return (
        Rows(**{name: part for name, part in bare.items() if name not in TIMED}),
        Rows(**{name: part for name, part in bare.items() if name in TIMED}),
    )


def open_source(source: Source) -> Trace:
    """The trace, as this process has it open. Raises as `open_inputs`, UserError if it is another one here."""
    key = (source.name, source.digest)
    if found := known.get(key) or _opened.get(key):
        return found
    trace, *_ = open_inputs(source.item)
    if trace.digest != source.digest:
        raise UserError(f"{source.item}: has digest {trace.digest}, not {source.digest} as where the sweep was planned")
    while len(_opened) >= KEPT:
        del _opened[next(iter(_opened))]
    _opened[key] = trace if trace.name == source.name else renamed(trace, source.name)
    return _opened[key]
