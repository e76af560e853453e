"""`cswap sweep`: every combination of an experiment once, in as many tries and on as many machines as it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sim.results.result import Result

FAILED = 1  # the exit status when some cells failed


def sweep(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="An experiment, as `cswap run --experiment` takes.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where cells and result are; what is there is not redone.")],
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Processes; by default one for each processor.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:PORT", help="The workers of a Dask cluster instead of processes.")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Do those cells again that failed.")] = False,
    keep_source: Annotated[
        bool, typer.Option("--keep-source", help="Tell paths and the traces' whole sources in the provenance.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="The rows of all cells as JSON instead of tables.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The rows of all cells as CSV instead of tables.")] = False,
) -> None:
    """Do every combination of an experiment once, and keep each: interrupted or extended, it does what is missing.

    DIR/cells has a file for each combination, DIR/cells.csv a row, and DIR/result the result of all together, as
    `cswap run --out` writes it. A combination that fails is a row with its error; the exit status is 1 then.
    """
    from sim.cli.performing_sweep import draw, perform_sweep
    from sim.cli.remarks import option_words, remarks_said
    from sim.errors import UserError
    from sim.experiment.options import by_field, experiment_of, in_words
    from sim.results.saving import RESULT
    from sim.sweep.joining import read_table

    if json and csv:
        raise UserError("--json and --csv: give one of them")
    if dask and workers:
        raise UserError("--workers has no effect with --dask, whose cluster has its own")
    experiment = experiment_of({}, file)
    with remarks_said(by_field(option_words(context))), in_words({}, file):
        result = perform_sweep(experiment, out, workers=workers, dask=dask, retry=retry, keep_source=keep_source)
    rows = read_table(out)
    wrong = draw(result, out / RESULT)
    _show(result, rows, out, json, csv)
    if wrong:
        raise wrong
    if failed := [row for row in rows if row["error"]]:
        from sim.cli.output import say

        cell, more = failed[0], f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        told = ", ".join(cell[name] for name in ("trace", "frontend", "compressor", "allocator"))
        say(f"{told}{more}: {cell['error']}")
        raise typer.Exit(FAILED)


def _show(result: Result, rows: list[dict[str, Any]], out: Path, json: bool, csv: bool) -> None:
    """Rows, or what `run` ends with."""
    from sim.cli.output import print_csv, print_json, print_line, standard_output

    if json:
        print_json(rows)
        return
    if csv:
        print_csv(rows)
        return
    from sim.cli.ram_summary import print_ram_summary
    from sim.cli.summary import print_summary

    failed = sum(bool(row["error"]) for row in rows)
    with standard_output():
        print_line(f"{len(rows)} cells, {failed} failed: {out}/cells.csv; joined in {out}/result")
        (print_summary if result.ram.empty else print_ram_summary)(result)
