"""Parameters that zram takes since 6.12: lz4's acceleration, negative levels of zstd."""

from __future__ import annotations

import numpy as np
import pytest

from sim.errors import CompressorError
from sim.plugins import COMPRESSORS
from workloads import open_sample

# Bytes of the first 1,000 pages of the sample gcc, 6.18's lz4. A device of a live 6.18 kernel, with `level=2` and
# `level=8` in algorithm_params, had the same mm_stat at each of 11 rows of the whole sample (`cswap validate live`).
LZ4 = {"lz4": 1192265, "lz4:acceleration=2": 1219865, "lz4:acceleration=8": 1320672}


@pytest.fixture(scope="module")
def pages() -> np.ndarray:
    return open_sample("gcc").page_array(0, 1000)


@pytest.mark.parametrize("spec", LZ4)
def test_lz4_by_acceleration(spec: str, pages: np.ndarray) -> None:
    sizes, _, _ = COMPRESSORS.make(spec).measure(pages)
    assert int(sizes.sum()) == LZ4[spec]


def test_acceleration_1_is_plain_lz4(pages: np.ndarray) -> None:
    assert COMPRESSORS.make("lz4:acceleration=1").spec == "lz4"
    assert COMPRESSORS.make("lz4:acceleration=8").spec == "lz4:acceleration=8"


def test_levels_of_zstd_below_1_are_faster_and_larger(pages: np.ndarray) -> None:
    totals = [int(COMPRESSORS.make(f"zstd:level={n}").measure(pages[:200])[0].sum()) for n in (3, 1, -3, -50)]
    assert totals == sorted(totals)
    assert len(set(totals)) == 4
    zero, three = (COMPRESSORS.make(f"zstd:level={n}").measure(pages[:200])[0] for n in (0, 3))
    assert np.array_equal(zero, three)  # 0 is the default


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lz4:acceleration=0", "lz4:acceleration=0: give 1 to 65537"),
        ("zstd:level=23", "zstd:level=23: levels go from -131072 to 22"),
        ("zstd:level=-200000", "zstd:level=-200000: levels go from -131072 to 22"),
    ],
)
def test_what_is_out_of_range(spec: str, said: str) -> None:
    with pytest.raises(CompressorError) as caught:
        COMPRESSORS.make(spec)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("spec", "params"),
    [
        ("lz4", ""),
        ("lz4:acceleration=8", "level=8"),
        ("zstd", ""),
        ("zstd:level=-3", "level=-3"),
        ("lz4hc:level=12", "level=12"),
        ("lzo-rle", ""),
    ],
)
def test_what_a_device_is_told(spec: str, params: str) -> None:
    assert COMPRESSORS.make(spec).algorithm_params == params
