"""`cswap ops`: a bare allocation sequence through one allocator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from allocators import Allocator
    from sim.cli.ops_file import Ints

COLUMNS = ("ops", "live", "bytes", "pages", "failed")


def ops(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The sequence, plain, .gz or .zst; - is standard input.")],
    allocator: Annotated[str, typer.Option("-a", "--allocator", metavar="SPEC", help="name:key=value,key=value")],
    page_size: Annotated[str, typer.Option(metavar="SIZE", help="Bytes in a physical page.")] = "4096",
    json: Annotated[bool, typer.Option("--json", help="A list of rows instead of CSV.")] = False,
) -> None:
    """Replay a bare allocation sequence; print a row at each `s`.

    Lines are `a ID SIZE` (allocate), `f ID` (free), `c` (compact) and `s` (print a row). A row is CSV: `ops` so far
    (a, f and c lines), `live` objects, the `bytes` they asked for, physical `pages` held, allocations that `failed`.
    """
    from sim.cli.output import print_csv, print_json
    from sim.cli.size import page_size_of
    from sim.plugins import make_allocator

    table = replay(file, make_allocator(allocator, page_size_of(page_size)))
    (print_json if json else print_csv)([dict(zip(COLUMNS, row, strict=True)) for row in table])


def replay(file: str, allocator: Allocator) -> list[list[int]]:
    """The rows of a sequence. Raises UserError for a bad line, TraceError for a bad file."""
    import numpy as np

    from allocators.compiled.batch import ALLOC, COMPACT, FREE, run_operations
    from sim.cli.ops_file import doubled, paired, read_operations, refuse
    from sim.cli.progress import progress

    size = Path(file).stat().st_size if file != "-" else 0
    with progress(f"reading {file}") as moved:
        sequence = read_operations(file, lambda position: moved(position, size))
    key, previous = paired(file, sequence)
    with progress(f"replaying on {allocator.spec}") as done:
        handles, pages = run_operations(allocator, sequence.op, key, sequence.size, done)
    wrong = "allocates ID {id}, which is live; free it before, or give another ID"
    refuse(file, sequence, doubled(sequence, previous, handles), wrong)

    step = np.where(sequence.op == ALLOC, 1, -1) * (handles >= 0) * (sequence.op != COMPACT)
    sizes = np.where(sequence.op == FREE, sequence.size[previous], sequence.size)
    failed = (sequence.op == ALLOC) & (handles < 0)

    def at_rows(column: Ints) -> Ints:
        return np.concatenate(([0], column))[sequence.rows]

    columns = (np.cumsum(step), np.cumsum(step * sizes), pages, np.cumsum(failed))
    table: list[list[int]] = np.stack([sequence.rows, *map(at_rows, columns)], axis=1).tolist()
    return table
