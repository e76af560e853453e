"""What recordings share on the command line: how far they are, their exit status, the summary at the end."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.size import LEAST
from sim.units import UNITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from workloads.progress import Progress
    from workloads.recorder.plan import Watch

FINE, FINEST = 0.05, 0.01  # seconds between snapshots, for programs that end soon
EMPTY = 1  # exit status
FEW = 5  # intervals in which hardly anything can be seen

Words = Annotated[list[str] | None, typer.Argument(metavar="-- CMD...", help="The program to record.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="OUT", help="The trace, a folder NAME.cswap.")]
Duration = Annotated[float | None, typer.Option(metavar="S", help="End CMD after this many seconds.")]


def check(command: list[str] | None, out: Path | None, duration: float | None) -> tuple[list[str], Path]:
    """What every recording needs. Raises UserError for what is missing or makes no sense."""
    from sim.errors import UserError

    if not command:
        raise UserError("the command to record is missing; end with -- CMD...")
    if out is None:
        raise UserError("-o is missing; give -o OUT before -- CMD...")
    if duration is not None and not duration > 0:
        raise UserError(f"--duration {duration}: give seconds, more than 0")
    return command, out


def follow(out: Path, recording: Callable[[Watch, Progress], int]) -> None:
    """Run a recording, show how far it is, sum up, and exit as the program did.

    A recording without a page-out is not left behind: the exit status is 1 unless the program's own was another.
    """
    from sim.cli.progress import progress, status_line

    status, existed = 0, out.exists()
    try:
        with status_line() as say, progress(f"writing {out}") as done:
            status = recording(
                lambda now: say(
                    f"recording {now.seconds:.0f} s: {now.events} events, {now.pages} pages caught, {now.lost} lost, "
                    f"{now.written / 1e6:.0f} MB written"
                    + ("" if now.limit is None else f", {now.limit / UNITS['M']:.0f} MiB for the program")
                ),
                done,
            )
    finally:
        if out.is_dir() and not existed and not summary(out):
            shutil.rmtree(out)
            status = status or EMPTY
    raise typer.Exit(status)


def summary(out: Path) -> bool:
    """Print what a recording holds, on standard error; whether that is anything."""
    import sys

    from sim.cli.output import say
    from sim.experiment.remarks import thrashed
    from workloads import open_trace

    trace = open_trace(out)
    counts, source = trace.counts, trace.source
    if "reclaim" in source:
        print(
            f"the reclaim is {source['reclaim']}: what the kernel would have paged out was not observed",
            file=sys.stderr,
        )
    if "passed_over" in source:
        print(f"seen by {source['backend']}, as {'; '.join(source['passed_over'])}", file=sys.stderr)
    if not counts["out"] + counts["lost"]:
        print(f"{_why_empty(source)}; {out} is not kept ({_end(source)})", file=sys.stderr)
        return False
    for line in _of_ram(source) if "ram" in source else ():
        print(line, file=sys.stderr)
    lost = f"{counts['lost']:,} more lost, " if counts["lost"] else ""
    print(
        f"{out}: {counts['out']:,} page-outs, {lost}{counts['in']:,} page-ins, {counts['free']:,} frees, "
        f"{trace.unique_pages:,} unique pages; {_end(source)}\n"
        f"{out} contains the program's memory, including any secrets; only you can read it",
        file=sys.stderr,
    )
    for line in thrashed(trace):
        say(f"warning: {line}")
    return True


def _end(source: Mapping[str, Any]) -> str:
    """What the recording ended with."""
    after = f" after {source['seconds']:.1f} s" if "seconds" in source else ""
    return f"ended by --duration{after}" if source["ended"] == "duration" else str(source["ended"])


def _why_empty(source: Mapping[str, Any]) -> str:
    """Why nothing went out, and what would help."""
    if source["backend"] != "snapshot":
        option = "--ram" if "ram" in source else "--limit"
        return f"nothing was swapped: the program needed less than {option}; give a smaller one, or --fraction 0.5"
    seconds, interval = source["seconds"], source["interval"]
    limit, peak = (f"{source[key] / UNITS['M']:.1f}" for key in ("limit", "peak"))
    remedies = [f"a --limit below {peak}M"] if source["peak"] > LEAST else []
    if seconds < FEW * interval and interval > FINEST:
        remedies.append(f"--interval {FINE if interval > FINE else FINEST}, as it was over in {seconds:.1f} s")
    return (
        f"nothing went out: none of {source['snapshots']} snapshots showed more than {peak} MiB, and "
        f"--limit was {limit}; give {' or '.join(remedies) or 'a program that needs more'}"
    )


def _of_ram(source: Mapping[str, Any]) -> Iterator[str]:
    """What the program had of a machine that it shared with the pool, and whether that can be."""
    ram = f"--ram {source['ram'] / UNITS['M']:.6g}M"
    least, mean, most = (f"{source['limits'][key] / UNITS['M']:.1f}" for key in ("min", "mean", "max"))
    over, worst = (f"{source['excess'][key] / UNITS['M']:.2f}" for key in ("mean", "max"))
    yield (
        f"{ram}: the program had {least} to {most} MiB, {mean} on average; with the pool {over} MiB too many on "
        f"average, {worst} at worst"
    )
    if source["too_small"]:
        yield (
            f"{ram} is too small: for {source['too_small']:.1%} of the time the pool alone took it all, and the "
            f"program had {least} MiB more; give a larger --ram"
        )
    elif source["stopped_for_memory"]:
        yield (
            f"{ram} is too small: the program was out of memory {source['stopped_for_memory']} times, and was given a "
            f"MiB more for a moment each time; give a larger --ram"
        )
