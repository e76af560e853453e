"""The table of docs/models.md on dictionaries: trained on half of a sample's pages, measured on the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zstandard

from allocators.zspages.zsmalloc import Zsmalloc
from sim.compressors.dictionary import known_from_now_on
from sim.frontends.zram import Zram
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import filled, size_pages
from sim.sizing.training import trained
from sim.validate.prediction import Prediction
from workloads import open_sample
from workloads.traces.events import OUT, Events
from workloads.traces.trace import Trace

CODECS = ("lz4", "lz4hc", "zstd", "zstd:level=8")
SAMPLES = ("gcc", "pandas", "redis", "node")
PAGE = Path(__file__).parents[2] / "docs" / "models.md"


def used(trace: Trace, codec: str) -> np.ndarray:
    """mem_used_total and compr_data_size of a zram device that holds all pages."""
    sizes = size_pages(trace, COMPRESSORS.make(codec))
    device = Prediction(trace.n_slots, sizes, Zsmalloc(), Zram())
    for events in trace.batches():
        device.apply(events)
    stat = device.mm_stat()
    return np.array([stat.mem_used_total, stat.compr_data_size])


def changes(sample: str) -> dict[str, str]:
    pages = np.concatenate(list(open_sample(sample).page_batches()))
    known, others = pages[::2], pages[1::2]
    digest = known_from_now_on(trained(known[~filled(known)[0]], 16384))
    n = len(others)
    trace = Trace.from_arrays(sample, Events.of([OUT] * n, range(n), range(n)), others)
    cells = {}
    for codec in CODECS:
        without, with_it = (used(trace, spec) for spec in (codec, f"{codec}{',:'[':' not in codec]}dict={digest}"))
        memory, stored = (with_it / without - 1) * 100
        cells[codec] = f"{memory:+.1f} % ({stored:+.1f} %)"
    return cells


@pytest.mark.skipif(zstandard.ZSTD_VERSION != (1, 5, 7), reason="another libzstd trains another dictionary")
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_table(sample: str) -> None:
    rows = [[cell.strip() for cell in line.split("|")] for line in PAGE.read_text().splitlines() if line[:1] == "|"]
    shown = {row[1].strip("`"): row[2 + SAMPLES.index(sample)] for row in rows if len(row) == 8}
    found = {codec: shown.get(codec) for codec in CODECS}
    assert found == changes(sample)
