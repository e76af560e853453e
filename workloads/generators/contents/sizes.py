"""Compressed sizes without contents, drawn from a distribution."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from workloads.generators import powers
from workloads.generators.contents.base import Content, InTurn, Place, Pool
from workloads.generators.draws import Numbers, spread
from workloads.shown import meant
from workloads.toml import read_toml

FILE = Path(__file__).with_name("histograms.toml")
PAGE = 4096  # bytes: what the shipped ones are of
Bytes = Annotated[int, Meta(ge=1, le=1 << 16)]
Number = Annotated[float, Meta(gt=0, le=1 << 16)]


class SizesOnly(Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Compressed sizes without contents: by a shipped distribution, a histogram, or mean and standard deviation.

    `sizes` is the name of a shipped one; `counts` are those of bins `width` bytes wide, the first from `low` on, sizes
    even within a bin; `mean` and `sd` those of a beta distribution from 0 to the page size. Just one of them is given.
    There are `pages` of them, by default as many as the trace has slots, and a page-out writes the next.
    """

    name: ClassVar[str] = "sizes"
    sizes: str | None = None
    counts: Annotated[tuple[Annotated[int, Meta(ge=0, le=1 << 40)], ...], Meta(max_length=1 << 16)] = ()
    low: Bytes = 1
    width: Bytes = 1
    mean: Number | None = None
    sd: Number | None = None
    pages: Annotated[int, Meta(ge=1, le=1 << 30)] | None = None

    def __post_init__(self) -> None:
        if (self.sizes is not None) + bool(self.counts) + (self.mean is not None) != 1:
            raise ValueError("one distribution is needed; give sizes, or counts, or mean and sd")
        if (self.mean is None) != (self.sd is None):
            raise ValueError("mean and sd belong together; give both")
        if self.counts and not sum(self.counts):
            raise ValueError("counts are all 0; give at least one that is not")
        if self.sizes is not None and self.sizes not in shipped():
            known = ", ".join(shipped())
            raise ValueError(f"sizes {self.sizes!r} is unknown{meant(self.sizes, shipped())}; use one of {known}")

    def pool(self, place: Place) -> Pool:
        """See `Content.pool`."""
        if self.sizes is None:
            return SizesPool(self, self, place)
        if place.page_size != PAGE:
            raise ValueError(f"sizes {self.sizes!r} are of pages of {PAGE} bytes; give page_size = {PAGE}")
        return SizesPool(self, shipped()[self.sizes], place)


class SizesPool(InTurn):
    """A size a page."""

    paged, sized = False, True

    def __init__(self, content: SizesOnly, given: SizesOnly, place: Place) -> None:
        super().__init__(content, place)
        self._low, self._width = given.low, given.width
        if given.mean is None or given.sd is None:
            highest = given.low + len(given.counts) * given.width - 1
            if highest > place.page_size:
                raise ValueError(
                    f"counts reach {highest} bytes, a page has {place.page_size}; give fewer or narrower bins"
                )
            weight = np.array(given.counts, np.uint64)
        else:
            if not given.sd**2 < given.mean * (place.page_size - given.mean):
                raise ValueError(f"sd {given.sd:g} is too large for mean {given.mean:g}; give a smaller one")
            if given.sd < (least := place.page_size / powers.NARROWEST):
                raise ValueError(f"sd {given.sd:g} is too small; give at least {least:g}, or counts")
            weight = powers.beta(place.page_size, given.mean, given.sd)
        self._choice = powers.Choice(weight)

    def sizes(self, numbers: Numbers) -> npt.NDArray[np.int32]:
        """See `Pool.sizes`."""
        words = spread(self._place.draws.at(numbers), 2)
        inside = (words[:, 1] % np.uint64(self._width)).astype(np.int64)
        return (self._low + self._width * self._choice.pick(words[:, 0]) + inside).astype(np.int32)


@cache
def shipped() -> dict[str, SizesOnly]:
    """The shipped distributions by name."""
    return {name: msgspec.convert(_described(table), SizesOnly) for name, table in read_toml(FILE).items()}


def _described(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "source"}
