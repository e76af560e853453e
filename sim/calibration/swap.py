"""What a fault and reclaim add to a device, from page-outs and page-ins of same-filled pages that are swapped.

zram keeps no object of such a page, and no codec sees it: its page-in is the trap, the look-up of the swap entry, a
page taken and charged, the bio, the fill, the slot freed and the page mapped; its page-out the isolation, the slot
taken, the unmapping, the bio, the comparison and the page freed. Every page of a trace takes the same way, so what is
left without the steps that the model knows by itself is the cost of the fault, and of reclaim.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sim.timing.costs import Cost

if TYPE_CHECKING:
    import pandas as pd

SWAP = "swap"  # the measure
COSTS = {"page-out": "path.reclaim", "page-in": "path.fault"}


def swap_costs(frame: pd.DataFrame, modelled: Mapping[str, float]) -> list[Cost]:
    """`path.reclaim` and `path.fault` from samples of SWAP, where there are any.

    `modelled`: ns that the model gives for such a page without them, by operation.
    """
    found = []
    for operation, name in COSTS.items():
        ns = frame[(frame["measure"] == SWAP) & (frame["part"] == operation)].groupby("process")["ns"].median()
        if len(ns):
            rest = modelled[operation]
            what = f"{operation} of a same-filled page swapped to zram, less {rest:.4g} ns of the model"
            source = f"measured: {what}; {len(ns)} processes: {ns.min():.4g} to {ns.max():.4g} with them"
            found.append(Cost(name, float(f"{max(ns.median() - rest, 0):.4g}"), "ns", source))
    return found
