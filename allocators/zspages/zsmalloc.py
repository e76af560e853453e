"""zsmalloc: size classes over chains of single pages; an object may span two of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from allocators.base import Ints
from allocators.errors import AllocatorError
from allocators.zone import PageZone
from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.classes import ERAS, zsmalloc_classes


class Zsmalloc(ZspageAllocator):
    """The kernel's zsmalloc.

    `era` picks the rules: "2012" (drivers/staging, Linux 3.3 to 3.6), "6.1", "6.12" (the same page counts up to
    the sources of 2026). `chain` is the longest zspage in pages
    (CONFIG_ZSMALLOC_CHAIN_SIZE, which offers 4 to 16), 1 to 16; the older eras have 4 built in.
    """

    name: ClassVar[str] = "zsmalloc"

    def __init__(
        self,
        era: str = "6.12",
        chain: int | None = None,
        page_size: int = 4096,
        zone: PageZone | None = None,
    ) -> None:
        self.era = str(era)
        if self.era not in ERAS:
            raise AllocatorError(f"zsmalloc: era={era} is unknown; use one of {', '.join(ERAS)}")
        rules = ERAS[self.era]
        self.chain = rules.chain if chain is None else chain
        if rules.longest == rules.chain != self.chain:
            raise AllocatorError(f"zsmalloc: chain={chain} needs era=6.12; era={era} has {rules.chain} built in")
        if not 1 <= self.chain <= rules.longest:
            raise AllocatorError(f"zsmalloc: chain={chain} is out of range; use 1 to {rules.longest}")
        super().__init__(
            zsmalloc_classes(rules, self.chain, page_size),
            rules.groups,
            page_size=page_size,
            zone=zone,
            added=rules.handle_bytes,
            emptier_second=rules.emptier_second,
            compaction=rules.compaction,
        )

    @property
    def config(self) -> dict[str, Any]:
        """See `Configured.config`: the default of `chain` is its era's."""
        usual = self.chain == ERAS[self.era].chain
        return {key: value for key, value in super().config.items() if not (usual and key == "chain")}

    @cached_property
    def huge_size(self) -> int:
        """See `Allocator.huge_size` (zs_huge_class_size): 3625 bytes in 6.12 with chain 8."""
        return max(c.size for c in self.classes if c.objs > 1) - ERAS[self.era].handle_bytes + 1

    def size_class_of(self, size: Ints) -> Ints:
        """See `Allocator.size_class_of`."""
        return self.state.class_of[size].astype(np.int64)
