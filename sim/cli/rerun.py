"""`cswap run --rerun`: reproduces a result and compares the two."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.results.comparing import Compared
    from sim.results.result import Result

ELSEWHERE = ("traces", "costs", "codec_costs", "swap_devices")  # what may be given: files that are elsewhere now
DIFFERS = 1  # exit status


def repeat(
    path: Path,
    given: dict[str, Any],
    words: Mapping[str, str],
    out: Path | None,
    force: bool,
    keep_source: bool,
    json: bool,
    csv: bool,
) -> None:
    """Run the experiment of a provenance again and compare; exit status 1 if anything differs."""
    import typer

    from sim.cli.output import print_csv, print_json
    from sim.cli.performing import perform
    from sim.errors import UserError
    from sim.experiment.rerun import Recorded
    from sim.results.comparing import DIFFERENT, IDENTICAL, Older

    given = {name: value for name, value in given.items() if value}
    if others := [name for name in given if name not in ELSEWHERE]:
        word = words.get(others[0], others[0])
        raise UserError(
            f"--rerun: the provenance sets {word}; give only TRACE, --costs, --codec-costs or --swap-device besides"
        )
    recorded = Recorded.read(path)
    older = Older.read(recorded.file, recorded.about)
    experiment = recorded.experiment(given.pop("traces", ()), **given)
    found: list[Compared] = []

    def show(result: Result, written: Path | None) -> None:
        if not result.provenance["complete"]:
            return
        found.extend(older.compare(result))
        if not any(one.verdict in (IDENTICAL, DIFFERENT) for one in found):
            raise UserError(f"{recorded.file}: nothing could be compared; keep density.csv beside it")
        if json or csv:
            (print_json if json else print_csv)([one.row() for one in found])
            return
        for one in found:
            rows = f"{one.rows} rows " if one.rows else ""
            print(f"{one.frame}: {rows}{one.verdict}{one.note and f': {one.note}'}")
        changes = older.changes(result)
        differs = any(one.verdict == DIFFERENT for one in found)
        print((DIFFERENT if differs else IDENTICAL) + (f"; since then {changes}" if changes else ""))
        if written:
            print(f"written to {written}")

    # What is compared with an older result is made anew, all of it.
    perform(experiment, out, keep_source, show, force=force, go_on=False)
    if any(one.verdict == DIFFERENT for one in found):
        raise typer.Exit(DIFFERS)
