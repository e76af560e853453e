"""`cswap run`: the main job."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sim.results import Result


def run(
    traces: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TRACE]...", help="Folders NAME.cswap, shipped samples, or generator specs."),
    ] = None,
    allocator: Annotated[
        list[str] | None, typer.Option("-a", "--allocator", metavar="SPEC", help="May be given several times.")
    ] = None,
    compressor: Annotated[
        list[str] | None, typer.Option("-c", "--compressor", metavar="SPEC", help="May be given several times.")
    ] = None,
    frontend: Annotated[
        list[str] | None, typer.Option("-f", "--frontend", metavar="SPEC", help="May be given several times.")
    ] = None,
    experiment: Annotated[
        Path | None, typer.Option(metavar="TOML", help="Read what is not given here from a file.")
    ] = None,
    zone_pages: Annotated[int | None, typer.Option(help="Physical pages there are; no limit by default.")] = None,
    unusable: Annotated[
        float | None, typer.Option(help="Fragment them: the share that no order-1 block can be made of, 0 to 1.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write frames, provenance and plots here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="A list of rows as JSON instead of tables.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV instead of tables.")] = False,
) -> None:
    """Replay traces through every frontend, compressor and allocator; how many pages fit into one.

    Without TRACE: the real samples that are shipped, and a random one.
    """
    from sim.errors import UserError
    from sim.experiment import Experiment

    if json and csv:
        raise UserError("--json and --csv: give one of them")
    given = {
        "traces": traces,
        "allocators": allocator,
        "compressors": compressor,
        "frontends": frontend,
        "zone_pages": zone_pages,
        "unusable": unusable,
    }
    settings: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    _perform(Experiment.from_toml(experiment, **settings) if experiment else Experiment(**settings), out, json, csv)


def _perform(experiment: Any, out: Path | None, json: bool, csv: bool) -> None:
    from sim.cli.output import print_csv, print_json
    from sim.cli.progress import progress
    from sim.results import check_folder
    from sim.runner import run as perform

    if out is not None:  # told before the work is done, not after it
        check_folder(out)
        out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as bar:

        def report(stage: str) -> Any:
            bar.close()  # one bar at a time
            return bar.enter_context(progress(stage))

        result = perform(experiment, report=report)
    rows = _plain(result.density)
    if json:
        print_json(rows)
    elif csv:
        print_csv(rows)
    else:
        from sim.cli.tables import print_result

        print_result(result)
    if out is not None and len(result.density):
        _save(result, out, quiet=json or csv)
    if not result.provenance["complete"]:
        raise KeyboardInterrupt


def _save(result: Result, out: Path, quiet: bool) -> None:
    result.save(out)
    plots = result.save_plots(out)
    if not quiet:
        print(f"written to {out}: density, timeline, latency and counters as CSV and Parquet, provenance.json,")
        print(f"pictures {' and '.join(path.name for path in plots)}")


def _plain(frame: Any) -> list[dict[str, Any]]:
    """Rows of plain Python values; a figure that does not exist is None."""
    rows = frame.to_dict("records")
    return [{key: None if value != value else value for key, value in row.items()} for row in rows]
