"""`cswap trace time`: takes the codec times of traces again, on a quiet machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sim.calibration.retake import Retaken
    from sim.compressors.base import Compressor
    from workloads.traces.trace import Trace


def time(
    traces: Annotated[
        list[str], typer.Argument(metavar="TRACE...", help="Folders NAME.cswap with contents, or shipped samples.")
    ],
    compressor: Annotated[
        list[str] | None,
        typer.Option("-c", "--compressor", metavar="SPEC", help="May be repeated; by default those of `cswap run`."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=999, help="Time every page in so many new processes.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Take the codec times of traces again, one process at a time on one CPU: for runs here. Let nothing else run.

    The median of the processes is kept for each page. Until it is there, the old times stay.
    """
    from sim.calibration.machine import machine, not_idle
    from sim.calibration.retake import check
    from sim.cli.output import print_json, print_table
    from sim.cli.remarks import remarks_said
    from sim.errors import remark
    from sim.experiment.description import DEFAULT_COMPRESSORS
    from sim.experiment.inputs import open_input
    from sim.plugins import COMPRESSORS
    from sim.sizing.spread import in_processes

    made = map(COMPRESSORS.make, compressor or DEFAULT_COMPRESSORS)
    codecs = list({codec.spec: codec for codec in made}.values())
    opened = [open_input(trace) for trace in dict.fromkeys(traces)]
    for trace in opened:
        check(trace)
    with remarks_said({}):
        if why := not_idle(machine()):
            remark(why)
        found = [_rows(trace, _retaken(trace, codecs, processes)) for trace in opened]
        if json:
            print_json([row for rows in found for row in rows])
            return
        for rows in found:
            print_table(f"{rows[0]['trace']}: codec times, us; {in_processes(processes)}", map(_shown, rows))


def _retaken(trace: Trace, codecs: list[Compressor], processes: int) -> list[Retaken]:
    """Sized first, where that was not done before."""
    from sim.calibration.retake import retake
    from sim.cli.progress import progress
    from sim.sizing.sizing import size_pages
    from sim.sizing.spread import in_processes

    sizes = []
    for codec in codecs:
        with progress(f"{codec.spec} on {trace.name}") as done:
            sizes.append(size_pages(trace, codec, progress=done, in_memory=True))
    with progress(f"timing {trace.unique_pages} pages of {trace.name} in {in_processes(processes)}") as done:
        return retake(trace, sizes, codecs, processes, done)


def _rows(trace: Trace, found: list[Retaken]) -> list[dict[str, Any]]:
    """A row for each codec and part."""
    return [
        {
            "trace": trace.name,
            "compressor": one.now.meta["codec"],
            "part": part,
            "pages": trace.unique_pages,
            "processes": one.spread.processes,
            "p50_us": now,
            "p50_low_us": one.spread.part(part)[0],
            "p50_high_us": one.spread.part(part)[1],
            "p50_before_us": before,
        }
        for one in found
        for part, before, now in one.medians_us()
    ]


def _shown(row: dict[str, Any]) -> dict[str, str]:
    return {
        "compressor": row["compressor"],
        "part": row["part"],
        "p50": f"{row['p50_us']:.2f}",
        "p50 by process": f"{row['p50_low_us']:.2f} to {row['p50_high_us']:.2f}",
        "before": f"{row['p50_before_us']:.2f}",
    }
