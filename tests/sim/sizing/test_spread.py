"""How far apart processes are, as texts of the meta of sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.sizing.spread import Spread, as_meta
from workloads import Events, Sizes, Trace, sample_slots, strip_trace
from workloads.traces.together import together

FOUND = Spread(3, (4.5, 5.25), (1.0, 1.125))


def test_it_lies_between_the_medians_of_the_processes() -> None:
    assert Spread.between(np.array([[5.25, 1.0], [4.5, 1.125], [5.0, 1.1]])) == FOUND
    assert str(FOUND) == "3 processes, median us a page-out: compress 4.50 to 5.25, decompress 1.00 to 1.12"
    assert str(Spread.between(np.array([[2.0, 1.0]]))).startswith("1 process, ")


def test_the_meta_gives_it_back() -> None:
    assert Spread.of(as_meta(FOUND.texts())) == FOUND
    assert FOUND.row() == {"processes": 3, "compress_p50_us": [4.5, 5.25], "decompress_p50_us": [1.0, 1.125]}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("processes", ""),
        ("processes", "0"),
        ("processes", "-3"),
        ("processes", "³"),
        ("processes", "1" * 5000),
        ("compress_p50_us", "nan nan"),
        ("compress_p50_us", "1.000"),
        ("compress_p50_us", "1.000 2.000 3.000"),
        ("decompress_p50_us", "1e3 2e9"),
        ("decompress_p50_us", "1.000\x1b 2.000"),
    ],
)
def test_foreign_meta_tells_none(key: str, text: str) -> None:
    assert Spread.of(as_meta(FOUND.texts()) | {key: text}) is None
    assert Spread.of({}) is None


def sized() -> Trace:
    meta = {"codec": "lz4", **as_meta(FOUND.texts())}
    columns = {name: column[[0, 0]] for name, column in Sizes.given(np.array([70])).columns().items()}
    events = Events.of(np.zeros(2), np.arange(2), np.arange(2), time_ns=np.arange(2))
    return Trace.from_arrays("sized", events, None, {"lz4": Sizes(**columns, meta=meta)})


def test_a_stripped_copy_tells_it_and_one_of_other_pages_does_not(tmp_path: Path) -> None:
    trace = sized()
    known = trace.sizes("lz4")
    assert known
    for copy, there in (
        (strip_trace(trace, tmp_path / "copy.cswap", {"lz4": known}), FOUND),
        (sample_slots(trace, 0.5, seed=0), None),
        (together([trace, trace]), None),
    ):
        found = copy.sizes("lz4")
        assert found is not None
        assert Spread.of(found.meta) == there
    assert Spread.of(known.meta) == FOUND
