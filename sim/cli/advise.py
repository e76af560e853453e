"""`cswap advise`: recommended settings for one's own traces."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.options import Json

if TYPE_CHECKING:
    from sim.advice import Advice, Advised
    from sim.advice.runs import Runs

WIDTH, HEIGHT = 80, 24
COLUMNS = (  # of the tables of --full, those that any row of a table has
    *("trace", "frontend", "compressor", "page_cluster", "cpu_scale", "time_lost_s", "cpu_s", "page_ins", "page_outs"),
    *("stored_pages_peak", "pool_pages_peak", "pool_pages_mean", "written_back", "recompressed", "background_s"),
    *("bd_reads", "bytes_written"),
)


def advise(
    context: typer.Context,
    traces: Annotated[
        list[str], typer.Argument(metavar="TRACE...", help="Folders NAME.cswap, shipped recordings or samples.")
    ],
    ram: Annotated[str, typer.Option(metavar="SIZE", help="RAM of the machine, such as 8G.")],
    cpu_scale: Annotated[float, typer.Option(metavar="X", help="CPUs so many times slower than measured.")] = 1.0,
    codec_costs: Annotated[
        str | None, typer.Option(metavar="TOML", help="Published codec times of the machine.")
    ] = None,
    swap_device: Annotated[
        str, typer.Option(metavar="NAME", help="The device behind zswap and for writeback, or FILE.toml:NAME.")
    ] = "nvme",
    recorded: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that traces were recorded in that do not say.")
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="All traces at the same time on one machine; else each alone.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Print the runs behind each advice before it.")] = False,
    json: Json = False,
) -> None:
    """Recommend the settings of zram or zswap for traces of one's own programs, with the simulated evidence."""
    from sim.advice import advise as ask
    from sim.cli.output import print_json, print_line, standard_output
    from sim.cli.performing import stages
    from sim.cli.remarks import option_words, remarks_said
    from sim.cli.size import size_of
    from sim.errors import FieldError, UserError
    from sim.interrupts import besides

    size, known_in = size_of("--ram", ram), recorded and size_of("--recorded", recorded)
    words = option_words(context) | {"swap_devices": "--swap-device"}
    known: list[Runs] = []
    with remarks_said(words), stages() as report:
        try:
            advised = ask(
                traces,
                size,
                cpu_scale=cpu_scale,
                recorded=known_in or None,
                swap_device=swap_device,
                codec_costs=codec_costs,
                together=together,
                report=report,
                on_runs=known.append,
            )
        except FieldError as error:
            raise UserError(error.told(words)) from error
        except KeyboardInterrupt:
            if kept := sum(runs.kept() for runs in known):
                besides(f"{kept} runs are kept, and the same command goes on from there")
            raise
    if json:
        print_json(advised.describe())
        return
    with standard_output():
        if full:
            for one in advised.advice:
                _print_rows(one)
        for line in (*verdict(advised), *_lines(advised)):
            print_line(line)


def verdict(advised: Advised) -> list[str]:
    """At most `HEIGHT` lines of at most `WIDTH` columns: two a setting, below how the traces stand for the machine."""
    told = [
        line
        for one in advised.advice
        for line in (
            _cut(f"{one.setting:<16} {_value(one):<12} {one.certainty}: {one.reason}"),
            _cut(f"  {one.evidence}"),
        )
    ]
    room = HEIGHT - len(told)
    heads = [line for remark in advised.remarks for line in textwrap.wrap(remark, WIDTH)]
    if len(heads) > room:
        heads = [*heads[: room - 1], _cut(f"({len(heads) - room + 1} more lines on traces: --json)")]
    return [*heads, *told]


def _value(one: Advice) -> str:
    return "-" if one.value is None else str(one.value)


def _cut(line: str) -> str:
    return line.rstrip() if len(line) <= WIDTH else line[: WIDTH - 3].rstrip() + "..."


def _lines(advised: Advised) -> Iterator[str]:
    for name, lines in advised.settings.items():
        yield ""
        yield f"# {name}"
        yield from lines


def _print_rows(one: Advice) -> None:
    from sim.cli.output import print_table

    names = [name for name in COLUMNS if any(name in row for row in one.rows)]
    rows = [{name: _figure(row.get(name, "")) for name in names} for row in one.rows]
    print_table(
        f"{one.setting}; {one.certainty}: {one.reason}; what would turn it: {one.turns or 'nothing known'}", rows
    )


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
