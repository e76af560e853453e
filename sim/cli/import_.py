"""`cswap import`: makes a trace of what people have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sim.ram.reclaim import Reclaim
    from workloads import Trace


def import_(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FORMAT] FILE",
            help="A dump, a core, a block trace... (`cswap list` names all formats); or .gz, .zst, .xz of it. "
            "The format is recognised unless it is given.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="The folder NAME.cswap to create; by default here, by the name of the file."),
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", metavar="SPEC", help="The same as FORMAT.")] = None,
    pages: Annotated[
        str | None,
        typer.Option(
            metavar="PAGES",
            help="Pages for events that come without: a dump, a core, a trace or a shipped sample. CSV names them by "
            "number; else they are drawn, the same ones each time.",
        ),
    ] = None,
    ram: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="The file's reads and writes are those of a program in so much RAM, which reclaim makes swap traffic; "
            "by default, for formats that have such, half of the pages that it uses.",
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Which page goes out then: lru (default), random, two-list."),
    ] = None,
    swap: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="The size of the swap device then; by default twice all pages."),
    ] = None,
    swap_cache: Annotated[
        bool,
        typer.Option(
            "--swap-cache/--no-swap-cache",
            help="Whether a page that came back keeps its slot, so that it need not go out again unless it is "
            "written; on zram it does not since Linux 4.15.",
        ),
    ] = True,
    name: Annotated[str | None, typer.Option(help="The name of the trace; by default that of the folder.")] = None,
    page_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Bytes in a page; by default 4096, or as a recipe says.")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Keep what comes before a fault, and say what was lost.")
    ] = False,
) -> None:
    """Make a trace of a file from elsewhere: pages, events, or accesses to memory."""
    from sim.cli.output import print_line
    from sim.cli.progress import progress
    from sim.cli.size import page_size_of
    from sim.errors import UserError
    from sim.experiment.importing import PAGE_SIZE, content_format, import_trace

    form, file = _named(words or [], format_)
    if file is None and form in (None, "csv"):
        form, file, pages = None if pages is None else content_format(pages), pages, None  # the pages alone
    if file is None:
        raise UserError("there is nothing to import; give FILE, or the pages alone with --pages")
    size = None if page_size is None else page_size_of(page_size)
    out = out or _beside(Path(file))
    with progress(f"importing {Path(file).name}") as done:
        trace = import_trace(
            file,
            out,
            format=form,
            pages=pages,
            reclaim=_reclaim(ram, policy, swap, swap_cache, size or PAGE_SIZE),
            name=name,
            page_size=size,
            keep_going=keep_going,
            progress=done,
        )
    print_line(f"{out}: {trace.n_events} events, {trace.unique_pages} unique pages")
    for line in _told(trace):
        print_line(line)


def _named(words: list[str], form: str | None) -> tuple[str | None, str | None]:
    """The format and the file that words name: the first of two, or a reader's name that is no file's, is a format."""
    from sim.errors import UserError
    from sim.plugins import READERS

    first = words[0] if words else ""
    named = len(words) > 1 or (first.partition(":")[0] in READERS.names() and not Path(first).exists())
    if len(words) > 1 + named:
        raise UserError(f"{words[2]}: is a file too many; import one at a time")
    if named and form is not None:
        raise UserError(f"the format is given twice, {first} and --format {form}; give it once")
    file = words[1:] if named else words
    return first if named else form, file[0] if file else None


def _beside(file: Path) -> Path:
    """In this folder, the name of the file without endings of kind and compression."""
    from workloads.traces.rawpages import CODECS

    path = Path(file.absolute().name)
    path = path.with_suffix("") if path.suffix in CODECS else path
    return path.with_suffix(".cswap")


def _reclaim(ram: str | None, policy: str | None, swap: str | None, cache: bool, page_size: int) -> Reclaim | None:
    """The memory that is asked for, if one is."""
    from sim.errors import UserError
    from sim.ram.reclaim import Reclaim
    from sim.units import bytes_of

    def pages(option: str, text: str | None) -> int | None:
        size = None if text is None else bytes_of(text)
        if text is not None and (size is None or size < page_size):
            raise UserError(f"{option} {text}: give a size of at least one page, such as 64M")
        return None if size is None else size // page_size

    if ram is policy is swap is None and cache:
        return None
    return Reclaim(pages("--ram", ram), policy or "lru", cache, pages("--swap", swap))


def _told(trace: Trace) -> list[str]:
    """What one should know of it at once."""
    from sim.plugins import READERS

    kind = trace.source["kind"]
    lines = [f"read as {kind}: {READERS.find(kind).title}"] if kind in READERS.names() else []
    if reclaim := trace.source.get("reclaim"):
        text = "{references} reads and writes of {distinct pages} pages in a memory of {ram}, {policy}: {faults} faults"
        lines.append(text.format(**reclaim))
    if trace.original_slots() is not None:
        lines.append(f"slots: sparse, numbered 0 to {trace.n_slots - 1}; what they were called is in slots.parquet")
    if isinstance(contents := trace.source.get("contents"), dict):
        lines.append(f"contents: drawn from the {contents['pages']:,} pages of {contents['of']}")
    if not trace.content and trace.sizes_codecs():
        lines.append("no contents: it replays by its sizes, as codec given")
    elif not trace.content:
        lines.append("no contents and no sizes: to replay it, import it with --pages, such as --pages gcc-sample")
    if lost := trace.source.get("lost"):
        lines.append(f"incomplete: {lost}")
    return lines
