"""zsmalloc: size classes over chains of single pages; an object may span two of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from allocators.base import Ints
from allocators.eras import Span, check_era
from allocators.errors import AllocatorError
from allocators.zone import PageZone
from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.classes import ERAS, MIN_SIZE, RELEASES, Era, smallest_size, zsmalloc_classes
from allocators.zspages.units import LARGEST, UNITS, unit_classes

PHYSMEM_BITS = range(32, 41)  # that 32-bit architectures have


class Zsmalloc(ZspageAllocator):
    """The kernel's zsmalloc.

    `era` picks the rules, named by a release that has them: 2012, 3.10, 3.19, 4.1, 4.4, 6.1, 6.2, 6.3, 6.6 or 6.12;
    `RELEASES` says which release has which. 2022 are those of 6.1 with longer chains, as posted in October 2022 only.
    `chain` is the longest zspage in pages, 1 to 16, by default 8 (CONFIG_ZSMALLOC_CHAIN_SIZE, which offers 4 to 16), in
    era 2022 4 (pages_per_pool_page of the zram device); the other eras until 6.2 have 4 built in.

    `bits` of the kernel: 64 or 32, where handles take 4 bytes. `physmem_bits` are those of a physical address on 32-bit
    kernels (MAX_POSSIBLE_PHYSMEM_BITS): 32 (the default), 34 (RISC-V), 36 (x86 with PAE), 40 (ARM with LPAE). The more
    there are, the fewer objects can be numbered and the larger the smallest size class is, up to 2,048 bytes and more.
    On 64-bit kernels it is 32 bytes, however many bits there are. Derived from the sources; of 32-bit kernels nothing
    was measured.

    `unit` pages are compressed as one block (2, 4, 8 or 16; 64 KiB at most): there are classes for objects of up to so
    many pages (see `units`). `zram:unit=4` sets it by itself.
    """

    name: ClassVar[str] = "zsmalloc"
    releases: ClassVar[tuple[Span, ...]] = RELEASES

    def __init__(
        self,
        era: str = "6.12",
        chain: int | None = None,
        bits: int = 64,
        physmem_bits: int | None = None,
        unit: int = 1,
        page_size: int = 4096,
        zone: PageZone | None = None,
    ) -> None:
        try:
            self.era = check_era(self.name, str(era), ERAS, RELEASES)
        except ValueError as error:
            raise AllocatorError(f"zsmalloc: {error}") from error
        rules = ERAS[self.era]
        self.chain = rules.chain if chain is None else chain
        self.bits, self.physmem_bits, self.unit = bits, physmem_bits, unit
        self._check(rules)
        smallest = MIN_SIZE
        if bits == 32:
            smallest = smallest_size(rules, self.chain, page_size, bits, physmem_bits or bits)
            if smallest > page_size:
                raise AllocatorError(
                    f"zsmalloc: chain={self.chain} with physmem_bits={physmem_bits} makes the smallest class "
                    f"{smallest} bytes, more than a page, so there is no such kernel; give a shorter chain"
                )
        self.handle_bytes = rules.handle_words * bits // 8
        if unit * page_size > max(LARGEST, page_size):
            raise AllocatorError(f"zsmalloc: unit={unit} is {unit * page_size} bytes; use {LARGEST} at most")
        classes = zsmalloc_classes(rules, self.chain, page_size, smallest)
        super().__init__(
            classes + unit_classes(rules, self.chain, page_size, unit),
            rules.groups,
            page_size=page_size,
            zone=zone,
            unit=unit,
            added=self.handle_bytes,
            emptier=rules.emptier,
            compaction=rules.compaction,
            reclaims=rules.reclaims,
        )

    def _check(self, rules: Era) -> None:
        if rules.longest == rules.chain != self.chain:
            raise AllocatorError(
                f"zsmalloc: chain={self.chain} needs era=6.12, or era=2022 for the rules of 6.1 with longer chains; "
                f"era={self.era} has {rules.chain} built in"
            )
        if not 1 <= self.chain <= rules.longest:
            raise AllocatorError(f"zsmalloc: chain={self.chain} is out of range; use 1 to {rules.longest}")
        if self.unit not in UNITS:
            raise AllocatorError(f"zsmalloc: unit={self.unit} is unknown; use {', '.join(map(str, UNITS))} pages")
        if self.unit > 1 and (rules is not ERAS["6.12"] or self.bits == 32):
            raise AllocatorError(f"zsmalloc: unit={self.unit} needs era=6.12 and bits=64, for which it was posted")
        if self.bits not in (32, 64):
            raise AllocatorError(f"zsmalloc: bits={self.bits} is unknown; use 32 or 64, those of the kernel")
        if self.physmem_bits is not None and self.bits == 64:
            raise AllocatorError(
                "zsmalloc: physmem_bits changes no size class of a 64-bit kernel; leave it out, or add bits=32"
            )
        if self.physmem_bits is not None and self.physmem_bits not in PHYSMEM_BITS:
            raise AllocatorError(
                f"zsmalloc: physmem_bits={self.physmem_bits} is out of range; use {PHYSMEM_BITS[0]} to "
                f"{PHYSMEM_BITS[-1]}, such as 36 for PAE and 40 for LPAE"
            )

    @property
    def config(self) -> dict[str, Any]:
        """See `Configured.config`: the default of `chain` is its era's."""
        usual = self.chain == ERAS[self.era].chain
        return {key: value for key, value in super().config.items() if not (usual and key == "chain")}

    @cached_property
    def huge_size(self) -> int:
        """See `Allocator.huge_size` (zs_huge_class_size): 3625 bytes in 6.12 with chain 8."""
        shared = [c.size for c in self.classes if c.objs > 1 and c.size <= self.page_size]
        return max(shared) - self.handle_bytes + 1 if shared else 0

    @cached_property
    def huge_unit(self) -> int:
        """See `Allocator.huge_unit`: 14521 bytes for a unit of 4 pages with chain 8."""
        shared = [c.size for c in self.classes if c.objs > 1 and c.size > self.page_size]
        return max(shared) - self.handle_bytes + 1 if shared else self.unit * self.page_size

    def size_class_of(self, size: Ints) -> Ints:
        """See `Allocator.size_class_of`."""
        return self.state.class_of[size].astype(np.int64)
