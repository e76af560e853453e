"""The memory of the simulated machine: how many pages there are, and how fragmented they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import FieldError
from sim.experiment.fields import described, several
from sim.parameters import is_number

if TYPE_CHECKING:
    from allocators import PageZone

ORDERS = range(1, 11)
MOST = 1 << 28  # pages: 1 TiB of the usual ones


class Point(NamedTuple):
    """One point of a sweep over `Memory`."""

    pages: int | None
    unusable: float
    seed: int
    unusable_order: int

    def zone(self) -> PageZone | None:
        """A new zone for one run; None for no limit."""
        from allocators import PageZone

        if self.pages is None:
            return None
        if not self.unusable:
            return PageZone(self.pages)
        order = self.unusable_order
        return PageZone.fragmented(4 * self.pages, self.pages, self.unusable, order=order, seed=self.seed)

    def unusable_index(self) -> dict[str, float] | None:
        """The index of each order from 1 on, before anything is stored; None where none was asked for."""
        zone = self.zone()
        if zone is None or not self.unusable:
            return None
        return {str(order): round(zone.unusable_index(order), 4) for order in ORDERS}


@dataclass(frozen=True)
class Memory:
    """Every field may hold several values, and is swept.

    `pages`: physical pages available, None for no limit. `unusable` fragments them: the share of the free ones that lie
    in blocks too small for one of `unusable_order`, which is the kernel's unusable free space index of that order;
    `PageZone.fragmented` says what it is of the others. `seed`: of the fragmentation, and of the service times of swap
    devices. Raises UserError for what is out of range.
    """

    pages: tuple[int | None, ...] = (None,)
    unusable: tuple[float, ...] = (0.0,)
    seed: tuple[int, ...] = (0,)
    unusable_order: tuple[int, ...] = (1,)

    def __post_init__(self) -> None:
        for pages in several(self, "pages", "memory"):
            if pages is not None and not (_whole(pages, 1) and pages <= MOST):
                raise FieldError("memory", f"<pages>={{!r}}; give a number from 1 to {MOST}", pages)
        for seed in several(self, "seed", "memory"):
            if not _whole(seed, 0):
                raise FieldError("memory", "<seed>={!r}; give a number of 0 or more", seed)
        for order in several(self, "unusable_order", "memory"):
            if not _whole(order, 1) or order not in ORDERS:
                raise FieldError("memory", "<unusable_order>={!r}; give 1 to 10", order)
        for share in several(self, "unusable", "memory"):
            if not is_number(share) or not 0 <= share <= 1 or (share and None in self.pages):
                raise FieldError("memory", "<unusable>={!r}; give 0 to 1, together with <pages>", share)

    def points(self) -> list[Point]:
        """Every combination."""
        return [Point(*values) for values in product(self.pages, self.unusable, self.seed, self.unusable_order)]

    def columns(self, point: Point) -> dict[str, Any]:
        """The columns of the frames that tell points apart: of the fields that were set."""
        default = Memory()
        names = [field.name for field in fields(self) if getattr(self, field.name) != getattr(default, field.name)]
        return {{"pages": "zone_pages"}.get(name, name): getattr(point, name) for name in names}

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form."""
        return {field.name: described(getattr(self, field.name)) for field in fields(self)}


def _whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
