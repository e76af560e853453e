"""Made-up references: traces of as many events as asked for, whose patterns tell the policies apart."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import trace_kit

from sim.errors import USER_ERRORS
from sim.plugins import GENERATORS
from sim.ram.reclaim import Reclaim, pages_of
from sim.ram.references import IN_ORDER, References
from workloads import FREE, IN, OUT, Trace
from workloads.readers.base import Batch


@pytest.mark.parametrize("pattern", IN_ORDER)
@pytest.mark.parametrize("policy", ["lru", "two-list"])
@pytest.mark.parametrize("swap_cache", [True, False])
def test_a_trace_has_what_was_asked_for(pattern: str, policy: str, swap_cache: bool) -> None:
    trace = References(events=5000, slots=700, pattern=pattern, policy=policy, swap_cache=swap_cache).trace()
    trace_kit.check(trace)
    assert (trace.n_events, trace.content) == (5000, False)
    assert trace.n_slots <= 700
    live: set[int] = set()
    events = trace_kit.all_events(trace)
    for kind, slot in zip(events.kind.tolist(), events.slot.tolist(), strict=True):
        assert kind == OUT or slot in live
        live = live - {slot} if kind == FREE else live | {slot}
    assert 0 not in live
    reads = np.flatnonzero(events.kind[:-1] == IN)
    assert ((events.kind[reads + 1] == FREE).all()) == (not swap_cache)


def faults(pattern: str, policy: str) -> int:
    """Of 21 passes over 1000 pages in a memory of 500."""
    batches = list(islice(References(slots=2000, pattern=pattern).uses(), 2))
    uses = [batches[0], Batch(batches[1].kind[:20_000], batches[1].slot[:20_000])]
    facts: dict[str, Any] = {}
    list(Reclaim(500, policy).through(iter(uses), facts, pages_of(iter(uses))))
    return int(facts["reclaim"]["faults"])


def test_the_patterns_tell_the_policies_apart() -> None:
    assert faults("loop", "lru") == 21_000  # every page goes out just before it is used
    assert faults("loop", "random") < 18_000
    assert faults("zipf", "lru") < 9_000
    assert faults("scan", "two-list") < 0.95 * faults("scan", "lru")  # which a scan does not drive out


def test_pages_have_the_sizes_of_a_bell() -> None:
    trace: Trace = References(mean=1000, spread=100).trace()
    sizes, events = trace.sizes("given"), trace_kit.all_events(trace)
    assert sizes is not None
    drawn = sizes.size[events.page[events.kind == OUT]]
    assert abs(drawn.mean() - 1000) < 5
    assert abs(drawn.std() - 100) < 5


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("references:pattern=zip", "give one of zipf, loop, scan"),
        ("references:pages=10000", "give at least 2, and less than slots"),
        ("references:ram=0", "give at least 1, and less than pages"),
        ("references:write=2", "give 0 to 1"),
        ("references:policy=fifo", "unknown policy"),
        ("references:events=1000,pages=20,ram=19,exponent=16", "hardly a page is missing there"),
    ],
)
def test_what_cannot_be_is_told(spec: str, told: str) -> None:
    with pytest.raises(USER_ERRORS, match=told):
        GENERATORS.make(spec).trace()
