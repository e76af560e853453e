"""Running an experiment for the command line: progress, the result saved, then shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.experiment.description import Experiment
    from sim.results.result import Result

    Show = Callable[[Result, Path | None], None]  # with the folder it was written to


def perform(experiment: Experiment, out: Path | None, keep_source: bool, show: Show) -> Result:
    """Run it, write the result to `out`, and only then `show` it: what cannot be shown is not lost.

    A result that cannot be written is shown all the same. Raises that error, then what interrupted the run.
    """
    from sim.cli.output import STDOUT, standard_output
    from sim.cli.progress import progress, told_once
    from sim.errors import UserError, one_line
    from sim.experiment.runner import COMPILING, Unfinished, run
    from sim.results.saving import check_folder

    if out is not None:  # reported before the work is done, not after it
        check_folder(out)
    lost: Exception | None = None
    with ExitStack() as bar:

        def report(stage: str) -> Any:
            bar.close()  # one bar at a time
            return bar.enter_context(told_once(stage) if stage == COMPILING else progress(stage))

        try:
            result = run(experiment, report=report, keep_source=keep_source)
        except Unfinished as error:
            result, lost = error.result, error
    written, unwritten = _save(result, out) if out is not None and len(result.density) else (None, None)
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
    if not result.provenance["complete"]:
        raise KeyboardInterrupt
    return result


def _save(result: Result, out: Path) -> tuple[Path | None, Exception | None]:
    """Write it whole: where, or what was wrong."""
    from sim.cli.output import say
    from sim.errors import USER_ERRORS, one_line
    from sim.interrupts import asked, held
    from sim.results.result import PARTIAL

    try:
        with held():
            written = result.save(out, plots=True)
    except USER_ERRORS as error:
        if not asked():
            return None, error
        say(one_line(error))  # for the command will end as interrupted
        return None, None
    if written == Path(os.path.realpath(out)):
        return out, None
    say(f"{out}: holds a complete result and is left as it is; the runs that were finished are in {out}{PARTIAL}")
    return written, None
