"""The page: what the result says in words, then its tables and pictures, then where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.report.origin import experiment_lines, facts, failed_table, origin_tables
from sim.report.pictures import Picture, pictures
from sim.report.table import Table
from sim.report.tables import density_tables, latency_tables, ram_tables
from sim.results import worth
from sim.results.verdict import confirmed, verdict
from workloads.progress import Progress, silent
from workloads.shown import shown

if TYPE_CHECKING:
    from sim.results.result import Result


class Section(NamedTuple):
    """A part of the page."""

    name: str
    title: str
    tables: list[Table]
    pictures: list[Picture]


# What is read first stands first; each picture belongs to the section whose name its own begins with.
SECTIONS = (
    ("ram", "Worth in RAM", ("ram", "memory"), ram_tables),
    ("density", "Density", ("density", "sizes", "classes", "timeline"), density_tables),
    ("latency", "Latency", ("latency",), latency_tables),
)


def page(result: Result, title: str = "cswap", report: Progress = silent) -> str:
    """HTML that needs no other file; `report` is called with the pictures drawn so far and all of them.

    Every text of the result is escaped, and what is not printable in it made visible.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    house = Environment(
        loader=PackageLoader("sim.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return house.get_template("page.html").render(
        title=title,
        sentences=sentences(result),
        complete=bool(result.provenance.get("complete", True)),
        sections=_sections(result, report),
        failed=failed_table(result.provenance),
        facts=facts(result.provenance),
        origin=list(origin_tables(result.provenance)),
        experiment=experiment_lines(result.provenance),
    )


def sentences(result: Result) -> list[str]:
    """What it says in words."""
    ram = [*worth.densities(result.ram, result.density), *worth.verdict(result.ram)] if len(result.ram) else []
    return [*ram, *(verdict(result) if len(result.density) else []), *filter(None, [confirmed(result)])]


def _sections(result: Result, report: Progress) -> Iterator[Section]:
    drawn = pictures(result, report)
    for name, title, begins, tables_of in SECTIONS:
        tables = list(tables_of(result))
        mine = [picture for start in begins for of, picture in drawn.items() if of.startswith(start)]
        if tables or mine:
            yield Section(name, title, tables, mine)


def _visible(value: Any) -> Any:
    """Foreign text in one piece, nothing in it hidden; what is markup already stays."""
    return value if hasattr(value, "__html__") else shown(value)
