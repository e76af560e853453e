"""`cswap validate`: compares the simulation with a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from sim.cli.options import Chain, Compressor, Json, TraceText
from sim.cli.validate_ending import ending
from sim.cli.validate_latency import latency
from sim.cli.validate_ram import ram

if TYPE_CHECKING:
    from sim.validate.comparison import Comparison

DIFFERENT = 1  # exit status


FORMER = {  # flags, and the sub-commands they are now
    "--ending": "cswap validate ending TRACE",
    "--latency": "cswap validate latency TRACE -c SPEC",
    "--device": "cswap validate live TRACE -c SPEC",
    **dict.fromkeys(
        ("--pages", "--ops", "--expect"),
        "cswap validate recorded --pages BIN --ops FILE --expect CSV -c SPEC",
    ),
}


class Validate(TyperGroup):
    """The sub-commands of `cswap validate`; knows the flags that they replace."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """See click. Raises UserError for a former flag without a sub-command."""
        from sim.errors import UserError

        if args and args[0] not in self.commands:
            words = {word.partition("=")[0] for word in args}
            for flag, form in FORMER.items():
                if flag in words:
                    raise UserError(f"{flag} is a sub-command now: {form}")
        return super().make_context(info_name, args, parent, **extra)


app = typer.Typer(cls=Validate, no_args_is_help=True, help="Compare the simulation with a kernel.")


@app.callback()
def modes() -> None:
    """Compare the simulation with a kernel."""


@app.command()
def recorded(
    pages: Annotated[Path, typer.Option(metavar="BIN", help="Pages, concatenated; plain, .gz or .zst.")],
    ops: Annotated[Path, typer.Option(metavar="FILE", help="Operations; plain, .gz or .zst.")],
    expect: Annotated[Path, typer.Option(metavar="CSV", help="Rows of mm_stat.")],
    compressor: Compressor,
    chain: Annotated[int, typer.Option(help="Longest zspage in pages.")] = 8,
    json: Json = False,
) -> None:
    """Compare zram's mm_stat, field by field, with rows recorded on a device.

    Exit status 1 if a row differs.
    """
    from allocators.zspages.zsmalloc import Zsmalloc
    from sim.cli.progress import progress
    from sim.plugins import COMPRESSORS
    from sim.validate.recorded import compare_recorded

    _finish(
        compare_recorded(pages, ops, expect, COMPRESSORS.make(compressor), Zsmalloc(chain=chain), progress),
        compressor,
        json,
    )


@app.command()
def live(
    trace: TraceText,
    compressor: Compressor,
    every: Annotated[int, typer.Option(min=1, help="Operations between rows.")] = 1000,
    chain: Chain = None,
    json: Json = False,
) -> None:
    """Compare zram's mm_stat, field by field, with a zram device of this host (root).

    Adds a device, replays TRACE on it and removes it again; after a kill -9, `cswap record cleanup` removes it.
    Exit status 1 if a row differs.
    """
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from sim.plugins import COMPRESSORS
    from sim.validate.live import compare_live

    _finish(
        compare_live(open_input(trace), COMPRESSORS.make(compressor), every, chain, report=progress), compressor, json
    )


app.command("ending")(ending)
app.command("latency")(latency)
app.command("ram")(ram)


def _finish(comparison: Comparison, compressor: str, json: bool) -> None:
    """Print a comparison, and exit with 1 if a row differs."""
    from sim.cli.output import print_json

    if json:
        print_json({"compressor": compressor, **comparison.summary()})
    else:
        print(f"{comparison.identical} of {comparison.rows} rows identical")
        first = comparison.first
        if first is not None:
            print(
                f"first difference: row {first.row} (ops_done {first.ops_done}), {first.field}: "
                f"kernel {first.kernel}, simulated {first.simulated}"
            )
    if not comparison.equal:
        raise typer.Exit(DIFFERENT)
