"""The summary at the end of a run: on one screen, in words, with no figure that cannot be judged."""

from __future__ import annotations

import pandas as pd
import pytest
from cli_kit import good, refused

from sim import Experiment, Result, run
from sim.cli.summary import HEIGHT, WIDTH, summary

ALLOCATORS = ("zsmalloc", "zsmalloc:chain=4", "zbud", "order1", "ideal")
LARGE = "bell:events=60000,slots=30000"


@pytest.fixture(scope="module")
def result() -> Result:
    return run(Experiment(("redis", LARGE), allocators=ALLOCATORS, compressors=("lz4", "zstd")))


def test_it_is_the_frame_in_words(result: Result) -> None:
    shown = " ".join(" ".join(summary(result)).split())
    redis = result.density.query("trace == 'redis' and compressor == 'lz4'").set_index("allocator")["density"]
    assert f"redis lz4 {redis['zsmalloc']:.2f} {redis['zsmalloc:chain=4']:.2f} {redis['zbud']:.2f}" in shown
    for words in (
        "in zram",
        "Densest: ",
        "Avoiding order-1 ",
        "Chain size 4 has ",
        "zstd instead of lz4, in",
    ):
        assert words in shown
    equal = sum(equal for equal, _ in result.provenance["confirmed"]["redis"].values())
    assert f"{equal:,} of {equal:,} sizes confirmed" in shown


@pytest.mark.parametrize("traces", [1, 3, 40])
@pytest.mark.parametrize("allocators", [1, 5, 30])
def test_it_is_never_larger_than_a_screen(result: Result, traces: int, allocators: int) -> None:
    one = result.density[result.density["allocator"] == "zbud"]
    rows = [
        one.assign(trace=one["trace"] + f" with a long name {i}", allocator=f"zsmalloc:chain={4 + j}")
        for i in range(traces)
        for j in range(allocators)
    ]
    shown = summary(Result(pd.concat(rows), result.timeline, result.latency, result.counters, result.provenance))
    assert len(shown) <= HEIGHT
    assert max(map(len, shown)) <= WIDTH


def test_a_pool_too_small_is_said_not_shown() -> None:
    words = ("run", "bell:events=400,slots=300", "-a", "zsmalloc", "-a", "zbud", "-c", "lz4")
    shown = good(*words)
    assert "pages: too small to judge" in shown
    assert "Densest" not in shown
    full = good(*words, "--full")
    assert full.endswith(shown)
    assert len(full) > len(shown)


def test_what_a_recording_does_not_carry() -> None:
    line = refused("run", "gcc", "-c", "deflate", "-a", "zbud")
    assert "use -c lz4 or lzo or lzo-rle or zstd:level=3, or gcc-sample, which has contents" in line
