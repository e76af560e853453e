"""Text-like pages: words of a made-up language, the frequent ones short."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from workloads.generators import powers
from workloads.generators.contents.base import Made, Pages
from workloads.generators.draws import Draws, Words, as_bytes, spread

LETTERS = {  # of English, per 1,000
    **{"e": 127, "t": 91, "a": 82, "o": 75, "i": 70, "n": 67, "s": 63, "h": 61, "r": 60, "d": 43, "l": 40, "c": 28},
    **{"u": 28, "m": 24, "w": 24, "f": 22, "g": 20, "y": 20, "p": 19, "b": 15, "v": 10, "k": 8, "j": 2, "x": 2},
    **{"q": 1, "z": 1},
}
SHORTEST, LONGEST = 2, 9  # letters of a word; a blank follows
LINE = 12  # words


class Text(Made, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of a vocabulary of `words`, drawn by Zipf's law, in lines; fewer words compress better."""

    name: ClassVar[str] = "text"
    words: Annotated[int, Meta(ge=1, le=1 << 20)] = 2000

    def fill(self, keys: Words, page_size: int) -> Pages:
        """See `Made.fill`."""
        letters, length, choice = _vocabulary(self.words)
        drawn = choice.pick(spread(keys, page_size // (SHORTEST + 1) + 1))
        lengths = length[drawn]
        ends = np.cumsum(lengths, axis=1)
        pages = np.empty((len(keys), page_size), np.uint8)
        for page, word, wide, end in zip(pages, drawn, lengths, ends, strict=True):
            n = int(np.searchsorted(end, page_size)) + 1
            first = np.repeat(word[:n] * (LONGEST + 1) - (end[:n] - wide[:n]), wide[:n])
            page[:] = letters[(first + np.arange(len(first)))[:page_size]]
            line = end[LINE - 1 : n : LINE] - 1
            page[line[line < page_size]] = ord("\n")
        return pages


@lru_cache(maxsize=4)
def _vocabulary(words: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], powers.Choice]:
    """The letters of all words, padded with blanks to the longest; lengths with a blank behind; frequencies."""
    draws = Draws("vocabulary")
    alphabet = np.frombuffer("".join(LETTERS).encode(), np.uint8)
    choice = powers.Choice(np.array([*LETTERS.values()], np.uint64))
    letters = alphabet[choice.pick(spread(draws.of("letters").words(words), LONGEST + 1))]
    bits = as_bytes(draws.of("lengths").words(words)).reshape(words, 8)[:, 0] & 3
    rank = np.arange(words)  # the frequent ones are short, as in any language
    length = np.minimum(SHORTEST + bits + (rank > 20) * 1 + (rank > 200) * 2 + (rank > 2000) * 2, LONGEST)
    letters[np.arange(LONGEST + 1) >= length[:, None]] = ord(" ")
    return letters.ravel(), length.astype(np.int64) + 1, powers.Choice(powers.zipf(words, 1.0))
