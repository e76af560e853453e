"""How fragmented the memory of a result was."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.results.result import Result

SHOWN = 4  # orders, from 1 on: no allocator asks for blocks of a higher one than 4


def print_fragmentation(result: Result) -> None:
    """A line per fragmented memory: the unusable free space index of its lowest orders."""
    from sim.cli.output import print_line

    for memory in result.provenance.get("unusable_index") or ():
        shares = ", ".join(f"order {order} {share:.2f}" for order, share in [*memory["orders"].items()][:SHOWN])
        print_line(f"{memory['zone_pages']:,} physical pages with an unusable free space index of: {shares}")
