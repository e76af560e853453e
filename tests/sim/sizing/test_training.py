"""A dictionary trained on pages."""

from __future__ import annotations

import numpy as np
import pytest

from sim.errors import UserError
from sim.sizing.training import sampled, trained
from workloads import open_recording, open_sample
from workloads.traces.events import OUT, Events
from workloads.traces.trace import Trace


def of(pages: np.ndarray) -> Trace:
    n = len(pages)
    return Trace.from_arrays("t", Events.of([OUT] * n, range(n), range(n)), pages, page_size=pages.shape[1])


def numbered(first: int, count: int, size: int = 4096) -> np.ndarray:
    """Pages that begin with their number."""
    pages = np.ones((count, size), np.uint8)
    pages[:, :4] = np.arange(first, first + count, dtype="<u4").view(np.uint8).reshape(-1, 4)
    return pages


def test_pages_are_drawn_from_all_traces_without_repetition() -> None:
    one, other = of(numbered(0, 1500)), of(numbered(1500, 700))
    drawn = sampled([one, other], 1000, seed=3)
    numbers = drawn[:, :4].copy().view("<u4").ravel()
    assert (len(numbers), len(set(numbers.tolist()))) == (1000, 1000)
    assert 250 < (numbers >= 1500).sum() < 390
    assert np.array_equal(drawn, sampled([one, other], 1000, seed=3))
    assert not np.array_equal(drawn, sampled([one, other], 1000, seed=4))
    assert len(sampled([one, other], 5000)) == 2200


def test_same_filled_pages_are_left_out() -> None:
    pages = numbered(0, 50)
    pages[::2] = 7
    assert len(sampled([of(np.unique(pages, axis=0))], 100)) == 25


def test_a_dictionary_has_the_size_that_was_asked_for() -> None:
    pages = sampled([open_sample("redis")], 300)
    for size in (256, 16384, 65536):
        assert 0.8 * size < len(trained(pages, size)) <= size
    assert trained(pages, 16384) == trained(pages, 16384)


@pytest.mark.parametrize("size", [0, 255, (16 << 20) + 1])
def test_sizes_that_make_no_sense(size: int) -> None:
    with pytest.raises(UserError, match="give 256 to 16777216"):
        trained(numbered(0, 10), size)


def test_too_few_pages() -> None:
    for pages in (numbered(0, 0), numbered(0, 1)):
        with pytest.raises(UserError, match="are too few, or too much alike"):
            trained(pages, 16384)


def test_traces_that_cannot_be_used() -> None:
    with pytest.raises(UserError, match="has no contents to train on"):
        sampled([open_recording("redis")], 10)
    with pytest.raises(UserError, match="pages of several sizes"):
        sampled([of(numbered(0, 3)), of(numbered(0, 3, 16384))], 10)
