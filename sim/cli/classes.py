"""`cswap classes`: the size classes of a pool, in the form of debugfs' zsmalloc/POOL/classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from allocators.zspages.allocator import ZspageAllocator
    from allocators.zspages.table import Row

WIDTHS = {"class": 5, "size": 5, "almost_full": 11, "almost_empty": 12, "obj_allocated": 13, "obj_used": 10}
WIDTHS |= {"pages_used": 10, "pages_per_zspage": 16, "freeable": 8, "wasted": 10}
USUAL = 9  # characters of a column of fullness
NO_SUM = ("class", "size", "pages_per_zspage")


def classes(
    traces: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TRACE]...", help="Replayed to their fullest moment; none: no object."),
    ] = None,
    allocators: Annotated[
        list[str] | None, typer.Option("-a", "--allocator", metavar="SPEC", help="May be given several times.")
    ] = None,
    compressor: Annotated[str, typer.Option("-c", "--compressor", metavar="SPEC")] = "lz4",
    frontend: Annotated[str, typer.Option("-f", "--frontend", metavar="SPEC")] = "zram",
    page_size: Annotated[str, typer.Option(metavar="SIZE", help="Bytes in a page, without a trace.")] = "4096",
    json: Annotated[bool, typer.Option("--json", help="A list of rows.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Rows as CSV.")] = False,
) -> None:
    """Print the size classes of zsmalloc, order1 or kmalloc as the kernel does (CONFIG_ZSMALLOC_STAT).

    With a trace, as they are when most pages are stored, and what is `wasted`: bytes of a class's pages in which no
    compressed byte lies. `freeable` are pages that compaction could free.
    """
    from sim.cli.output import print_csv, print_json, print_line, standard_output
    from sim.cli.size import page_size_of
    from sim.errors import UserError

    if json and csv:
        raise UserError("--json and --csv: give one of them")
    tables = list(_tables(traces or [], allocators or ["zsmalloc"], compressor, frontend, page_size_of(page_size)))
    if json or csv:
        (print_json if json else print_csv)([key | row for key, rows in tables for row in rows])
        return
    with standard_output():
        for i, (key, rows) in enumerate(tables):
            if len(tables) > 1 or traces:
                print_line(("\n" if i else "") + ", ".join(map(str, key.values())))
            for line in lines(rows):
                print(line)


def lines(rows: list[Row]) -> Iterator[str]:
    """The lines of the kernel's file: a head, a row a class, an empty one and the sums."""
    shown = [name for name in rows[0] if name != "objs_per_zspage"]
    yield _line({name: name for name in shown})
    for row in rows:
        yield _line({name: row[name] for name in shown})
    yield ""
    sums = {name: "" if name in NO_SUM else sum(row[name] for row in rows) for name in shown}
    yield _line(sums | {"class": "Total"})


def _line(cells: dict[str, Any]) -> str:
    return " " + " ".join(f"{cell!s:>{WIDTHS.get(name, USUAL)}}" for name, cell in cells.items())


def _tables(
    traces: list[str], allocators: list[str], compressor: str, frontend: str, page_size: int
) -> Iterator[tuple[dict[str, str], list[Row]]]:
    from allocators.zspages.table import class_table
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_inputs
    from sim.plugins import COMPRESSORS, FRONTENDS
    from sim.results.class_table import classes_at_fullest
    from sim.sizing.sizing import size_pages
    from sim.sizing.units import with_units

    made = [_of_family(spec, page_size) for spec in allocators]
    for allocator in made if not traces else ():
        yield {"allocator": allocator.spec}, class_table(allocator)
    device, codec = FRONTENDS.make(frontend), COMPRESSORS.make(compressor)
    for trace in [trace for item in traces for trace in open_inputs(item)]:

        def sized(spec: str, trace: Any = trace) -> Any:
            with progress(f"{spec} on {trace.name}") as done:
                return size_pages(trace, codec if spec == codec.spec else COMPRESSORS.make(spec), progress=done)

        sizes = sized(codec.spec)
        for allocator in made:
            one = _of_family(allocator.spec, trace.page_size, device.unit)
            tables = with_units(trace, sizes, codec, device.unit)
            rows = classes_at_fullest(trace, tables, device, one, [sized(spec) for spec in device.compressors])
            key = {"trace": trace.name, "frontend": device.spec, "compressor": sizes.meta["codec"]}
            yield key | {"allocator": one.spec}, rows


def _of_family(spec: str, page_size: int, unit: int = 1) -> ZspageAllocator:
    """An allocator of zspages. Raises UserError for another one."""
    from allocators.zspages.allocator import ZspageAllocator
    from sim.errors import UserError
    from sim.plugins import make_allocator

    allocator = make_allocator(spec, page_size, unit=unit)
    if not isinstance(allocator, ZspageAllocator):
        raise UserError(f"-a {spec}: is no pool of zspages; give zsmalloc, order1 or kmalloc")
    return allocator
