"""The conformance kit: what must hold for every trace, wherever it comes from."""

from __future__ import annotations

import json

import numpy as np

from workloads import COMPACT, FREE, IN, LOST, OUT, Events, Trace, info
from workloads.traces.events import concat
from workloads.traces.tally import Tally


def tiny(n_pages: int = 5, page_size: int = 64, seed: int = 0) -> Trace:
    """A trace of all kinds of events, with times and tasks."""
    rng = np.random.default_rng(seed)
    pages = rng.integers(0, 256, (n_pages, page_size), np.uint8)
    kind = [OUT] * n_pages + [IN, COMPACT, FREE, LOST]
    slot = [*range(n_pages), 1, 0, 1, 2]
    page = [*range(n_pages), -1, -1, -1, -1]
    events = Events.of(kind, slot, page, np.arange(len(kind)) * 10, np.arange(len(kind)) % 3)
    return Trace.from_arrays("tiny", events, pages, source={"why": "test"}, page_size=page_size)


def all_events(trace: Trace, size: int = 1 << 18) -> Events:
    return concat(list(trace.batches(size)) or [Events.of([], [], [])])


def same_events(a: Events, b: Events) -> bool:
    x, y = a.columns(), b.columns()
    return x.keys() == y.keys() and all(np.array_equal(x[k], y[k]) and x[k].dtype == y[k].dtype for k in x)


def same_traces(a: Trace, b: Trace) -> bool:
    """Equal in everything but the place where they lie."""
    fields = (
        "name",
        "page_size",
        "source",
        "counts",
        "n_slots",
        "unique_pages",
        "content",
        "has_time",
        "digest",
    )
    if any(getattr(a, f) != getattr(b, f) for f in fields) or a.sizes_codecs() != b.sizes_codecs():
        return False
    sizes = [(a.sizes(codec), b.sizes(codec)) for codec in a.sizes_codecs()]
    return (
        same_events(all_events(a), all_events(b))
        and all(x is not None and y is not None and x.digest() == y.digest() for x, y in sizes)
        and (not a.content or np.array_equal(a.page_array(0, a.unique_pages), b.page_array(0, b.unique_pages)))
    )


def check(trace: Trace) -> None:
    """Raise AssertionError or TraceError unless the trace keeps every promise of the type."""
    whole = all_events(trace)
    tally = Tally(trace.name)
    tally.add(whole, trace.unique_pages)
    assert tally.counts == trace.counts
    assert tally.n_slots == trace.n_slots
    assert trace.n_events == len(whole) == sum(trace.counts.values())
    assert trace.has_time == (whole.time_ns is not None)
    assert tally.digest() == trace.header.events_digest

    odd = list(trace.batches(7_777))
    assert all(0 < len(batch) <= 7_777 for batch in odd)
    assert same_events(concat(odd or [Events.of([], [], [])]), whole)
    assert all(c.flags.c_contiguous and c.flags.writeable for b in odd[:2] for c in b.columns().values())

    if trace.content:
        pages = np.concatenate([np.empty((0, trace.page_size), np.uint8), *trace.page_batches(300)])
        assert pages.shape == (trace.unique_pages, trace.page_size)
        assert len({page.tobytes() for page in pages}) == len(pages), "equal pages are stored once"
        for start, stop in ((0, 1), (3, 3), (1000, 1100), (trace.unique_pages - 1, trace.unique_pages + 9)):
            part = trace.page_array(start, stop)
            assert np.array_equal(part, pages[start:stop])
            assert part.dtype == np.uint8
            assert part.flags.c_contiguous
    else:
        assert trace.sizes_codecs() or trace.source["contents"].startswith("none")
    for codec in trace.sizes_codecs():
        sizes = trace.sizes(codec)
        assert sizes is not None
        assert len(sizes) == trace.unique_pages
    assert trace.sizes("no such codec") is None

    facts = info(trace)
    assert json.loads(json.dumps(facts)) == facts
    assert facts["events"] == trace.n_events
    assert facts["out"] == trace.counts["out"]
