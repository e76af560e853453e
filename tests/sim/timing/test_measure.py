"""Histograms against percentiles of the values themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.timing.latency import QUANTILES
from sim.timing.measure import Histogram

TIMES = st.lists(st.one_of(st.just(0.0), st.floats(0.0625, 1e12)), min_size=1, max_size=300)


@given(TIMES, st.lists(st.integers(0, 300), max_size=5))
def test_figures(values: list[float], cuts: list[int]) -> None:
    histogram = Histogram()
    for part in np.split(np.array(values), sorted(min(cut, len(values)) for cut in cuts)):
        histogram.add(part)
    figures = histogram.figures()
    assert figures["count"] == len(values)
    assert figures["max_us"] == max(values) / 1e3
    assert figures["mean_us"] == pytest.approx(np.mean(values) / 1e3)
    for name, q in QUANTILES.items():
        exact = float(np.quantile(values, q, method="inverted_cdf")) / 1e3
        assert figures[name] == pytest.approx(exact, rel=5.1e-4)


def test_its_memory_does_not_grow() -> None:
    histogram = Histogram()
    rng = np.random.default_rng(1)
    for _ in range(50):
        histogram.add(rng.lognormal(8, 3, 10_000))
    assert histogram.count == 500_000
    assert histogram.buckets.nbytes < 1 << 20
