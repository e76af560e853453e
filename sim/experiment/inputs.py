"""The trace a user means: a folder or its URL, a shipped recording or sample, a generator, or a recipe for one."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sim.errors import UserError, meant
from sim.experiment.remote import fetched, is_url
from sim.plugins import GENERATORS
from sim.spec import build, has_range
from workloads.toml import read_toml

if TYPE_CHECKING:
    from workloads import Trace
    from workloads.generators.base import Generator

    Item = str | Trace | Generator


SAMPLE = "-sample"  # what is added to the name of a recording
RECIPE = "recipe"  # the generator of TOML files
TOML = ".toml"


def open_input(item: Item) -> Trace:
    """The only trace of an item. Raises as `open_inputs`, and for several."""
    traces = open_inputs(item)
    if len(traces) > 1:
        names = ", ".join(str(trace.path) for trace in traces[:9])
        raise UserError(f"{item}: holds {len(traces)} traces; give one of them: {names}")
    return traces[0]


def open_inputs(item: Item, page_sizes: Sequence[int] = ()) -> list[Trace]:
    """Open an existing path, else the recording or sample of that name, else what a generator or its spec describes.
    Of a folder that is no trace, the traces in it; of a recipe, its trace; of a URL, the trace there.

    A generator makes a trace of each page size; any other trace must have one of them. Raises TraceError, SpecError, or
    UserError naming the recordings, samples and generators there are.
    """
    generator = as_generator(item)
    if generator is not None:
        sizes = page_sizes or (generator.page_size,)
        return [replace(generator, page_size=size).trace() for size in sizes]
    traces = _opened(item) if isinstance(item, str) else [cast("Trace", item)]
    for trace in traces:
        if page_sizes and trace.page_size not in page_sizes:
            raise UserError(
                f"{trace.name}: its pages have {trace.page_size} bytes; give that page size too, or leave it out"
            )
    return traces


def as_generator(item: Item) -> Generator | None:
    """The generator that an item is or describes, None if it is no generator. Raises SpecError, TraceError, OSError."""
    if not isinstance(item, str):
        return cast("Generator", item) if GENERATORS.covers(type(item)) else None
    if _is_recipe(Path(item)):
        return build(GENERATORS.find(RECIPE), {"file": item}, RECIPE)
    return GENERATORS.make(item) if _is_generator(item) else None


def expand(item: Item) -> list[Item]:
    """All generators of a spec with ranges; anything else as it is. Raises SpecError."""
    if not isinstance(item, str) or not _is_generator(item) or not has_range(item):
        return [item]
    return [*GENERATORS.expand(item)]


def _is_generator(text: str) -> bool:
    known = text.partition(":")[0].strip() in GENERATORS.names()
    return known and not Path(text).exists() and text not in shipped()


def _is_recipe(path: Path) -> bool:
    """Whether a file is a recipe; any TOML with one of its tables is meant as one."""
    return path.suffix == TOML and path.is_file() and not {"patterns", "contents"}.isdisjoint(read_toml(path))


def _opened(text: str) -> list[Trace]:
    from sim.experiment.misplaced import explained, similar, traces_in
    from workloads import open_trace
    from workloads.traces.header_file import HEADER_FILE

    if is_url(text) and not os.path.lexists(text):
        return [open_trace(fetched(text))]
    path = Path(text)
    if text and path.exists():
        if os.path.lexists(path / HEADER_FILE):
            return [open_trace(path)]
        if path.is_dir() and (found := traces_in(path)):
            return [open_trace(one) for one in found]
        raise explained(path)
    if text in shipped():
        return [shipped()[text]()]
    near = similar(text) or meant(text.partition(":")[0], [*shipped(), *GENERATORS.names()])
    raise UserError(
        f"{text or repr(text)}: there is no such trace{near}; give a folder NAME.cswap or its URL, a shipped "
        f"trace ({', '.join(shipped())}) or a generator ({', '.join(GENERATORS.names())})"
    )


def shipped() -> Mapping[str, Callable[[], Trace]]:
    """What opens the shipped traces, by name: recordings, and the samples with contents as `NAME-sample`."""
    from workloads import open_recording, recording_names, sample_names

    recordings = {name: partial(open_recording, name) for name in recording_names()}
    return recordings | {name + SAMPLE: partial(_open_sample, name) for name in sample_names()}


def _open_sample(name: str) -> Trace:
    from workloads import open_sample

    return renamed(open_sample(name), name + SAMPLE)


def renamed(trace: Trace, name: str) -> Trace:
    """The same trace under another name."""
    other = copy.copy(trace)
    other.header = replace(trace.header, name=name)
    return other
