"""Doubly linked lists through the `next` and `prev` fields of records, as the kernel's list_head.

`head[key]` is the first record of list `key`, or NIL. The lists are circular: the record before the first is the
last, so both ends are at hand.
"""

from typing import Any

import numpy as np

from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled

LINKS = np.dtype([("next", np.int32), ("prev", np.int32)], align=True)  # of records on a list besides their own


@compiled
def insert_after(node: Any, place: int, one: int) -> None:
    """Put a record behind another one."""
    after = node[place].next
    node[one].prev = place
    node[one].next = after
    node[place].next = one
    node[after].prev = one


@compiled
def append(node: Any, head: Any, key: int, one: int) -> None:
    """Put a record at the end of a list."""
    first = head[key]
    if first == NIL:
        node[one].next = one
        node[one].prev = one
        head[key] = one
    else:
        insert_after(node, node[first].prev, one)


@compiled
def push(node: Any, head: Any, key: int, one: int) -> None:
    """Put a record at the front of a list."""
    append(node, head, key, one)
    head[key] = one


@compiled
def remove(node: Any, head: Any, key: int, one: int) -> None:
    """Take a record off its list."""
    after = node[one].next
    if after == one:
        head[key] = NIL
        return
    before = node[one].prev
    node[before].next = after
    node[after].prev = before
    if head[key] == one:
        head[key] = after


@compiled
def renew(node: Any, head: Any, key: int, one: int) -> None:
    """Move a record to the end of its list."""
    remove(node, head, key, one)
    append(node, head, key, one)


def members(node: Any, head: Any, key: int) -> list[int]:
    """The records of a list, first to last."""
    first = int(head[key])
    found = [] if first == NIL else [first]
    while found and int(node[found[-1]].next) != first:
        found.append(int(node[found[-1]].next))
    return found
