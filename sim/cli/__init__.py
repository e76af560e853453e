"""The command `cswap`. Each sub-command has its own file and imports what it needs when it is called."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli import (
    advise,
    calibrate,
    classes,
    compare,
    import_,
    list,
    ops,
    plot,
    record,
    report,
    run,
    sweep,
    trace,
    validate,
)
from sim.cli.group import Group
from sim.cli.once import count_once
from workloads.limits import OPTION, RATIO

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# The order of `cswap --help`.
app.command("run")(run.run)
app.command("sweep", no_args_is_help=True)(sweep.sweep)
app.command("advise", no_args_is_help=True)(advise.advise)
app.command("plot")(plot.plot)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("ops")(ops.ops)
app.command("classes")(classes.classes)
app.add_typer(validate.app, name="validate")
app.command("calibrate")(calibrate.calibrate)
app.add_typer(record.app, name="record")
app.add_typer(trace.app, name="trace")
app.command("import", no_args_is_help=True)(import_.import_)
app.command("list")(list.list_)
count_once(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print("cswap", version("cswap"))
        raise typer.Exit


@app.callback()
def cswap(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    max_bytes: Annotated[
        str,
        typer.Option(OPTION, metavar="SIZE", help="Most bytes to which any compressed file may expand, such as 64G."),
    ] = f"{RATIO} times its size",
) -> None:
    """Compressed-swap workload simulator.

    Replays swap traces through real compressors into exact models of the kernel's allocators.
    """


def main() -> None:
    """Run the command line; never returns."""
    app(prog_name="cswap")
