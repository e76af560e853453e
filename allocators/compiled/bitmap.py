"""A bitmap of non-empty lists, searched upward: words of 32 bits in int64[words]."""

from typing import Any

from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import overload

from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled


def lowest(word: int) -> int:
    """The lowest bit that is set."""
    return int(word & -word).bit_length() - 1


@overload(lowest)
def _lowest(word: Any) -> Any:
    def zeros(word: Any) -> Any:
        return trailing_zeros(word)  # type: ignore[call-arg]  # numba passes the context

    return zeros


@compiled
def mark(words: Any, bit: int) -> None:
    """Set a bit."""
    words[bit >> 5] |= 1 << (bit & 31)


@compiled
def clear(words: Any, bit: int) -> None:
    """Clear a bit."""
    words[bit >> 5] &= ~(1 << (bit & 31))


@compiled
def at_or_above(words: Any, bit: int) -> int:
    """The lowest marked bit that is not below `bit`, or NIL."""
    i = bit >> 5
    if i >= len(words):
        return NIL
    word = words[i] >> (bit & 31) << (bit & 31)
    while word == 0:
        i += 1
        if i == len(words):
            return NIL
        word = words[i]
    return (i << 5) + lowest(word)
