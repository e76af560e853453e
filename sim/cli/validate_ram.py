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
        list[str], typer.Argument(metavar="TRACE...", help="Recordings of one program under several limits.")
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
    """Predict page-outs and page-ins at each limit from the recordings at smaller ones, beside the live ones.

    Says which reclaim policy predicts best, and which share of the difference between two limits counts. Several
    recordings at one limit are averaged. The exit status does not depend on the ratios.
    """
    from sim.cli.output import print_json
    from sim.cli.progress import progress
    from sim.errors import UserError
    from sim.experiment.inputs import open_input
    from sim.plugins import POLICIES
    from sim.ram.measured import save
    from sim.validate.ram import best, error, measure, predictions, recordings

    if out is not None and out.suffix not in (".json", ".toml"):
        raise UserError(f"{out}: give a name that ends with .json or .toml")
    found = recordings([open_input(text) for text in traces])
    policies = [POLICIES.make(spec).spec for spec in policy or POLICIES.names()]
    predicted = predictions(found, policies, progress)
    chosen = best(predicted)
    measured = measure(found, chosen, error([one for one in predicted if one.policy == chosen]), progress)
    if out is not None:
        save(out, measured)
    if json:
        shares = {(one.smaller, one.larger): one.share for one in measured.intervals}
        rows = [one.row() for one in predicted]
        print_json(
            [
                {**row, "best": row["policy"] == chosen, "share": shares[row["from"], row["to"]]}
                if row["policy"] == chosen
                else {**row, "best": False, "share": None}
                for row in rows
            ]
        )
    else:
        _show(predicted, measured)


def _show(predicted: Sequence[Predicted], measured: Measured) -> None:
    from sim.cli.output import print_line, print_table
    from sim.validate.ram import error

    print_table("predicted / live", (_shown(one) for one in predicted))
    print_table(
        f"what counts of the difference, with {measured.policy}",
        (
            {"from": _mib(one.smaller), "to": _mib(one.larger), "share": f"{one.share:.2f}"}
            for one in measured.intervals
        ),
    )
    for policy in dict.fromkeys(one.policy for one in predicted):
        ours = [one for one in predicted if one.policy == policy]
        print_line(f"{policy}: median deviation {error(ours):.1%}")
    print_line(f"best: {measured.policy}")


def _shown(one: Predicted) -> dict[str, Any]:
    row = one.row()
    outs, ins = (f"{value:.2f}" if (value := row[key]) is not None else "-" for key in ("ratio_outs", "ratio_ins"))
    return {
        "from": _mib(row["from"]),
        "to": _mib(row["to"]),
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
