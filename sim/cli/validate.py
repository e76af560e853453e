"""`cswap validate`: the simulation held against a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.device import check_device
from sim.cli.validate_latency import show_latency

if TYPE_CHECKING:
    from sim.validate.comparison import Comparison
    from sim.validate.ending import Ending

DIFFERENT = 1


def validate(
    trace: Annotated[
        str | None, typer.Argument(metavar="[TRACE]", help="A folder NAME.cswap, a shipped sample, or a generator.")
    ] = None,
    codec: Annotated[
        str | None,
        typer.Option("-c", "--compressor", metavar="CODEC", help="The codec of the device, as the kernel calls it."),
    ] = None,
    ending: Annotated[
        bool, typer.Option("--ending", help="TRACE was recorded: hold it against what its device said at the end.")
    ] = False,
    pages: Annotated[Path | None, typer.Option(metavar="BIN", help="Recorded: pages, plain, .gz or .zst.")] = None,
    ops: Annotated[Path | None, typer.Option(metavar="FILE", help="Recorded: operations, plain, .gz or .zst.")] = None,
    expect: Annotated[Path | None, typer.Option(metavar="CSV", help="Recorded: rows of mm_stat.")] = None,
    device: Annotated[str | None, typer.Option(metavar="zram", help="Replay TRACE on a device of this host.")] = None,
    every: Annotated[int, typer.Option(min=1, help="On a device: operations from row to row.")] = 1000,
    chain: Annotated[
        int | None, typer.Option(help="Longest zspage in pages; by default that of this kernel, recorded: 8.")
    ] = None,
    latency: Annotated[
        bool, typer.Option("--latency", help="On a device: how long writes and reads take, instead of mm_stat.")
    ] = False,
    count: Annotated[int, typer.Option("-n", min=1, help="With --latency: pages of TRACE.")] = 2000,
    repeats: Annotated[int, typer.Option(min=1, help="With --latency: new devices, one after the other.")] = 5,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Compare the simulated mm_stat of zram with a kernel's, field by field; or its latency.

    With recorded rows (--pages, --ops, --expect); with a zram device that is added to this host, given TRACE and
    removed again (TRACE --device zram; needs root; `cswap record --cleanup` removes it after a kill -9); or with the
    device that TRACE was recorded on (TRACE --ending).
    Exit status 1 when a row differs, or when what was held at the end of a recording differs by more than 0.5 %:
    data and memory; the maxima if the program had given its pages back. What pages of other programs may have added
    is allowed for.
    With --latency, writes and reads of TRACE's pages are timed on the device beside their prediction, whatever comes
    out; let nothing else run.
    """
    from sim.errors import UserError

    recorded = {"--pages": pages, "--ops": ops, "--expect": expect}
    if ending:
        if trace is None or device or codec or any(recorded.values()):
            raise UserError("--ending: give TRACE and nothing besides; it says by itself what it was recorded on")
        agrees = _show_ending(_ending(trace, chain), json)
    elif codec is None:
        raise UserError("-c is missing; give the codec of the device, as in -c lz4")
    elif latency:
        if trace is None or device is None or any(recorded.values()):
            raise UserError("--latency measures on a device of this host; give TRACE and --device zram")
        show_latency(trace, device, codec, count, repeats, chain, json)
        agrees = True
    else:
        comparison = _compared(trace, codec, recorded, device, every, chain)
        agrees = _show(comparison, codec, json)
    if not agrees:
        raise typer.Exit(DIFFERENT)


def _compared(
    trace: str | None, codec: str, recorded: dict[str, Path | None], device: str | None, every: int, chain: int | None
) -> Comparison:
    from sim.errors import UserError

    pages, ops, expect = recorded.values()
    if trace is None and device is None and pages and ops and expect:
        return _recorded(pages, ops, expect, codec, chain)
    if trace is not None and device is not None and not any(recorded.values()):
        return _live(trace, device, codec, every, chain)
    missing = [name for name, value in recorded.items() if value is None]
    if trace is None and device is None and len(missing) < len(recorded):
        raise UserError(f"{', '.join(missing)} is missing; give --pages, --ops and --expect")
    raise UserError("give either --pages, --ops and --expect, or TRACE and --device zram, or TRACE and --ending")


def _recorded(pages: Path, ops: Path, expect: Path, codec: str, chain: int | None) -> Comparison:
    from allocators.zspages.zsmalloc import Zsmalloc
    from sim.cli.progress import progress
    from sim.compressors.registry import compressor
    from sim.validate.recorded import compare_recorded

    return compare_recorded(pages, ops, expect, compressor(codec), Zsmalloc(chain=chain), progress)


def _live(trace: str, device: str, codec: str, every: int, chain: int | None) -> Comparison:
    from sim.cli.progress import progress
    from sim.compressors.registry import compressor
    from sim.experiment.inputs import open_input
    from sim.validate.live import compare_live

    check_device(device)
    return compare_live(open_input(trace), compressor(codec), every, chain, report=progress)


def _ending(trace: str, chain: int | None) -> Ending:
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from sim.validate.ending import compare_ending

    return compare_ending(open_input(trace), chain, report=progress)


def _show(comparison: Comparison, codec: str, json: bool) -> bool:
    from sim.cli.output import print_json

    if json:
        print_json({"compressor": codec, **comparison.summary()})
        return comparison.equal
    print(f"{comparison.identical} of {comparison.rows} rows identical")
    first = comparison.first
    if first is not None:
        print(
            f"first difference: row {first.row} (ops_done {first.ops_done}), {first.field}: "
            f"kernel {first.kernel}, simulated {first.simulated}"
        )
    return comparison.equal


def _show_ending(ending: Ending, json: bool) -> bool:
    from sim.cli.output import print_json, print_table
    from sim.validate.ending import MAXIMA, TOLERANCE

    if json:
        counts = {"left": ending.left, "lost": ending.lost}
        print_json({"agrees": ending.agrees, "held": ending.held, **counts, "mm_stat": ending.rows()})
        return ending.agrees
    shown = ({**row, "deviation": f"{row['deviation']:+.2%}"} for row in ending.rows())
    print_table("mm_stat at the end of the recording", shown)
    if any(ending.others):
        print("others: the most that pages of other programs may add; deviation: what is beyond that")
    if ending.held == MAXIMA:
        print(
            f"the program had given everything back (pages left: {ending.left}), so only the maxima can be compared; "
            "record with --duration to stop it before"
        )
    verdict = f"within {TOLERANCE:.1%} of the kernel's"
    print(f"{', '.join(ending.held)}: {verdict if ending.agrees else f'not {verdict}; {_remedy(ending)}'}")
    return ending.agrees


def _remedy(ending: Ending) -> str:
    if ending.lost:
        return (
            f"{ending.lost} page-outs were lost: record again where CPUs are idle, with --backend bpf if it works there"
        )
    return "if another kernel recorded it, give its CONFIG_ZSMALLOC_CHAIN_SIZE as --chain; else record it again"
