"""How specs of one family, and families themselves, are told apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.colors import to_rgb

from sim.plots.names import distinguished
from sim.plots.style import FAMILIES


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


def test_allocators_are_told_apart_by_colour_blind_readers() -> None:
    """As deuteranopes see them (Machado, Oliveira and Fernandes 2009): CIE76 differences of 15 and more."""
    seen = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    white = to_xyz.sum(axis=1)

    def lab(colour: str) -> npt.NDArray[np.float64]:
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        xyz = to_xyz @ np.clip(seen @ linear, 0, 1) / white
        x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    apart = {(a, b): float(np.linalg.norm(lab(FAMILIES[a]) - lab(FAMILIES[b]))) for a, b in combinations(FAMILIES, 2)}
    assert min(apart.values()) >= 15, min(apart, key=lambda pair: apart[pair])
