"""Running an experiment for the command line: progress, the result saved, then shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.experiment.description import Experiment
    from sim.experiment.preparation import Report
    from sim.results.result import Result

    Show = Callable[[Result, Path | None], None]  # with the folder it was written to


@contextmanager
def stages() -> Iterator[Report]:
    """Give what takes the name of each stage and returns its progress callback: a bar, one at a time."""
    from sim.cli.output import say
    from sim.cli.progress import progress, told_once
    from sim.experiment.runner import COMPILING, FOUND

    with ExitStack() as bar:

        def report(stage: str) -> Any:
            bar.close()
            if stage.endswith(FOUND):
                say(stage)
            return bar.enter_context(told_once(stage) if stage.startswith(COMPILING) else progress(stage))

        yield report


def perform(
    experiment: Experiment,
    out: Path | None,
    keep_source: bool,
    show: Show,
    *,
    force: bool = False,
    go_on: bool = True,
    mm_stat: bool = False,
) -> Result:
    """Run it, write the result to `out`, and only then `show` it: what cannot be shown is not lost.

    With `go_on`, runs that an earlier try has finished are not done again. An older result in `out` is replaced with
    `force`, or if it is what the same experiment had come to. A result that cannot be written is shown all the same.
    Raises that error, then what interrupted the run.
    """
    from sim.cli.output import STDOUT, standard_output
    from sim.errors import UserError, one_line
    from sim.experiment.finished import Finished
    from sim.experiment.runner import Unfinished, run
    from sim.interrupts import besides
    from sim.results.saving import check_folder

    if out is not None:  # reported before the work is done, not after it
        check_folder(out)
        if not force:
            _check_older(out, experiment)
    lost: Exception | None = None
    finished = Finished() if go_on else None
    with stages() as report:
        try:
            result = run(experiment, report=report, keep_source=keep_source, finished=finished, mm_stat=mm_stat)
        except Unfinished as error:
            result, lost = error.result, error
    complete = bool(result.provenance["complete"])
    try:
        written, unwritten = _save(result, out) if out is not None and len(result.density) else (None, None)
        if finished and written and complete:
            finished.forget()
        try:
            with standard_output():
                show(result, written)
        except OSError as error:
            if unwritten is None and written and error.filename == STDOUT:
                raise UserError(f"{one_line(error)}; the result is whole in {written}") from error
            if unwritten is None:
                raise
        if unwritten is not None:
            raise unwritten
        if lost:
            raise lost
        if not complete:
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        kept, of = finished.count() if finished else (0, 0)
        if complete and _is_in(out, result):  # it came too late
            besides(f"the result is whole in {out}")
        elif kept:
            besides(f"{kept} of {of} runs are kept, and the same command goes on from there")
        elif of:
            besides(f"of {of} runs none was finished")
        raise
    if finished:
        finished.forget()
    return result


def _is_in(out: Path | None, result: Result) -> bool:
    """Whether the result is there already."""
    from sim.results.saving import provenance_in

    about = provenance_in(out) if out is not None else None
    return bool(about and about["complete"] and about.get("made") == result.provenance.get("made"))


def _check_older(out: Path, experiment: Experiment) -> None:
    """Raise UserError if an older result is in the way, other than what an interrupted run of the same one left."""
    from sim.errors import UserError
    from sim.results.provenance import same_experiment
    from sim.results.saving import provenance_in

    about = provenance_in(out)
    if about is None:
        return
    if about["complete"]:
        raise UserError(f"{out}: holds a result; give --force to replace it whole, or another folder as --out")
    if not same_experiment(about.get("experiment"), experiment.describe()):
        raise UserError(
            f"{out}: holds the unfinished result of another experiment; give --force to replace it whole, or another "
            "folder as --out"
        )


def _save(result: Result, out: Path) -> tuple[Path | None, Exception | None]:
    """Write it whole, with its pictures unless it is unfinished: where, or what was wrong."""
    from sim.cli.output import say
    from sim.errors import USER_ERRORS, one_line
    from sim.interrupts import asked
    from sim.results.result import PARTIAL

    try:
        written = result.save(out, plots=bool(result.provenance["complete"]))
    except USER_ERRORS as error:
        if not asked():
            return None, error
        say(one_line(error))  # for the command will end as interrupted
        return None, None
    if written == Path(os.path.realpath(out)):
        return out, None
    say(f"{out}: holds a complete result and is left as it is; the runs that were finished are in {out}{PARTIAL}")
    return written, None
