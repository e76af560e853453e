"""A pool of small integer ids, handed out last-freed first: handles, zspages, blocks."""

from typing import Any, NamedTuple

import numpy as np

from allocators.compiled import arrays
from allocators.compiled.jit import compiled

NIL = -1  # no id: the end of every chain


class Ids(NamedTuple):
    """Ids below the high-water mark are in use or chained on the free list."""

    link: Any  # int32[capacity]: the next free id
    top: Any  # int64[2]: first free id, high-water mark


def make(capacity: int) -> Ids:
    """An empty pool with room for `capacity` ids."""
    return Ids(np.zeros(capacity, np.int32), np.array([NIL, 0], np.int64))


@compiled
def has_room(ids: Ids, count: int) -> bool:
    """Whether `count` more ids can be taken without growing."""
    return ids.top[1] + count <= len(ids.link)


@compiled
def take(ids: Ids) -> int:
    """Take the id freed last, else a new one; the caller has made room."""
    first = ids.top[0]
    if first == NIL:
        first = ids.top[1]
        ids.top[1] = first + 1
    else:
        ids.top[0] = ids.link[first]
    return first


@compiled
def give(ids: Ids, one: int) -> None:
    """Give an id back."""
    ids.link[one] = ids.top[0]
    ids.top[0] = one


def grown(ids: Ids, room: int) -> Ids:
    """The pool with room for at least `room` more ids."""
    return ids if has_room(ids, room) else Ids(arrays.grown(ids.link, room), ids.top)


def in_use(ids: Ids) -> list[int]:
    """The ids handed out, in ascending order."""
    free = set()
    one = int(ids.top[0])
    while one != NIL:
        free.add(one)
        one = int(ids.link[one])
    return [one for one in range(int(ids.top[1])) if one not in free]
