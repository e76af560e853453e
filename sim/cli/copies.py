"""`cswap trace sample` and `cswap trace strip`: smaller copies of a trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.options import TraceText

if TYPE_CHECKING:
    from workloads import Sizes, Trace

SMALL = 19  # zstd's level for the pages of a sample, which is made once and copied often


def sample(
    trace: TraceText,
    share: Annotated[float, typer.Option(help="Share of the slots to keep, 0 to 1.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="NEW", help="By default NAME-sample.cswap, here.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed chooses other slots.")] = 0,
) -> None:
    """Copy some slots of a trace, each with its complete history and the contents of its pages."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from workloads import sample_slots, save_trace
    from workloads.traces.writer import check_new

    opened = open_input(trace)
    new = check_new(out or f"{opened.name}-sample.cswap")
    with progress(f"writing {new}") as done:
        sampled = save_trace(sample_slots(opened, share, seed), new, level=SMALL, progress=done)
    print_line(f"{new}: {sampled.n_events} events, {sampled.unique_pages} unique pages in {sampled.n_slots} slots")


def strip(
    trace: TraceText,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="NEW", help="By default NAME-stripped.cswap, here.")
    ] = None,
    compressor: Annotated[
        list[str] | None, typer.Option("-c", "--compressor", metavar="CODEC", help="By default all that the trace has.")
    ] = None,
    keep_source: Annotated[
        bool, typer.Option("--keep-source", help="Keep the command line and everything else about the origin.")
    ] = False,
) -> None:
    """Copy a trace without its contents, so that it can be shared: events, and sizes by compressor."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from workloads import strip_trace
    from workloads.traces.writer import check_new

    opened = open_input(trace)
    new = check_new(out or f"{opened.name}-stripped.cswap")  # reported before the work is done, not after it
    sizes = _sizes(opened, compressor)
    with progress(f"writing {new}") as done:
        stripped = strip_trace(opened, new, sizes, keep_source=keep_source, progress=done)
    print_line(f"{new}: {stripped.n_events} events, {stripped.unique_pages} unique pages, no contents")
    print_line(f"sizes of: {', '.join(stripped.sizes_codecs())}")
    gone = [key for key in opened.source if key not in stripped.source]
    kept, left = (", ".join(keys) or "nothing" for keys in (stripped.source, gone))
    print_line(f"of the source kept: {kept}; left out: {left}")


def _is_codec(name: str) -> bool:
    """Whether it is one of cswap's names, not foreign text."""
    from sim.errors import USER_ERRORS
    from sim.plugins import COMPRESSORS
    from workloads.traces.sizes import GIVEN

    try:
        return name == GIVEN or COMPRESSORS.make(name).spec == name
    except USER_ERRORS:
        return False


def _sizes(trace: Trace, specs: list[str] | None) -> dict[str, Sizes]:
    """The sizes by some compressors, by default by all; nothing is written beside the trace."""
    from sim.cli.progress import progress
    from sim.plugins import COMPRESSORS
    from sim.sizing.sizing import size_pages

    if specs is None and not trace.content:
        known = {codec: trace.sizes(codec) for codec in trace.sizes_codecs() if _is_codec(codec)}
        return {codec: table for codec, table in known.items() if table is not None}
    sizes = {}
    for codec in [COMPRESSORS.make(spec) for spec in specs or COMPRESSORS.names()]:
        with progress(f"{codec.spec} on {trace.name}") as done:
            table = size_pages(trace, codec, progress=done)
        sizes[table.meta["codec"]] = table
    return sizes
