"""Numbers in the order of first appearance, against a dict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.ram import numbers
from sim.ram.numbers import Numbering


@given(
    names=st.lists(st.one_of(st.integers(0, 20), st.integers(0, (1 << 64) - 1)), max_size=200),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
@settings(max_examples=100, deadline=None)
def test_they_are_those_of_a_dict(names: list[int], cuts: list[int]) -> None:
    known: dict[int, int] = {}
    expected = [known.setdefault(name, len(known)) for name in names]
    numbering = Numbering()
    parts = np.split(np.array(names, np.uint64), sorted(min(cut, len(names)) for cut in cuts))
    assert np.concatenate([numbering.add(part) for part in parts]).tolist() == expected
    assert len(numbering) == len(known)
    strange = np.array([*names, 21, (1 << 63) + 21], np.uint64)
    assert numbering.find(strange).tolist() == [known.get(int(name), -1) for name in strange]


@pytest.mark.parametrize("step", [1, 4096, 1 << 40])  # pages, bytes, and what differs in its high bits only
def test_the_table_grows(step: int) -> None:
    n = 10 * numbers.ROOM if step > 1 else 3 * numbers.ROOM
    names = (np.arange(n, dtype=np.uint64) * np.uint64(step)) + np.uint64(7)
    numbering = Numbering()
    for start in range(0, n, 50_000):
        part = names[start : start + 50_000]
        assert (numbering.add(part) == np.arange(start, start + len(part))).all()
    assert (numbering.find(names[::-1]) == np.arange(n)[::-1]).all()


def test_compiled_and_plain_code_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "ROOM", 8)
    names = np.random.default_rng(1).integers(0, 300, 2000).astype(np.uint64)
    compiled = Numbering().add(names)
    monkeypatch.setattr(numbers, "number_all", getattr(numbers.number_all, "py_func", numbers.number_all))
    assert (Numbering().add(names) == compiled).all()
