"""`cswap trace dictionary`: a dictionary trained on the pages of traces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def dictionary(
    traces: Annotated[list[str], typer.Argument(metavar="TRACE...", help="Traces with contents.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="The dictionary; must not exist.")],
    size: Annotated[str, typer.Option(metavar="SIZE", help="Bytes at most; lz4 and lz4hc take 64K.")] = "16K",
    pages: Annotated[
        int | None, typer.Option(min=1, help="Pages to train on, drawn at random; by default 100 times the size.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed draws other pages.")] = 0,
) -> None:
    """Train a dictionary for lz4, lz4hc and zstd (`-c zstd:dict=FILE`), as zram takes it since Linux 6.12.

    Measure it on other pages than those it was trained on, such as another recording of the same program: a codec finds
    the pages of its training in the dictionary.
    """
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.compressors.dictionary import known_from_now_on
    from sim.errors import UserError
    from sim.experiment.inputs import open_input
    from sim.sizing.training import ENOUGH, sampled, trained
    from sim.units import bytes_of

    wanted = bytes_of(size)
    if not wanted:
        raise UserError(f"--size {size}: give the bytes of a dictionary, such as 16K")
    if out.exists():
        raise UserError(f"{out}: exists; remove it or give another name")
    opened = [open_input(trace) for trace in traces]
    count = pages or -(-ENOUGH * wanted // opened[0].page_size)
    with progress(f"reading {', '.join(trace.name for trace in opened)}") as done:
        sample = sampled(opened, count, seed, done)
    with progress(f"training on {len(sample):,} pages"):
        content = trained(sample, wanted)
    out.write_bytes(content)
    of = sum(trace.unique_pages for trace in opened)
    print_line(f"{out}: {len(content):,} bytes, trained on {len(sample):,} of {of:,} pages")
    print_line(f"use: -c zstd:dict={out}, in results zstd:dict={known_from_now_on(content)}")
