"""`cswap run`: the main job."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sim.results.result import Result


TIMING = "With --timing; names and numbers may be given several times"
OUTPUT = (
    "context",
    "full",
    "out",
    "keep_source",
    "rerun",
    "json",
    "csv",
)  # all other options are fields of the experiment


def run(
    context: typer.Context,
    traces: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TRACE]...", help="Folders NAME.cswap, shipped recordings or samples, or generator specs."
        ),
    ] = None,
    allocators: Annotated[
        list[str] | None, typer.Option("-a", "--allocator", metavar="SPEC", help="May be given several times.")
    ] = None,
    compressors: Annotated[
        list[str] | None, typer.Option("-c", "--compressor", metavar="SPEC", help="May be given several times.")
    ] = None,
    frontends: Annotated[
        list[str] | None, typer.Option("-f", "--frontend", metavar="SPEC", help="May be given several times.")
    ] = None,
    page_sizes: Annotated[
        list[str] | None, typer.Option("--page-size", metavar="SIZE", help="Of the traces that generators make.")
    ] = None,
    experiment: Annotated[
        Path | None, typer.Option(metavar="TOML", help="Read what is not given here from a file.")
    ] = None,
    zone_pages: Annotated[
        list[str] | None,
        typer.Option("--zone-pages", metavar="N", help="Physical pages available; no limit by default."),
    ] = None,
    unusable: Annotated[
        list[float] | None,
        typer.Option(metavar="X", help="Fragment them: the share that no order-1 block can be made of, 0 to 1."),
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Of the fragmentation, and of the swap device's times.")
    ] = None,
    timing: Annotated[
        bool, typer.Option("--timing", help="Time every run: how long page-outs and page-ins take.")
    ] = False,
    mappings: Annotated[
        list[str] | None,
        typer.Option(
            "--mapping", metavar="NAME", help="How objects that span pages are reached.", rich_help_panel=TIMING
        ),
    ] = None,
    cpus: Annotated[list[int] | None, typer.Option(metavar="N", help="Processors.", rich_help_panel=TIMING)] = None,
    arrivals: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="closed, recorded or saturate.", rich_help_panel=TIMING),
    ] = None,
    loads: Annotated[
        list[float] | None,
        typer.Option("--load", metavar="X", help="Speed-up of event arrivals.", rich_help_panel=TIMING),
    ] = None,
    swap_devices: Annotated[
        list[str] | None,
        typer.Option(
            "--swap-device", metavar="NAME", help="The device behind, or FILE.toml:NAME.", rich_help_panel=TIMING
        ),
    ] = None,
    page_clusters: Annotated[
        list[int] | None,
        typer.Option("--page-cluster", metavar="N", help="A page-in reads 2**N slots.", rich_help_panel=TIMING),
    ] = None,
    cpu_scale: Annotated[
        list[float] | None,
        typer.Option(metavar="X", help="CPUs so many times slower than measured.", rich_help_panel=TIMING),
    ] = None,
    max_comp_streams: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Compression streams; one a CPU by default.", rich_help_panel=TIMING),
    ] = None,
    costs: Annotated[
        list[str] | None, typer.Option(metavar="TOML", help="Override the default costs.", rich_help_panel=TIMING)
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Also at both ends of each assumed price.", rich_help_panel=TIMING)
    ] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Keep every operation with its parts.", rich_help_panel=TIMING)
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write frames, provenance and plots here.")] = None,
    keep_source: Annotated[
        bool, typer.Option("--keep-source", help="Tell paths and the traces' whole sources in the provenance.")
    ] = False,
    rerun: Annotated[
        Path | None,
        typer.Option(metavar="PROVENANCE", help="Repeat the result of this provenance.json, and compare."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Print the tables of densities and compressors before the summary.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="A list of rows as JSON instead of tables; with --timing, latencies in each.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV instead of tables.")] = False,
) -> None:
    """Replay traces through every frontend, compressor and allocator; how many pages fit into one.

    Without TRACE: the whole recordings that are shipped; their samples' pages are compressed besides, which confirms
    the sizes that the recordings carry. The output ends with a summary of at most 24 lines.
    """
    given = {name: value for name, value in locals().items() if name not in OUTPUT}
    from sim.cli.output import print_csv, print_json
    from sim.cli.performing import perform
    from sim.cli.remarks import option_words, remarks_said
    from sim.cli.size import page_size_of, pages_of
    from sim.errors import UserError, remark
    from sim.experiment.options import by_field, experiment_of

    words = option_words(context)
    given["page_sizes"] = page_sizes and [page_size_of(text) for text in page_sizes]
    given["zone_pages"] = zone_pages and [pages_of("--zone-pages", text) for text in zone_pages]
    if json and csv:
        raise UserError("--json and --csv: give one of them")
    if rerun is not None:
        from sim.cli.rerun import repeat

        repeat(rerun, given, words, out, keep_source, json, csv)
        return
    file = given.pop("experiment")
    asked_for = experiment_of(given, file, words)

    def show(result: Result, written: Path | None) -> None:
        if json:
            print_json(_with_latencies(result) if asked_for.timing else _plain(result.density))
        elif csv:
            print_csv(_plain(result.density))
        else:
            from sim.cli.summary import print_summary
            from sim.cli.tables import print_result

            print_result(result, full)
            if written:
                _tell_written(result, written)
            print_summary(result)

    with remarks_said(by_field(words)):
        for name, value in {"keep_source": keep_source, "events": events}.items():
            if value and out is None:
                remark(f"<{name}> has no effect without <out>")
        result = perform(asked_for, out, keep_source, show)
    _tell_overload(result)


def _tell_overload(result: Result) -> None:
    """Raise UserError naming the runs in which more came than could be done."""
    from sim.errors import UserError

    timing = result.timing
    over = timing[(timing["counter"] == "overloaded") & (timing["value"] > 0)] if len(timing) else timing
    if len(over):
        run = over.iloc[0]
        more = f" (and {len(over) - 1} more runs)" if len(over) > 1 else ""
        where = f"{run['trace']}, {run['compressor']}, {run['allocator']}, device {run['device']}, load {run['load']:g}"
        raise UserError(
            f"{where}{more}: more came than could be done, so the run was cut off; "
            "its latencies say nothing; give a smaller --load, a faster --swap-device or --arrivals closed"
        )


def _tell_written(result: Result, folder: Path) -> None:
    from sim.cli.output import print_line

    print_line(f"written to {folder}: density, timeline, latency and counters as CSV and Parquet, provenance.json,")
    print(f"pictures {', '.join(f'{name}.png' for name in result.plots())}")


def _with_latencies(result: Result) -> list[dict[str, Any]]:
    """The rows, each with the rows of its own latencies, under every setting."""
    from sim.timing.latency import CODEC, run_columns

    run = run_columns(result.density)
    latencies: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in _plain(result.latency[result.latency["operation"] != CODEC]):
        latencies.setdefault(tuple(row.pop(name) for name in run), []).append(row)
    return [row | {"latency": latencies.get(tuple(row[name] for name in run), [])} for row in _plain(result.density)]


def _plain(frame: Any) -> list[dict[str, Any]]:
    """Rows of plain Python values; a figure that does not exist is None."""

    import pandas as pd

    def plain(value: Any) -> Any:
        return None if value is pd.NA or (isinstance(value, float) and not isfinite(value)) else value

    return [{key: plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
