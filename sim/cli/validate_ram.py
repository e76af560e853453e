"""`cswap validate ram`: other sizes of RAM, predicted beside recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.ram.measured import Measured
    from sim.validate.ram import Predicted


def ram(
    traces: Annotated[
        list[str],
        typer.Argument(metavar="TRACE...", help="Recordings of one program, with several --limit (or --ram)."),
    ],
    policy: Annotated[
        list[str] | None, typer.Option(metavar="SPEC", help="Reclaim policies to try; by default all there are.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Write .json or .toml for `cswap run --policy-from`."),
    ] = None,
    json: Json = False,
) -> None:
    """Predict page-outs and page-ins in each memory from recordings in smaller ones, beside what was recorded there.

    Says which reclaim policy predicts best, and which share of the difference between two limits counts. Several
    recordings at one limit are averaged. Recordings made with --ram are predicted with zram, their compressor and
    zsmalloc. The exit status does not depend on the ratios.
    """
    from sim.cli.output import print_json
    from sim.cli.progress import progress
    from sim.errors import UserError
    from sim.experiment.inputs import open_input
    from sim.plugins import POLICIES
    from sim.ram.measured import save
    from sim.validate.memories import recordings
    from sim.validate.ram import best, error, measure, predictions

    if out is not None and out.suffix not in (".json", ".toml"):
        raise UserError(f"{out}: give a name that ends with .json or .toml")
    found = recordings([open_input(text) for text in traces])
    policies = [POLICIES.make(spec).spec for spec in policy or POLICIES.names()]
    predicted = predictions(found, policies, progress)
    chosen = best(predicted)
    deviation = error([one for one in predicted if one.policy == chosen])
    measured = measure(found, chosen, deviation, progress)
    if out is not None and measured is None:
        raise UserError(f"{out}: nothing to write, since no two recordings were made with --limit; give such")
    if out is not None and measured is not None:
        save(out, measured)
    if json:
        shares = {(one.smaller, one.larger): one.share for one in measured.intervals} if measured else {}
        rows = [one.row() for one in predicted]
        for row in rows:
            row["best"] = row["policy"] == chosen
            row["share"] = shares.get((row["from"], row["to"])) if row["best"] and not row["shared"] else None
        print_json(rows)
    else:
        _show(predicted, chosen, measured)


def _show(predicted: Sequence[Predicted], chosen: str, measured: Measured | None) -> None:
    from sim.cli.output import print_line, print_table
    from sim.validate.ram import error

    print_table("predicted / live", (_shown(one) for one in predicted))
    if measured:
        print_table(
            f"what counts of the difference, with {chosen}",
            (
                {"from": _mib(one.smaller), "to": _mib(one.larger), "share": f"{one.share:.2f}"}
                for one in measured.intervals
            ),
        )
    for policy in dict.fromkeys(one.policy for one in predicted):
        ours = [one for one in predicted if one.policy == policy]
        print_line(f"{policy}: median deviation {error(ours):.1%}")
    print_line(f"best: {chosen}")


def _shown(one: Predicted) -> dict[str, Any]:
    row = one.row()
    outs, ins = (f"{value:.2f}" if (value := row[key]) is not None else "-" for key in ("ratio_outs", "ratio_ins"))
    return {
        "from": _mib(row["from"]),
        "to": f"{_mib(row['to'])} with {row['compressor']}" if row["shared"] else _mib(row["to"]),
        "policy": one.policy,
        "page-outs": row["page_outs"],
        "live": row["live_page_outs"],
        "ratio": outs,
        "page-ins": row["page_ins"],
        "live ": row["live_page_ins"],
        "ratio ": ins,
    }


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB"
