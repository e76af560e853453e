"""An inactive and an active list, as Linux keeps them without the multi-generational LRU, as far as a recording tells.

Of Linux 6.18, mm/vmscan.c and mm/workingset.c:

- Of a page on the inactive list the first use that reclaim sees only spares it, the second one activates it
  (`folio_check_references`): here uses of a page that only the larger memory holds. It enters the active list when the
  recorded memory gives it up the next time.
- A page that comes back is activated at once if fewer pages went out or were activated meanwhile than are active
  (`workingset_refault`, `workingset_test_recent`). How many those are a recording does not tell: here half of the
  machine, the most there can be.
- Reclaim takes the oldest inactive page. While more pages are active than inactive, it deactivates the oldest ones, 32
  at a time, which get another round (`inactive_is_low`, `shrink_active_list`; the ratio of memories below 1 GiB).

A recording names slots, not addresses. A page is known again by what it holds, so one that was written to begins anew,
and pages that hold the same share what is known of them.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from allocators.compiled import arrays, lists
from allocators.compiled.ids import NIL
from allocators.compiled.jit import compiled
from sim.ram.base import Policy
from sim.ram.dispatch import Rules, register_rules

CLUSTER = 32  # pages deactivated at a time (SWAP_CLUSTER_MAX)
INACTIVE, ACTIVE = 0, 1

ENTRY = np.dtype([("next", np.int32), ("prev", np.int32), ("page", np.int32), ("list", np.int32)], align=True)
PAGE = np.dtype([("gone", np.int64), ("used", np.bool_), ("active", np.bool_)], align=True)
STATE = np.dtype([("age", np.int64), ("capacity", np.int64)], align=True)


class TwoListBuffer(NamedTuple):
    """A buffer."""

    entry: Any  # ENTRY[slots]
    oldest: Any  # int32[2], by list
    count: Any  # int64[2], by list
    page: Any  # PAGE[pages]: the age when it went out last; since then used, then active, wherever it is
    state: Any  # STATE[1]: page-outs and activations so far, and the pages of the machine


@compiled
def put(buffer: TwoListBuffer, slot: int, which: int) -> None:
    """At the young end of a list."""
    buffer.entry[slot].list = which
    buffer.count[which] += 1
    lists.append(buffer.entry, buffer.oldest, which, slot)


@compiled
def leave(buffer: TwoListBuffer, slot: int) -> None:
    """Off its list."""
    which = buffer.entry[slot].list
    buffer.count[which] -= 1
    lists.remove(buffer.entry, buffer.oldest, which, slot)


@compiled
def activate(buffer: TwoListBuffer, page: int) -> None:
    """From now on; the pages that are out age by it as by a page-out."""
    buffer.page[page].active = True
    buffer.state[0].age += 1


@compiled
def enter(buffer: TwoListBuffer, slot: int, page: int) -> None:
    """It is the youngest of its list."""
    buffer.entry[slot].page = page
    put(buffer, slot, ACTIVE if buffer.page[page].active else INACTIVE)
    buffer.page[page].active = False


@compiled
def victim(buffer: TwoListBuffer) -> int:
    """The oldest inactive one."""
    while buffer.count[ACTIVE] > buffer.count[INACTIVE]:
        for _ in range(min(CLUSTER, buffer.count[ACTIVE])):
            slot = buffer.oldest[ACTIVE]
            leave(buffer, slot)
            put(buffer, slot, INACTIVE)
    slot = buffer.oldest[INACTIVE]
    state = buffer.state[0]
    page = buffer.page[buffer.entry[slot].page]
    page.gone = state.age
    page.used = False
    state.age += 1
    return int(slot)


@compiled
def hit(buffer: TwoListBuffer, slot: int, page: int) -> None:
    """Used: spared, or activated; what is active stays so."""
    if buffer.page[page].used or buffer.entry[slot].list == ACTIVE:
        activate(buffer, page)
    buffer.page[page].used = True


@compiled
def fault(buffer: TwoListBuffer, slot: int, page: int) -> None:
    """Back before as many others went as can be active."""
    state = buffer.state[0]
    if state.age - buffer.page[page].gone <= state.capacity // 2:
        activate(buffer, page)


class TwoList(Policy):
    """The oldest page goes out first, but those used again and again stay for another round."""

    name: ClassVar[str] = "two-list"

    def buffer(self, n_slots: int, n_pages: int, capacity: int) -> TwoListBuffer:
        """See `Policy.buffer`."""
        state = arrays.records(1, STATE)
        state["capacity"] = capacity
        oldest, count = np.full(2, NIL, np.int32), np.zeros(2, np.int64)
        return TwoListBuffer(arrays.records(n_slots, ENTRY), oldest, count, arrays.records(n_pages, PAGE), state)


register_rules(TwoListBuffer, Rules(enter, leave, victim, hit, fault))
