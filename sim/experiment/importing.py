"""A trace made of what people have: which reader takes the file, and where pages come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import UserError, meant
from sim.experiment.inputs import SAMPLE, as_generator, open_input, renamed, shipped
from sim.plugins import POLICIES, READERS
from workloads.errors import TraceError
from workloads.progress import Progress, silent
from workloads.readers.contents import Contents, FilePages, TracePages
from workloads.readers.importing import Read, Through, import_file
from workloads.readers.recognition import recognised
from workloads.traces.copying import save_trace
from workloads.traces.header_file import HEADER_FILE
from workloads.traces.writer import check_new

if TYPE_CHECKING:
    from sim.ram.reclaim import Reclaim
    from workloads import Trace
    from workloads.generators.base import Generator
    from workloads.readers.base import Batch, Facts, Reader


PAGE_SIZE = 4096


def import_trace(
    file: Path | str,
    out: Path | str,
    *,
    format: str | Reader | None = None,
    pages: str | Trace | None = None,
    reclaim: Reclaim | None = None,
    name: str | None = None,
    page_size: int | None = None,
    keep_going: bool = False,
    progress: Progress | None = None,
) -> Trace:
    """Make the trace folder `out` of a file from elsewhere, plain, `.gz`, `.zst` or `.xz`; or of a recipe.

    `format` is a reader or its spec, by default the one that the file is recognised to have. `pages` are a trace, or
    name one, a shipped sample, or a file with pages of any format: for events that come without contents. `reclaim` is
    the memory that makes page-outs and page-ins of a program's reads and writes; files of these have one of half their
    pages by default. Raises TraceError, SpecError or UserError. See `workloads.readers.importing.import_file` for the
    rest.
    """
    generator = as_generator(str(file)) if format is None else None
    if generator is not None:
        if reclaim is not None:
            raise UserError(f"{generator.name}: is swap traffic already; leave --ram out")
        if page_size not in (None, generator.page_size):
            raise UserError(f"{file}: is a recipe of pages of {generator.page_size} bytes; give page_size there")
        return _generated(generator, out, pages, name, progress or silent)
    file, page_size = Path(file), page_size or PAGE_SIZE
    form = format or format_of(file)
    contents = None if pages is None else contents_of(pages)
    reader = READERS.make(form)
    through = _reclaimed(file, reclaim, page_size) if reclaim is not None or reader.references else None
    return import_file(
        file,
        out,
        reader,
        name=name,
        page_size=page_size,
        contents=contents,
        through=through,
        keep_going=keep_going,
        progress=progress,
    )


def _generated(
    generator: Generator, out: Path | str, pages: str | Trace | None, name: str | None, progress: Progress
) -> Trace:
    if pages is not None:
        raise UserError(f"{generator.name}: has pages of its own; leave --pages out")
    check_new(out)  # before the work is done, not after it
    trace = generator.trace()
    return save_trace(trace if name is None else renamed(trace, name), out, progress=progress)


def _reclaimed(file: Path, reclaim: Reclaim | None, page_size: int) -> Through:
    """What makes swap traffic of a file's reads and writes, which are read once before to number their pages."""
    from sim.ram.reclaim import Reclaim, pages_of  # imports what compiles

    memory = reclaim or Reclaim()
    memory = replace(memory, policy=POLICIES.make(memory.policy))

    def through(read: Read, facts: Facts) -> Iterator[Batch]:
        pages = pages_of(read({}))
        try:
            yield from memory.through(read(facts), facts, pages)
        except UserError as error:
            raise UserError(f"{file}: {error}") from error
        if not memory.swap_cache:  # all that goes out is in the trace, so that larger memories can be told from it
            facts["limit"] = facts["reclaim"]["ram"] * page_size

    return through


def format_of(file: Path) -> str:
    """The name of the reader that takes a file for its own. Raises TraceError."""
    return recognised(file, {name: READERS.find(name) for name in READERS.names()})


def content_format(file: str) -> str:
    """The format of a file that is said to hold pages: raw ones if none is recognised."""
    try:
        return format_of(Path(file))
    except TraceError:
        return "dump"


def contents_of(item: str | Trace) -> Contents:
    """The pages that an item is, holds or names. Raises UserError, TraceError."""
    if not isinstance(item, str):
        return TracePages(item)
    path = Path(item)
    if os.path.lexists(path / HEADER_FILE):
        return TracePages(open_input(item))
    if path.exists():
        return FilePages(path, READERS.make(content_format(item)))
    samples = [known for known in shipped() if known.endswith(SAMPLE)]
    for known in (item, item + SAMPLE):
        if known in samples:
            return TracePages(open_input(known))
    raise UserError(
        f"{item}: there is no such file{meant(item, samples)}; give a dump, a core, a trace or a shipped sample "
        f"({', '.join(samples)})"
    )
