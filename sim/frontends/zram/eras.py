"""zram by release: what a page-out does in each, and what could be configured.

Sources: drivers/staging/zram/zram_drv.c (2.6.37 to 3.13), drivers/block/zram/zram_drv.c (3.14 on), and changes between
them: 874e3cddc33f stops freeing what a slot holds before a page is compressed (3.14), 8e19d540d107 keeps pages of any
one word by their value (4.11), "zram: drop max_zpage_size and use zs_huge_class_size()" asks the allocator from which
size an object is huge (4.17), 71268035f5d7 frees first again (6.14), and ce4be9e4307c takes that back (6.17).
"""

from __future__ import annotations

from typing import NamedTuple

from allocators.eras import ON, Span


class Era(NamedTuple):
    """What differs between releases."""

    takes: tuple[str, ...] | None  # parameters that it knows; None: all
    streams: int | None = None  # see `Frontend.streams`
    files: bool = True  # whether it has mm_stat
    outside: bool = False  # whether pages kept whole lie outside the pool (`era_2012`)
    three_quarters: bool = False  # whether a page is kept whole above 3/4 (max_zpage_size), not as the allocator says
    zeros_only: bool = False  # whether only zero-filled pages are kept by value
    frees_first: bool = False  # whether a slot is emptied before its new page is compressed


_LIMITED = Era(("era", "mem_limit"), three_quarters=True)
_BARE = Era(("era",), streams=1, files=False, three_quarters=True, zeros_only=True, frees_first=True)

ERAS = {
    "2012": _BARE._replace(outside=True),
    "3.10": _BARE,
    "4.9": _LIMITED._replace(zeros_only=True),
    "4.14": _LIMITED,
    "6.14": Era(None, frees_first=True),
    "6.18": Era(None),
}
RELEASES = (
    Span("2.6.37", "3.5", "2012"),
    Span("3.6", "3.13", "3.10"),
    Span("3.14", "4.10", "4.9"),
    Span("4.11", "4.16", "4.14"),
    Span("4.17", "6.13", "6.18", "its post-processing was not compared with these releases"),
    Span("6.14", "6.16", "6.14"),
    Span("6.17", "6.17", "6.18", "its post-processing was not compared with this release"),
    Span("6.18", ON, "6.18"),
)
