"""`zcache`: the transcendent memory of 2011-12, its persistent side."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from allocators import Allocator
from allocators.kernels import arrays
from sim.frontends.base import Frontend, counted, empty_slots
from sim.frontends.kernels import zcache as kernels
from workloads.sizes import Sizes

NO_LIMIT = np.iinfo(np.int64).max
PERCENT = 75

# struct zv_hdr of x86-64 with its sentinel (tmem.h): pool, object, index; with zsmalloc also the size, which xvmalloc
# knows by itself.
HEADER, HEADER_WITH_SIZE = 40, 56


class Zcache(Frontend):
    """zcache of drivers/staging/zcache (3.0 to 3.5): the pages of frontswap, that is every page-out of a trace.

    They lie in the given allocator: xvmalloc in the kernel until 3.2, zsmalloc from 3.3. `ram_pages` is the memory of
    the machine in pages; no more than `page_count_policy_percent` of that *number of pages* may be stored (a put is
    refused when there are more already), however little memory they take; 0 for no limit. A page of more than 7/8 of
    a page compressed is refused; so is one of more than 5/8 while the pool holds more than 5/8 of a page for each
    page in it. Raises ValueError for a value out of range.

    Each object has a header before it, in which the kernel notes what it belongs to; the bytes counted are the
    compressed page's alone. The pages of cleancache, which traces do not tell of, are in `EphemeralPool`.
    """

    name: ClassVar[str] = "zcache"

    def __init__(self, ram_pages: int = 0, page_count_policy_percent: int = PERCENT) -> None:
        if ram_pages < 0:
            raise ValueError(f"ram_pages={ram_pages}: give 0 (no limit) or a number of pages")
        if not 0 < page_count_policy_percent <= 150:
            raise ValueError(f"page_count_policy_percent={page_count_policy_percent}: give 1 to 150")
        self.ram_pages = ram_pages
        self.page_count_policy_percent = page_count_policy_percent

    def device(self, n_slots: int, allocator: Allocator, *secondary: Sizes) -> kernels.Zcache:
        """See `Frontend.device`."""
        rules = arrays.records(1, kernels.RULES)
        rules["page_size"] = allocator.page_size
        rules["header"] = HEADER if allocator.name == "xvmalloc" else HEADER_WITH_SIZE
        rules["most"] = self.page_count_policy_percent * self.ram_pages // 100 if self.ram_pages else NO_LIMIT
        rules["max_zsize"], rules["max_mean_zsize"] = allocator.page_size // 8 * 7, allocator.page_size // 8 * 5
        return kernels.Zcache(empty_slots(n_slots), rules, arrays.records(1, kernels.COUNTS))

    def stats(self, device: kernels.Zcache) -> dict[str, int]:
        """See `Frontend.stats`; and `kernels.COUNTS`."""
        return super().stats(device) | counted(device.counts[0])
