"""Page-ins of slots that hold nothing, against a dictionary."""

from __future__ import annotations

import numpy as np
import pytest

from workloads.traces.events import FREE, IN, LOST, OUT, Events
from workloads.traces.reads import empty_reads
from workloads.traces.source import swap_keeps_zeros


def oracle(events: Events) -> tuple[int, int]:
    state: dict[int, str] = {}
    never = freed = 0
    for kind, slot in zip(events.kind.tolist(), events.slot.tolist(), strict=True):
        if kind == IN:
            never += slot not in state
            freed += state.get(slot) == "freed"
        elif kind in (OUT, LOST):
            state[slot] = "held"
        elif kind == FREE:
            state[slot] = "freed"
    return never, freed


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_counts_are_those_of_a_dictionary(seed: int, batch: int) -> None:
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 5, 400).astype(np.uint8)
    slot = np.where(kind == 3, 0, rng.integers(0, 40, 400))
    events = Events.of(kind, slot, np.where(kind == OUT, 0, -1))
    parts = [events[start : start + batch] for start in range(0, 400, batch)]
    assert tuple(empty_reads(parts, 40)) == oracle(events)


def test_none() -> None:
    assert tuple(empty_reads([], 0)) == (0, 0)


@pytest.mark.parametrize(
    ("kernel", "apart"),
    [
        ("Linux 6.18.44-fc-v769 x86_64", True),
        ("Linux 6.12", True),
        ("6.12.1", True),
        ("Linux 7.0.0", True),
        ("Linux 6.9.3", False),
        ("Linux 5.15.0-91-generic x86_64", False),
        ("", False),
        ("another", False),
    ],
)
def test_which_kernels_keep_zeros_from_the_device(kernel: str, apart: bool) -> None:
    assert swap_keeps_zeros({"kernel": kernel}) == apart
    assert not swap_keeps_zeros({})
