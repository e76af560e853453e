"""`cswap run --mm-stat`: zram's own nine fields of every run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workloads.host.mmstat import FIELDS

if TYPE_CHECKING:
    from sim.experiment.description import Experiment
    from sim.results.result import Result

# mm_stat_show in drivers/block/zram/zram_drv.c
LINE = "%8d %8d %8d %8d %8d %8d %8d %8d %8d"


def check_mm_stat(experiment: Experiment) -> None:
    """Raise UserError if no run of the experiment can have an mm_stat."""
    from sim.errors import UserError
    from sim.frontends.base import Frontend
    from sim.plugins import FRONTENDS

    made = [FRONTENDS.make(item) for item in experiment.frontends]
    if all(type(one).mm_stat is Frontend.mm_stat or getattr(one, "era", "") == "2012" for one in made):
        raise UserError(f"--mm-stat: {', '.join(one.spec for one in made)} has no mm_stat; give -f zram")


def print_mm_stat(result: Result) -> None:
    """A line a run, at the trace's fullest moment, as the kernel prints it, after the names of the run."""
    from sim.cli.output import print_line, standard_output
    from sim.timing.latency import run_columns

    if result.mm_stat.empty:
        return
    rows = result.mm_stat[result.mm_stat["moment"] == "fullest"]
    with standard_output():
        print_line(f"mm_stat at each trace's fullest moment: {' '.join(FIELDS)}")
        for run in rows.to_dict("records"):
            names = " ".join(str(run[name]) for name in run_columns(rows.columns))
            print_line(f"{names}: {LINE % tuple(run[name] for name in FIELDS)}")
        print()
