"""Traces by recipe: patterns of page-outs, page-ins and frees, times contents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from workloads.errors import TraceError
from workloads.generators.base import Bytes, Generator
from workloads.generators.described import MOST, Described
from workloads.generators.mixing import Mix, Totals
from workloads.limits import SLOTS
from workloads.permissions import withheld
from workloads.shown import meant
from workloads.traces.header_file import PAGE_SIZES
from workloads.traces.pageindex import PageIndex
from workloads.traces.parquet import PAGES_FILE
from workloads.traces.sizes import GIVEN
from workloads.traces.trace import Trace

SHIPPED = Path(__file__).with_name("recipes")
AS_TOLD: Any = None  # as the file says


@dataclass(frozen=True, kw_only=True)
class Recipe(Generator):
    """What a TOML file describes: patterns times contents (docs/formats.md); the same bytes on every machine.

    `file` is its path, or the name of a shipped recipe. `events`, `slots`, `seed` and `page_size` replace what it says.
    """

    name: ClassVar[str] = "recipe"
    file: str
    events: int = AS_TOLD
    slots: int = AS_TOLD
    seed: int = AS_TOLD
    page_size: Bytes = AS_TOLD

    def __post_init__(self) -> None:
        for field in ("events", "slots", "seed", "page_size"):
            if getattr(self, field) is None:
                object.__setattr__(self, field, getattr(self.described.totals, field))
        super().__post_init__()
        self._require("events", self.events <= MOST, f"give at most {MOST}")
        self._require("slots", self.slots <= SLOTS, f"give at most {SLOTS}")
        powers = f"{PAGE_SIZES[0]} to {PAGE_SIZES[-1]}"
        self._require("page_size", self.page_size in PAGE_SIZES, f"give a power of two from {powers}")

    @cached_property
    def described(self) -> Described:
        """The file, read."""
        return Described(recipe_file(self.file))

    @cached_property
    def mix(self) -> Mix:
        """Its events and pages, not made yet."""
        return Mix(self.described, Totals(self.events, self.slots, self.seed, self.page_size))

    @property
    def source(self) -> dict[str, Any]:
        """How the trace came to be: the recipe itself, and what replaces its words."""
        return {**super().source, "file": self.described.file.name, "recipe": self.described.tables}

    def trace(self) -> Trace:
        """Generate the trace; needs no more memory than it."""
        events, codes = self.mix.events()
        name = self.described.file.stem
        if not self.mix.content:
            sizes = {GIVEN: self.mix.sizes(codes)}
            return Trace.from_arrays(name, events, None, sizes, self.source, self.page_size)
        pages = np.empty((len(codes), self.page_size), np.uint8)
        index, numbers = PageIndex(), []
        for part in self.mix.pages(codes):
            done = len(index)
            number, fresh = index.add(part)
            numbers.append(number)
            pages[done : len(index)] = part[fresh]
        out = events.page >= 0
        events.page[out] = np.concatenate([*numbers, np.empty(0, np.int32)])[events.page[out]]
        made = Trace.from_arrays(name, events, pages[: len(index)], None, self.source, self.page_size)
        made.origin = max(self.mix.origins, key=lambda path: withheld(path, path / PAGES_FILE), default=None)
        return made


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def recipe_file(text: str) -> Path:
    """Return the path of a recipe, a file or the name of a shipped one. Raises TraceError if there is none."""
    path, names = Path(text), recipe_names()
    if path.exists():
        return path
    if text in names:
        return SHIPPED / f"{text}.toml"
    wrong = f"there is none{meant(text, names)}"
    raise TraceError.at(text, "recipe", wrong, f"give a TOML file, or a shipped recipe: {', '.join(names)}")
