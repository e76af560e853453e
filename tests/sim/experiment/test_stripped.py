"""A trace without its contents gives the same results as with them."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from sim import Experiment, Memory, run
from sim.experiment.description import DEFAULT_ALLOCATORS
from sim.plugins import COMPRESSORS, FRONTENDS
from sim.sizing.sizing import size_pages
from workloads import Trace, open_sample, sample_slots, save_trace, strip_trace


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trace, Trace]:
    """A small trace with contents and all sizes beside it, and what is left of it without contents."""
    folder = tmp_path_factory.mktemp("stripped")
    trace = save_trace(sample_slots(open_sample("pandas"), 0.25, seed=3), folder / "pandas.cswap")
    sizes = {codec.spec: size_pages(trace, codec) for codec in map(COMPRESSORS.make, COMPRESSORS.names())}
    return trace, strip_trace(trace, folder / "shared.cswap", sizes)


@pytest.mark.parametrize("frontend", FRONTENDS.names())
def test_it_replays_to_the_identical_results(both: tuple[Trace, Trace], frontend: str) -> None:
    codecs = tuple(COMPRESSORS.names()) if frontend == "zram" else ("lz4", "zstd")
    experiment = Experiment(
        allocators=DEFAULT_ALLOCATORS, compressors=codecs, frontends=(frontend,), memory=Memory(400)
    )
    results = [run(replace(experiment, traces=(trace,)), workers=1) for trace in both]
    pools = FRONTENDS.find(frontend).pools
    assert len(results[0].density) == (len(DEFAULT_ALLOCATORS) * len(codecs) if pools else 1)
    assert (results[0].density["stored"] > 0).any() == pools
    for name in ("density", "timeline", "latency"):
        whole, stripped = (getattr(result, name) for result in results)
        assert set(stripped["trace"]) == {"shared"}
        told = ["trace", *(["codec_times"] if name == "latency" else [])]  # of the trace, where contents are gone
        pd.testing.assert_frame_equal(stripped.drop(columns=told), whole.drop(columns=told), check_exact=True)
