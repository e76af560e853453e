"""The summary at the end of a run: on one screen, in words, with no figure that cannot be judged."""

from __future__ import annotations

import pandas as pd
import pytest
from cli_kit import good, refused

from sim import Experiment, Result, run
from sim.cli.summary import HEIGHT, WIDTH, _more, summary

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


def words(result: Result, rows: pd.DataFrame) -> str:
    """The summary of some of its rows, perhaps changed, in one line."""
    some = Result(rows, result.timeline, result.latency, result.counters, result.provenance)
    return " ".join(" ".join(summary(some)).split())


def test_the_densest_is_named_whatever_it_is(result: Result) -> None:
    rows = result.density[result.density["allocator"] != "order1"].copy()
    best = rows["allocator"] == "zsmalloc:chain=4"
    rows.loc[best, "density"] *= 1.2
    assert "Densest: zsmalloc chain=4, on average 1." in words(result, rows)
    rows.loc[rows["allocator"] == "zbud", "density"] = rows.loc[best, "density"].to_numpy()
    assert "Densest: zsmalloc chain=4 and zbud, on average" in words(result, rows)


def test_what_cannot_be_compared_is_not_said(result: Result) -> None:
    rows = result.density
    alone = words(result, rows[rows["allocator"] == "zbud"])
    assert "zbud reaches on average" in alone
    assert not any(said in alone for said in ("Densest", "Relative", "order-1", "Chain", "zsmalloc"))
    without = words(result, rows[rows["allocator"].isin(["zbud", "order1"])])
    assert "Densest: order1" in without
    assert not any(said in without for said in ("Avoiding", "Chain", "zsmalloc"))
    assert "zstd instead" not in words(result, rows[rows["compressor"] != "lz4"])
    assert "of ideal" not in words(result, rows[rows["allocator"] == "ideal"])
    small = words(result, rows.assign(small=True))
    assert "of the bytes" in small
    assert not any(said in small for said in ("Densest", "order-1", "RAM", "of the pages"))
    assert "redis lz4 no page-outs" in words(result, rows.assign(small=True, slots_max=0))


def test_memory_is_told_of_runs_that_took_every_page(result: Result) -> None:
    rows = result.density[result.density["trace"] == "redis"]
    least = rows[(rows["refused"] == 0) & (rows["allocator"] != "ideal")].sort_values("pages_max").iloc[0]
    told = f"Least RAM: {least['allocator']} with {least['compressor']}, at most {least['pages_max'] / 256:.1f} MiB"
    assert told in words(result, rows)
    assert f"disksize must allow {rows['slots_max'].iloc[0] / 256:.1f} MiB" in words(result, rows)
    assert "disksize" in words(result, rows.assign(density=float("nan"), small=True)), "same-filled pages take no RAM"
    other = words(result, rows.assign(frontend="zswap:ram_pages=9", refused=1))
    assert "disksize" not in other
    assert "RAM: " not in other


def test_each_row_has_a_name(result: Result) -> None:
    other = result.density.assign(frontend="zswap:ram_pages=51200")
    assert "redis zswap lz4" in words(result, pd.concat([result.density, other]))


def test_confirmed_sizes_are_told() -> None:
    shown = good("run", "redis", "-a", "zbud", "-c", "lz4")
    number = shown.partition(" ")[0]
    assert shown.startswith(f"{number} of {number} sizes confirmed by compressing the samples' pages here.\n")
    assert int(number.replace(",", "")) > 1000


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


@pytest.mark.parametrize(("number", "told"), [(1, "1 more allocator"), (2, "2 more allocators")])
def test_one_is_told_in_the_singular(number: int, told: str) -> None:
    assert _more(number, "allocators") == told
