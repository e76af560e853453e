"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

TraceText = Annotated[
    str,
    typer.Argument(metavar="TRACE", help="A folder NAME.cswap, a shipped recording or sample, or a generator spec."),
]
Compressor = Annotated[
    str, typer.Option("-c", "--compressor", metavar="SPEC", help="The device's compressor, as the kernel calls it.")
]
Chain = Annotated[int | None, typer.Option(help="Longest zspage in pages; by default that of this kernel.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
