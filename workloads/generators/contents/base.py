"""What contents share: their place in a recipe, and the pool of pages that they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from workloads.generators.draws import Draws, Numbers, Words

Pages = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Place:
    """Where contents are made: `file` is the recipe, `slots` are those of the trace, `draws` are of these contents."""

    file: Path
    page_size: int
    slots: int
    draws: Draws


class Pool(ABC):
    """The pages of one of a recipe's contents: number i is the same page whenever it is asked for."""

    paged = True  # has bytes
    sized = False  # has sizes without bytes
    origin: Path | None = None  # where the bytes come from, if from somebody's files

    @abstractmethod
    def numbers(self, order: Numbers, luck: Words) -> Numbers:
        """Return which pages are written: `order` counts the page-outs of these contents, `luck` is a random word each.

        All int64[n] but `luck`, uint64[n]; numbers are below 2**40.
        """

    def pages(self, numbers: Numbers) -> Pages:
        """Return these pages, uint8[n, page_size]; numbers ascend."""
        raise NotImplementedError

    def sizes(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """Return what these pages compress to, int32[n], of contents that have no bytes."""
        raise NotImplementedError

    def filled(self, numbers: Numbers) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which of these pages repeat one word, and which are zero, where they have no bytes."""
        no = np.zeros(len(numbers), np.bool_)
        return no, no


class Content(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of a recipe's `contents`; the fields of a subclass are its keys."""

    name: ClassVar[str]

    def pool(self, place: Place) -> Pool:
        """Return the pages. Raises ValueError `what is wrong; remedy`, and TraceError for a file."""
        raise NotImplementedError


class Made(Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contents that are made up page by page.

    There are `pages` different ones, by default as many as the trace has slots. Each page-out writes the next of them,
    after the last the first again.
    """

    pages: Annotated[int, Meta(ge=1, le=1 << 30)] | None = None

    def pool(self, place: Place) -> Pool:
        """See `Content.pool`."""
        return MadePool(self, place)

    def fill(self, keys: Words, page_size: int) -> Pages:
        """Return a page for each random word, uint8[n, page_size]."""
        raise NotImplementedError


class InTurn(Pool):
    """Pages that are written in turn."""

    def __init__(self, content: Any, place: Place) -> None:
        self._content, self._place = content, place
        self._count = content.pages or place.slots

    def numbers(self, order: Numbers, luck: Words) -> Numbers:
        """See `Pool.numbers`."""
        return order % self._count


class MadePool(InTurn):
    """Pages that are filled from a random word each."""

    def pages(self, numbers: Numbers) -> Pages:
        """See `Pool.pages`."""
        pages: Pages = self._content.fill(self._place.draws.at(numbers), self._place.page_size)
        return pages
