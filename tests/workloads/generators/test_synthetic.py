from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, replace

import lz4.block
import numpy as np
import pytest
import trace_kit
import zstandard

from sim.plugins import GENERATORS
from workloads import FREE, GIVEN, IN, OUT, Trace, TraceError
from workloads.generators.base import Generator
from workloads.generators.pages import RandomPages
from workloads.generators.sizes import Bell, Bimodal, Uniform

CHURNING = ["uniform", "bell", "bimodal", "random"]  # all but those that have their own patterns


def concrete(cls: type[Generator]) -> set[type[Generator]]:
    below = {c for sub in cls.__subclasses__() for c in concrete(sub)}
    return below if getattr(cls, "__abstractmethods__", None) else below | {cls}


def drawn_sizes(trace: Trace) -> np.ndarray:
    events, sizes = trace_kit.all_events(trace), trace.sizes(GIVEN)
    assert sizes is not None
    return np.asarray(sizes.size[events.page[events.kind == OUT]])


def test_every_generator_is_registered() -> None:
    assert GENERATORS.names() == [*CHURNING, "recipe", "references"]
    assert {GENERATORS.find(name) for name in GENERATORS.names()} == concrete(Generator)  # type: ignore[type-abstract]


@pytest.mark.parametrize("name", CHURNING)
def test_equal_configuration_gives_equal_traces(name: str) -> None:
    config = GENERATORS.find(name)(events=3_000, slots=300)
    same = GENERATORS.find(name)(**json.loads(json.dumps(asdict(config))))
    assert trace_kit.same_traces(config.trace(), same.trace())
    assert config.trace().digest != replace(config, seed=1).trace().digest
    assert config.trace().source == {"kind": "synthetic", "generator": name, **asdict(config)}


@pytest.mark.parametrize("name", CHURNING)
def test_slots_are_filled_and_then_churn(name: str) -> None:
    trace = GENERATORS.find(name)(events=5_000, slots=400).trace()
    assert (trace.n_events, trace.n_slots) == (5_000, 400)
    events = trace_kit.all_events(trace)
    assert events.slot[:400].tolist() == list(range(400))
    assert (events.kind[:400] == OUT).all()
    live: set[int] = set()
    for kind, slot in zip(events.kind.tolist(), events.slot.tolist(), strict=True):
        assert kind == OUT or slot in live, "only a slot in use is read or freed"
        live = live - {slot} if kind == FREE else live | {slot}
    reads = np.flatnonzero(events.kind[:-1] == IN)
    assert (events.kind[reads + 1] == FREE).all()
    assert (events.slot[reads + 1] == events.slot[reads]).all()
    assert min(trace.counts[k] for k in ("out", "in", "free")) > 1_000
    assert len(live) > 150
    assert GENERATORS.find(name)(events=10, slots=400).trace().counts["out"] == 10


def test_sizes_follow_their_distribution() -> None:
    uniform = drawn_sizes(Uniform(low=100, high=200).trace())
    assert (uniform.min(), uniform.max()) == (100, 200)
    assert abs(uniform.mean() - 150) < 1
    bell = drawn_sizes(Bell(mean=1500, spread=100).trace())
    assert abs(bell.mean() - 1500) < 3
    assert abs(bell.std() - 100) < 3
    both = drawn_sizes(Bimodal(low=500, high=3500, share=0.25, spread=50).trace())
    assert abs((both < 2000).mean() - 0.25) < 0.01
    clipped = drawn_sizes(Bell(mean=4000, spread=3000).trace())
    assert (clipped.min(), clipped.max()) == (1, 4096)


def deflate(page: bytes) -> bytes:
    return zlib.compress(page, 3)


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.5, 0.8, 0.95])
@pytest.mark.parametrize(
    "compress",
    [lambda p: lz4.block.compress(p, store_size=False), zstandard.ZstdCompressor(3).compress, deflate],
    ids=["lz4", "zstd", "deflate"],
)
def test_random_pages_compress_as_aimed(ratio: float, compress: Callable[[bytes], bytes]) -> None:
    spread = 0.5 * min(ratio, 1 - ratio)
    trace = RandomPages(events=100, slots=100, ratio=ratio, spread=spread, pages=400).trace()
    sizes = np.array([len(compress(page.tobytes())) for page in trace.page_array(1, 401)])
    assert abs(sizes.mean() / 4096 - ratio) < 0.05
    assert abs(sizes.std() / 4096 - spread) < 0.05


def test_random_pages_have_their_share_of_zero_pages() -> None:
    trace = RandomPages(zero=0.2, pages=50).trace()
    assert not trace.page_array(0, 1).any()
    events = trace_kit.all_events(trace)
    assert abs((events.page[events.kind == OUT] == 0).mean() - 0.2) < 0.01
    assert RandomPages(spread=0.0, pages=3, events=10).trace().unique_pages == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Uniform(events=0), "uniform: events=0: is out of range; give at least 1"),
        (lambda: Uniform(slots=0), "uniform: slots=0"),
        (lambda: Uniform(seed=-1), "uniform: seed=-1"),
        (lambda: Uniform(low=9, high=8), "uniform: low=9"),
        (lambda: Uniform(high=4097), "uniform: high=4097"),
        (lambda: Bell(mean=0), "bell: mean=0"),
        (lambda: Bell(spread=-1), "bell: spread=-1"),
        (lambda: Bimodal(share=1.5), "bimodal: share=1.5"),
        (lambda: RandomPages(ratio=1.0), "random: ratio=1.0"),
        (lambda: RandomPages(spread=0.5), "random: spread=0.5: is out of range; give less than 0.5"),
        (lambda: RandomPages(page_size=1000), "random: page_size=1000"),
    ],
)
def test_fields_out_of_range_are_named(make: Callable[[], Generator], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        make()
