"""The calls of a reclaim policy, in compiled code and in plain Python, on any buffer whose state has rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from allocators.compiled.jit import compiled
from allocators.compiled.rules import RuleTable


@compiled
def nothing(buffer: Any, slot: int, page: int) -> None:
    """Most policies remember nothing of a page that is not in the buffer."""


class Rules(NamedTuple):
    """The functions over one class of buffer: pages that a larger memory still holds, named by their slots."""

    enter: Callable[[Any, int, int], None]  # buffer, slot, page: the recorded memory gave the page up
    leave: Callable[[Any, int], None]  # buffer, slot: it is in the buffer no more
    victim: Callable[[Any], int]  # buffer, not empty: the slot of the page that goes out next
    hit: Callable[[Any, int, int], None] = nothing  # buffer, slot, page: used again while in the buffer
    fault: Callable[[Any, int, int], None] = nothing  # buffer, slot, page: used again after it had gone out


_TABLE: RuleTable[Rules] = RuleTable()
register_rules = _TABLE.register

enter = _TABLE.call("enter")
leave = _TABLE.call("leave")
victim = _TABLE.call("victim")
hit = _TABLE.call("hit")
fault = _TABLE.call("fault")
