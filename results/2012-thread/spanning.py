"""Which objects span two pages, by size class: zsmalloc's pools at the fullest moments of the traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from sim.plugins import make_allocator
from sim.results.classes import objects_in_pool
from sim.validate.prediction import Prediction
from workloads import Trace
from workloads.traces.events import Events

SPANNING = ("zsmalloc:era=2012", "zsmalloc")


def spanning(traces: Iterable[Trace], codecs: Iterable[str]) -> pd.DataFrame:
    """A row a trace, codec, allocator and size class: objects, and how many of them span two pages."""
    codecs = tuple(codecs)
    return pd.DataFrame(
        row for trace in traces for codec in codecs for spec in SPANNING for row in _by_class(trace, codec, spec)
    )


def _by_class(trace: Trace, codec: str, spec: str) -> Iterator[dict[str, object]]:
    sizes, allocator = trace.sizes(codec), make_allocator(spec, trace.page_size)
    assert sizes is not None
    device = Prediction(trace.n_slots, sizes, allocator)
    for events in _until(trace, trace.fullest.event + 1):
        device.apply(events)
    handles = objects_in_pool(device.device)["handle"].tolist()
    size_of = np.array(sorted(row["class_size"] for row in allocator.class_usage(np.zeros(0, np.int64))))
    placed = [allocator.placement(handle) for handle in handles]
    taken = np.array([sum(part[2] for part in place.parts) for place in placed])
    spans = np.array([place.spans for place in placed])
    of_class = size_of[np.searchsorted(size_of, taken)]
    for size in np.unique(of_class).tolist():
        mine = of_class == size
        yield {
            "trace": trace.name,
            "compressor": codec,
            "allocator": spec,
            "class_size": size,
            "objects": int(mine.sum()),
            "spanning": int(spans[mine].sum()),
        }


def _until(trace: Trace, many: int) -> Iterator[Events]:
    """The first events of a trace."""
    for events in trace.batches():
        if many > 0:
            yield events[:many]
        many -= len(events)
