"""zsmalloc: size classes over chains of single pages; an object may span two of them."""

from __future__ import annotations

from typing import Any, ClassVar

from allocators.errors import AllocatorError
from allocators.kernels.size_classes import HANDLE_BYTES, fullness_groups, zsmalloc_classes
from allocators.zone import PageZone
from allocators.zspages import ZspageAllocator

ERAS = ("2012", "6.1", "6.12")


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
        era = str(era)
        if era not in ERAS:
            raise AllocatorError(f"zsmalloc: era={era} is unknown; use one of {', '.join(ERAS)}")
        if era != "6.12" and chain not in (None, 4):
            raise AllocatorError(f"zsmalloc: chain={chain} needs era=6.12; era={era} has 4 built in")
        self.era = era
        self.chain = (8 if era == "6.12" else 4) if chain is None else chain
        if not 1 <= self.chain <= 16:
            raise AllocatorError(f"zsmalloc: chain={chain} is out of range; use 1 to 16")
        classes = zsmalloc_classes(era, self.chain, page_size)
        super().__init__(
            classes,
            [fullness_groups(era, c.objs) for c in classes],
            page_size=page_size,
            zone=zone,
            added=0 if era == "2012" else HANDLE_BYTES,
            emptier_second=era == "6.1",
            compaction={"2012": 0, "6.1": 61, "6.12": 612}[era],
        )

    @property
    def config(self) -> dict[str, Any]:
        """See `Allocator.config`."""
        settings: dict[str, Any] = {} if self.era == "6.12" else {"era": self.era}
        return settings if self.chain == (8 if self.era == "6.12" else 4) else {**settings, "chain": self.chain}

    @property
    def huge_size(self) -> int:
        """The smallest request that gets pages of its own (zs_huge_class_size): 3625 bytes in 6.12 with chain 8."""
        last = max(c.size for c in self.classes if c.objs > 1)
        return last - (0 if self.era == "2012" else HANDLE_BYTES) + 1
