"""`cswap validate ending`: the simulation compared with what a recording's device reported at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sim.cli.options import Chain, Json, TraceText

if TYPE_CHECKING:
    from sim.validate.ending import Ending

DIFFERENT = 1  # exit status


def ending(trace: TraceText, chain: Chain = None, json: Json = False) -> None:
    """Compare zram's mm_stat at the end of a recording with the simulation's.

    Exit status 1 if they differ by more than 0.5 %: data and memory, or the maxima if the program had given back its
    pages. What pages of other programs may have added is allowed for.
    """
    from sim.cli.output import print_json
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from sim.validate.ending import compare_ending

    found = compare_ending(open_input(trace), chain, report=progress)
    if json:
        told = {"blurred": found.blurred, "left": found.left, "lost": found.lost}
        print_json({"agrees": found.agrees, "held": found.held, **told, "mm_stat": found.rows()})
    else:
        _show(found)
    if not found.agrees:
        raise typer.Exit(DIFFERENT)


def _show(ending: Ending) -> None:
    from sim.cli.output import print_table
    from sim.validate.ending import BLUR, MAXIMA, TOLERANCE

    shown = ({**row, "deviation": f"{row['deviation']:+.2%}"} for row in ending.rows())
    print_table("mm_stat at the end of the recording", shown)
    if any(ending.others):
        print("others: the most that pages of other programs may add; deviation: what exceeds that")
    if ending.held == MAXIMA:
        print(
            f"the program had given everything back (pages left: {ending.left}), so only the maxima can be compared; "
            "record with --duration to stop it earlier"
        )
    verdict = f"within {TOLERANCE:.1%} of the kernel's"
    print(f"{', '.join(ending.held)}: {verdict if ending.agrees else f'not {verdict}; {_remedy(ending)}'}")
    if ending.agrees and ending.blurred:
        print(
            f"{', '.join(ending.blurred)}: others may have added more than {BLUR:.0%}, so this tells little; "
            "record while nothing else swaps"
        )


def _remedy(ending: Ending) -> str:
    if ending.lost:
        return f"{ending.lost} page-outs were lost: record again with idle CPUs, with --backend bpf if it works there"
    return "if another kernel recorded it, give its CONFIG_ZSMALLOC_CHAIN_SIZE as --chain; else record it again"
