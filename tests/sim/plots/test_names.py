"""How specs of one family are told apart."""

from __future__ import annotations

import pytest

from sim.plots.names import distinguished


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        (("zsmalloc", "zbud"), ["zsmalloc", "zbud"]),
        (("zsmalloc", "zsmalloc:chain=4"), ["zsmalloc chain=8", "zsmalloc chain=4"]),
        (
            ("zsmalloc", "zsmalloc:era=6.1", "zsmalloc:chain=16"),
            ["zsmalloc 6.12", "zsmalloc 6.1", "zsmalloc chain=16"],
        ),
        (("zstd:level=3", "zstd:level=9", "lz4"), ["zstd level=3", "zstd level=9", "lz4"]),
        (
            ("zswap:ram_pages=9", "zswap:max_pool_percent=50,ram_pages=9"),
            ["zswap max_pool_percent=20", "zswap max_pool_percent=50"],
        ),
        (("zsmalloc:era=2022", "zsmalloc:era=2022,chain=8"), ["zsmalloc chain=4", "zsmalloc chain=8"]),
        (("mine", "mine:x=1"), ["mine", "mine x=1"]),
    ],
)
def test_each_is_told_by_what_the_others_do_not_set_alike(specs: tuple[str, ...], told: list[str]) -> None:
    assert list(distinguished(specs).values()) == told
