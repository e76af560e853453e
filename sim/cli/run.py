"""`cswap run`: the main job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sim.results.result import Result


TIMING = "With --timing; names and numbers may be given several times"
RAM = "Machines of other sizes; sizes may be given several times"
OUTPUT = (
    "context",
    "full",
    "mm_stat",
    "out",
    "force",
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
        list[str] | None,
        typer.Option(
            "-a",
            "--allocator",
            metavar="SPEC",
            help="What stores them: zsmalloc:chain=4, zbud, ...; may be given several times. By default all but zblock",
        ),
    ] = None,
    compressors: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--compressor",
            metavar="SPEC",
            help="What compresses pages; may be given several times. By default lz4, lzo-rle and zstd.",
        ),
    ] = None,
    frontends: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--frontend",
            metavar="SPEC",
            help="What takes the pages: zram (the default), zswap, ...; may be given several times. See `cswap list`.",
        ),
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
        typer.Option(metavar="X", help="Fragment them: their unusable free space index, 0 to 1."),
    ] = None,
    unusable_order: Annotated[
        list[int] | None, typer.Option(metavar="K", help="The order that --unusable is the index of; 1 by default.")
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Of the fragmentation, and of the swap device's times.")
    ] = None,
    ram: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIZE[..SIZE:STEP]",
            help="RAM that program and pool share; auto chooses sizes. By default -a is zsmalloc then.",
            rich_help_panel=RAM,
        ),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SIZE[..SIZE:STEP]", help="Memory of the program alone, the pool outside.", rich_help_panel=RAM
        ),
    ] = None,
    policy_from: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The policy that `cswap validate ram -o` found best.", rich_help_panel=RAM),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC", help="Which page goes out next: lru (the default), random or two-list.", rich_help_panel=RAM
        ),
    ] = None,
    recorded: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Memory that traces were recorded in that do not say.", rich_help_panel=RAM),
    ] = None,
    together: Annotated[
        bool,
        typer.Option("--together", help="All traces at the same time on one machine.", rich_help_panel=RAM),
    ] = False,
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
    codec_costs: Annotated[
        list[str] | None,
        typer.Option(metavar="TOML", help="Published codec times of another machine.", rich_help_panel=TIMING),
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Also at both ends of each assumed cost.", rich_help_panel=TIMING)
    ] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Keep every operation with its parts.", rich_help_panel=TIMING)
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write frames, provenance and plots here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an older result in the folder of --out.")] = False,
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
    mm_stat: Annotated[
        bool, typer.Option("--mm-stat", help="Also zram's mm_stat at the fullest moment, a line a run.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="A list of rows as JSON instead of tables; with --timing, latencies in each.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV instead of tables.")] = False,
) -> None:
    """Replay traces through every frontend, compressor and allocator; how many pages fit in one.

    Without TRACE: the whole recordings that are shipped; their samples' pages are compressed besides, which confirms
    the sizes that the recordings carry. The output ends with a summary of at most 24 lines.
    """
    given = {name: value for name, value in locals().items() if name not in OUTPUT}
    from sim.cli.output import print_csv, print_json
    from sim.cli.performing import perform
    from sim.cli.remarks import option_words, remarks_said
    from sim.cli.rows import if_whole, rows_of, with_latencies, with_mm_stat
    from sim.cli.size import page_size_of, pages_of
    from sim.errors import UserError, remark
    from sim.experiment.options import by_field, experiment_of, in_words

    words = option_words(context)
    given["page_sizes"] = page_sizes and [page_size_of(text) for text in page_sizes]
    given["zone_pages"] = zone_pages and [pages_of("--zone-pages", text) for text in zone_pages]
    if json and csv:
        raise UserError("--json and --csv: give one of them")
    if rerun is not None:
        from sim.cli.rerun import repeat

        with remarks_said(by_field(words)):
            repeat(rerun, given, words, out, force, keep_source, json, csv)
        return
    file = given.pop("experiment")
    asked_for = experiment_of(given, file, words)

    def show(result: Result, written: Path | None) -> None:
        if json:
            rows = with_mm_stat(result, with_latencies(result) if asked_for.timing else rows_of(result))
            print_json(if_whole(result, rows))
        elif csv:
            print_csv(if_whole(result, with_mm_stat(result, rows_of(result), flat=True)))
        else:
            from sim.cli.fragmentation import print_fragmentation
            from sim.cli.mm_stat import print_mm_stat
            from sim.cli.ram_summary import print_ram_summary
            from sim.cli.summary import print_summary
            from sim.cli.tables import print_result
            from sim.results.verdict import confirmed

            print_result(result, full)
            print_fragmentation(result)
            if told := confirmed(result):
                print(told)
            if mm_stat:
                print_mm_stat(result)
            if written:
                _tell_written(result, written)
            (print_summary if result.ram.empty else print_ram_summary)(result)
            if not result.provenance["complete"] and len(result.density):
                print("Unfinished: the run was broken off; only what was finished by then is here.")

    if mm_stat:
        from sim.cli.mm_stat import check_mm_stat

        check_mm_stat(asked_for)
    with remarks_said(by_field(words)), in_words(given, file, words):
        for name, value in {"keep_source": keep_source, "events": events}.items():
            if value and out is None:
                remark(f"<{name}> has no effect without <out>")
        result = perform(asked_for, out, keep_source, show, force=force, mm_stat=mm_stat)
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

    print_line(f"written to {folder}: density, timeline, latency and counters as CSV and Parquet, provenance.json")
    if pictures := [f"{name}.png" for name in result.plots() if (folder / f"{name}.png").exists()]:
        print(f"pictures {', '.join(pictures)}")
