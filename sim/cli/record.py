"""`cswap record`: the swap traffic of a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.size import LEAST, UNITS, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from workloads.progress import Progress
    from workloads.recorder.plan import Plan, Watch

FINE, FINEST = 0.05, 0.01  # seconds between snapshots of what is soon over
FEW = 5  # intervals in which hardly anything can be seen


def record(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD...", help="The program to be recorded.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT", help="The trace, a folder NAME.cswap.")
    ] = None,
    limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that CMD may use, such as 256M; what is more is swapped.")
    ] = None,
    fraction: Annotated[
        float | None,
        typer.Option(help="In place of --limit: a share of the peak that a first run of CMD, without limit, shows."),
    ] = None,
    algorithm: Annotated[str, typer.Option(help="Of the zram device that is the swap.")] = "lz4",
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="How the kernel is watched; by default the best that works here.")
    ] = None,
    duration: Annotated[float | None, typer.Option(metavar="S", help="Seconds after which CMD is ended.")] = None,
    snapshot: Annotated[
        bool,
        typer.Option("--snapshot", help="Without root: look at CMD's memory now and then, and simulate the reclaim."),
    ] = False,
    interval: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds between two snapshots; 0.5 by default.")
    ] = None,
    cleanup: Annotated[
        bool, typer.Option("--cleanup", help="Remove what killed recorders left in the kernel.")
    ] = False,
) -> None:
    """Run CMD under memory pressure and record what it swaps, with contents.

    Adds a zram device as swap and a memory cgroup, and removes them afterwards (root). CMD runs as the user who called
    sudo. Ends with CMD, after --duration or on Ctrl-C, with the exit status of CMD. What cannot be seen is in
    docs/recording.md. --snapshot needs no root, but sees no reads and only guesses what the kernel would page out.
    """
    from sim.errors import UserError

    if cleanup:
        _clean()
        return
    if not command:
        raise UserError("what is to be recorded? the command is missing; end with -- CMD...")
    if out is None:
        raise UserError("where is the trace to be written? -o is missing; give -o OUT before -- CMD...")
    if duration is not None and not duration > 0:
        raise UserError(f"--duration {duration}: give seconds, more than 0")
    if snapshot:
        if fraction is not None or backend is not None or algorithm != "lz4":
            raise UserError("--snapshot has no swap device: --fraction, --algorithm and --backend do not go with it")
        _snapshots(command, out, size_of("--limit", limit or "256M"), 0.5 if interval is None else interval, duration)
        return
    if interval is not None:
        raise UserError("--interval is for --snapshot")
    if (limit is None) == (fraction is None):
        raise UserError("give either --limit SIZE or --fraction SHARE")
    if fraction is not None and not 0.01 <= fraction <= 1:
        raise UserError(f"--fraction {fraction}: give a share of the peak from 0.01 to 1")
    from workloads.recorder.plan import Plan

    size = LEAST if limit is None else size_of("--limit", limit)
    _run(Plan(tuple(command), out, size, algorithm, backend, duration), fraction)


def _run(plan: Plan, fraction: float | None) -> None:
    from dataclasses import replace

    from sim.cli.progress import status_line
    from workloads.recorder.session import peak_of, record_program, require

    require(plan)
    if fraction is not None:
        with status_line() as say:
            say("first run, without limit, to see how much memory it needs")
            peak = peak_of(plan)
        notes = (("fraction", fraction), ("peak", peak))
        plan = replace(plan, limit=max(LEAST, int(peak * fraction)), notes=notes)
    _follow(plan.out, lambda watch, done: record_program(plan, watch, done))


def _snapshots(command: list[str], out: Path, limit: int, interval: float, duration: float | None) -> None:
    from sim.errors import UserError
    from workloads.recorder.snapshot.recording import SnapshotPlan, record_snapshots

    if not FINEST <= interval <= 3600:
        raise UserError(f"--interval {interval}: give seconds from {FINEST} to 3600")
    plan = SnapshotPlan(tuple(command), out, limit, interval, duration)
    _follow(out, lambda watch, done: record_snapshots(plan, watch, done))


def _follow(out: Path, recording: Callable[[Watch, Progress], int]) -> None:
    """Run a recording, show how far it is, sum up, and exit as the program did."""
    from sim.cli.progress import progress, status_line

    status, existed = 0, out.exists()
    try:
        with status_line() as say, progress(f"writing {out}") as done:
            status = recording(
                lambda now: say(
                    f"recording {now.seconds:.0f} s: {now.events} events, {now.pages} pages caught, {now.lost} lost, "
                    f"{now.written / 1e6:.0f} MB written"
                ),
                done,
            )
    finally:
        if out.is_dir() and not existed:
            _summary(out)
    raise typer.Exit(status)


def _summary(out: Path) -> None:
    import sys

    from workloads import open_trace

    trace = open_trace(out)
    counts, source = trace.counts, trace.source
    if "reclaim" in source:
        print(f"the reclaim is {source['reclaim']}: nobody saw what the kernel would page out", file=sys.stderr)
    if "passed_over" in source:
        print(f"seen by {source['backend']}, as {'; '.join(source['passed_over'])}", file=sys.stderr)
    if not counts["out"] + counts["lost"]:
        print(_why_empty(source), file=sys.stderr)
    print(
        f"{out}: {counts['out']} page-outs, {counts['lost']} more lost, {counts['in']} page-ins, "
        f"{counts['free']} frees, {trace.unique_pages} unique pages; {source['ended']}\n"
        f"{out} holds memory of the program, with whatever secrets were in it; only you can read it",
        file=sys.stderr,
    )


def _why_empty(source: Mapping[str, Any]) -> str:
    """Why nothing went out, and what would help."""
    if source["backend"] != "snapshot":
        return "nothing was swapped: the program needed less than --limit; give a smaller one, or --fraction 0.5"
    seconds, interval = source["seconds"], source["interval"]
    limit, peak = (f"{source[key] / UNITS['M']:.1f}" for key in ("limit", "peak"))
    remedies = [f"a --limit below {peak}M"] if source["peak"] > LEAST else []
    if seconds < FEW * interval and interval > FINEST:
        remedies.append(f"--interval {FINE if interval > FINE else FINEST}, as it was over in {seconds:.1f} s")
    return (
        f"nothing went out: none of {source['snapshots']} snapshots showed more than {peak} MiB, and "
        f"--limit was {limit}; give {' or '.join(remedies) or 'a program that needs more'}"
    )


def _clean() -> None:
    from workloads.host.cleanup import cleanup

    doubts: list[str] = []
    removed, running = cleanup(doubts.append)
    for line in (*(f"removed {entry.what} {entry.name}" for entry in removed), *doubts):
        print(line)
    if not removed and not doubts:
        print("nothing was left behind" + (f"; {running} recording(s) under way" if running else ""))
