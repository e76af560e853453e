"""`cswap validate`: the simulation held against a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sim.validate.comparison import Comparison

DIFFERENT = 1


def validate(
    codec: Annotated[
        str,
        typer.Option("-c", "--compressor", metavar="CODEC", help="The codec of the device, as the kernel calls it."),
    ],
    trace: Annotated[
        str | None, typer.Argument(metavar="[TRACE]", help="A folder NAME.cswap, a shipped sample, or a generator.")
    ] = None,
    pages: Annotated[Path | None, typer.Option(metavar="BIN", help="Recorded: pages, plain, .gz or .zst.")] = None,
    ops: Annotated[Path | None, typer.Option(metavar="FILE", help="Recorded: operations, plain, .gz or .zst.")] = None,
    expect: Annotated[Path | None, typer.Option(metavar="CSV", help="Recorded: rows of mm_stat.")] = None,
    device: Annotated[str | None, typer.Option(metavar="zram", help="Replay TRACE on a device of this host.")] = None,
    every: Annotated[int, typer.Option(min=1, help="On a device: operations from row to row.")] = 1000,
    chain: Annotated[
        int | None, typer.Option(help="Longest zspage in pages; by default that of this kernel, recorded: 8.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Compare the simulated mm_stat of zram with a kernel's, field by field.

    Either with recorded rows (--pages, --ops, --expect), or with a zram device that is added to this host, given TRACE
    and removed again (TRACE --device zram; needs root). Exit status 1 when a row differs.
    """
    from sim.errors import UserError

    recorded = {"--pages": pages, "--ops": ops, "--expect": expect}
    if trace is None and device is None and pages and ops and expect:
        comparison = _recorded(pages, ops, expect, codec, chain)
    elif trace is not None and device is not None and not any(recorded.values()):
        comparison = _live(trace, device, codec, every, chain)
    else:
        missing = [name for name, value in recorded.items() if value is None]
        if trace is None and device is None and len(missing) < len(recorded):
            raise UserError(f"{', '.join(missing)} is missing; give --pages, --ops and --expect")
        raise UserError("give either --pages, --ops and --expect, or TRACE and --device zram")
    _show(comparison, codec, json)
    if not comparison.equal:
        raise typer.Exit(DIFFERENT)


def _recorded(pages: Path, ops: Path, expect: Path, codec: str, chain: int | None) -> Comparison:
    from allocators.zsmalloc import Zsmalloc
    from sim.cli.progress import progress
    from sim.compressors.registry import compressor
    from sim.validate.recorded import compare_recorded

    return compare_recorded(pages, ops, expect, compressor(codec), Zsmalloc(chain=chain), progress)


def _live(trace: str, device: str, codec: str, every: int, chain: int | None) -> Comparison:
    from sim.cli.progress import progress
    from sim.compressors.registry import compressor
    from sim.errors import UserError
    from sim.inputs import open_input
    from sim.validate.live import compare_live

    if device != "zram":
        raise UserError(f"--device {device}: only zram devices can be added; give --device zram")
    return compare_live(open_input(trace), compressor(codec), every, chain, report=progress)


def _show(comparison: Comparison, codec: str, json: bool) -> None:
    from sim.cli.output import print_json

    if json:
        print_json({"compressor": codec, **comparison.summary()})
        return
    print(f"{comparison.identical} of {comparison.rows} rows identical")
    first = comparison.first
    if first is not None:
        print(
            f"first difference: row {first.row} (ops_done {first.ops_done}), {first.field}: "
            f"kernel {first.kernel}, simulated {first.simulated}"
        )
