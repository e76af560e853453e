"""Traces of several programs as one."""

from __future__ import annotations

import numpy as np
import pytest

from workloads import COMPACT, FREE, GIVEN, IN, OUT, Events, Sizes, Trace, TraceError
from workloads.traces.events import concat
from workloads.traces.source import swap_keeps_zeros
from workloads.traces.together import together


def program(name: str, start: int, limit: int | None = 4096, **sizes: list[int]) -> Trace:
    events = Events.of(
        [OUT, OUT, COMPACT, IN, FREE], [0, 1, 0, 0, 0], [0, 1, -1, -1, -1], [start + 10 * i for i in range(5)], [7] * 5
    )
    tables = {codec: Sizes.given(size) for codec, size in (sizes or {GIVEN: [100, 200]}).items()}
    return Trace.from_arrays(name, events, None, tables, source={"limit": limit} if limit else {})


def test_events_come_in_the_order_of_their_times_and_programs_stay_apart() -> None:
    trace = together([program("a", 1000), program("b", 500_005)])
    events = concat(list(trace.batches()))
    assert events.time_ns is not None
    assert events.task is not None
    assert events.time_ns.tolist() == [0, 0, 10, 10, 20, 20, 30, 30, 40, 40]
    assert events.slot.tolist() == [0, 2, 1, 3, 0, 0, 0, 2, 0, 2]
    assert events.page.tolist() == [0, 2, 1, 3, -1, -1, -1, -1, -1, -1]
    assert events.task.tolist() == [0, 1] * 5
    assert (trace.name, trace.n_slots, trace.unique_pages) == ("a+b", 4, 4)
    assert trace.source["limit"] == 8192
    table = trace.sizes(GIVEN)
    assert table is not None
    assert table.size.tolist() == [100, 200, 100, 200]


def test_contents_stay_contents() -> None:
    pages = np.arange(2 * 4096, dtype=np.uint8).reshape(2, 4096)
    pages[1] += 1
    events = Events.of([OUT, OUT], [0, 1], [0, 1], [0, 1])
    trace = together([Trace.from_arrays(name, events, pages) for name in "ab"])
    assert trace.content
    assert trace.unique_pages == 2, "what both hold is one page"
    assert concat(list(trace.batches())).page.tolist() == [0, 0, 1, 1]


def test_what_recordings_say_stays_as_far_as_it_is_true_of_all() -> None:
    def one(name: str, **source: object) -> Trace:
        events = Events.of([OUT], [0], [0], [0])
        return Trace.from_arrays(name, events, None, {GIVEN: Sizes.given([9])}, source=source)

    new, old = {"kernel": "Linux 6.18.1 x86_64"}, {"kernel": "Linux 6.1.1 x86_64"}
    for kernel in ("Linux 6.18.1 x86_64", "Linux 6.18.2 aarch64", "Linux 6.18", "Linux 6.12"):
        assert together([one("a", **new), one("b", kernel=kernel)]).source["kernel"] == "Linux 6.18.1 x86_64"
    for others in (old, {}, {"kernel": ""}):
        assert not swap_keeps_zeros(together([one("a", **new), one("b", **others)]).source)
        assert not swap_keeps_zeros(together([one("b", **others), one("a", **new)]).source)
    assert together([one("a", limit=300), one("b", ram=500, limits={"min": 200})]).source["limit"] == 500
    read = [one(name, vmstat={"swap_ra": pages}) for name, pages in (("a", 0), ("b", 2))]
    assert together(read).source["vmstat"] == {"swap_ra": 2}
    assert "vmstat" not in together([*read, one("c", vmstat=1)]).source
    assert "sample" in together([one("a"), one("b", sample={"share": 0.1})]).source


def test_what_cannot_be_joined_is_told() -> None:
    with pytest.raises(TraceError, match="neither contents nor sizes by one codec"):
        together([program("a", 0, lz4=[1, 2]), program("b", 0, zstd=[1, 2])])
    untimed = Trace.from_arrays("c", Events.of([OUT], [0], [0]), None, {GIVEN: Sizes.given([9])})
    with pytest.raises(TraceError, match="have no times"):
        together([program("a", 0), untimed])
    assert "limit" not in together([program("a", 0), program("b", 0, limit=None)]).source
