"""Contents and sizes of a trace before any run: against plain loops, and against a run."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import platformdirs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import Analysis, Experiment, run
from sim.analysis.facts import facts
from sim.errors import UserError
from sim.plugins import COMPRESSORS, make_allocator
from sim.sizing.sizing import size_pages
from workloads import LOST, OUT, Events, Sizes, Trace, open_sample, sample_slots, save_trace

mpl.use("Agg")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(folder / name))


def page(kind: int) -> bytes:
    """Zeros, a repeated word, noise that no codec can shrink, or text."""
    noise = np.random.default_rng(kind).bytes(4096)
    return (bytes(4096), bytes([7]) * 4096, noise, (f"page {kind} " * 999).encode()[:4096])[min(kind, 3)]


def trace_of(writes: list[int], content: bool = True) -> Trace:
    """A page-out a write, to slots in turn; -1 is lost."""
    pages = np.frombuffer(b"".join(page(i) for i in range(6)), np.uint8).reshape(6, 4096)
    kind = [LOST if one < 0 else OUT for one in writes]
    trace = Trace.from_arrays("drawn", Events.of(kind, np.arange(len(writes)) % 4, np.array(writes, int)), pages)
    if content:
        return trace
    sizes = {"lz4": size_pages(trace, COMPRESSORS.make("lz4"))}
    return Trace.from_arrays("drawn", next(trace.batches(), Events.of([], [], [])), None, sizes)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-1, 5), max_size=30), st.booleans())
def test_contents_and_sizes_are_those_of_a_loop(writes: list[int], content: bool) -> None:
    found = Analysis(trace_of(writes, content), ("lz4",) if content else ())
    outs = [one for one in writes if one >= 0]
    codec = COMPRESSORS.make("lz4")
    sizes = {one: len(codec.compress(page(one))) for one in set(outs)}
    frame = found.df_contents().set_index("what")
    want = {
        "zero_filled": outs.count(0),
        "same_filled": outs.count(0) + outs.count(1),
        "duplicate": len(outs) - len(set(outs)),
        "incompressible": outs.count(2),
    }
    assert frame["page_outs"].to_dict() == want
    assert all(
        frame["share"].isna() if not outs else frame["share"] == [number / len(outs) for number in want.values()]
    )
    kept = [one for one in outs if one > 1]
    rows = found.df_sizes()
    steps = Counter(-(-sizes[one] // 8) * 8 for one in kept)
    assert dict(zip(rows["bytes"], rows["page_outs"], strict=True)) == steps
    classes = make_allocator("zsmalloc", 4096).size_class_of(np.arange(4097))
    for size, most in zip(rows["bytes"], rows["class_bytes"], strict=True):
        assert most == max(np.flatnonzero(classes == classes[min(size, 4096)]))
    told = facts(found.trace, found)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    lz4 = told["compressors"]["lz4"]
    assert sum(row["page_outs"] for row in lz4["classes"]) == lz4["page_outs"] == len(kept)
    assert lz4["classes"][-1]["page_outs"] == lz4["incompressible"]["page_outs"]
    assert sum(row["classes"] for row in lz4["classes"]) == len(np.unique(classes))
    least = 0
    for row in lz4["classes"][:-1]:
        assert row["page_outs"] == sum(least < sizes[one] <= row["bytes"] for one in kept)
        least = row["bytes"]
    assert lz4["mean_bytes"] == (pytest.approx(np.mean([sizes[one] for one in kept])) if kept else None)


def test_a_run_counts_the_same() -> None:
    analysis = Analysis("redis")
    run_of = run(Experiment(traces=("redis",), allocators=("zsmalloc",), compressors=("lz4",)))
    frame = analysis.df_contents()
    for row in run_of.density.to_dict("records"):
        (huge,) = frame.query("what == 'incompressible' and compressor == @row['compressor']")["page_outs"]
        assert huge == row["huge"]
        assert frame.set_index("what")["page_outs"]["same_filled"] == row["same_filled"]
        assert analysis.live.peak == row["slots_max"]
    both = analysis.df_sizes().drop(columns="class_bytes").merge(run_of.sizes, on=["trace", "compressor", "bytes"])
    assert len(both) == len(run_of.sizes)
    assert (both["page_outs_x"] == both["page_outs_y"]).all()


def test_sizes_are_known_once_they_are_kept(tmp_path: Path) -> None:
    save_trace(sample_slots(open_sample("redis"), 0.1, seed=0), tmp_path / "small.cswap")
    name = str(tmp_path / "small.cswap")
    before = Analysis(name)
    assert (list(before.sizes), len(before.df_sizes())) == ([], 0)
    with pytest.raises(UserError, match="no compressed sizes are known"):
        before.plot_sizes()
    assert list(Analysis(name, ("lzo",)).sizes) == ["lzo"]
    after = Analysis(name)
    assert list(after.sizes) == ["lzo"]
    columns = ["what", "page_outs"]
    assert before.df_contents()[columns].equals(after.df_contents()[columns][:3]), "from contents, and from sizes"


def test_what_a_trace_cannot_tell() -> None:
    events = Events.of([OUT, OUT, OUT], [0, 1, 2], [0, 1, 2])
    alone = Analysis(Trace.from_arrays("t", events, None, {"given": Sizes.given([100, 200, 4096])}))
    assert alone.df_contents()["page_outs"].fillna(-1).tolist() == [-1, -1, -1, 1]
    zeros = Sizes.given([1, 200, 4096], np.array([True, False, False]))
    told = Analysis(Trace.from_arrays("t", events, None, {"given": zeros})).df_contents()
    assert told["page_outs"].fillna(-1).tolist() == [1, -1, -1, 1]
    shared = Analysis(Trace.from_arrays("t", replace(events, page=events.page // 2), None, {"given": zeros}))
    assert shared.df_contents()["page_outs"].fillna(-1).tolist()[2] == 1
    tiny = Trace.from_arrays("t", events, np.arange(3 * 64, dtype=np.uint8).reshape(3, 64), page_size=64)
    small = Analysis(tiny, ("lz4",))
    assert small.df_contents()["page_outs"].isna().tolist() == [False, False, False, True]
    assert small.df_sizes()["class_bytes"].isna().all()
    with pytest.raises(UserError, match="no classes for pages of 64 bytes"):
        small.plot_sizes()
    assert facts(tiny, small)["compressors"]["lz4"]["classes"][0]["classes"] is None


def test_a_folder_with_all_of_it(tmp_path: Path) -> None:
    analysis = Analysis(trace_of([0, 1, 2, 3, 3, -1]), ("lz4",))
    names = {path.name for path in analysis.save(tmp_path / "out")}
    frames = {f"{name}.csv" for name in ("live", "lifetimes", "reuse", "contents", "sizes", "tasks")}
    assert names == frames | {"live.png", "lifetimes.png", "sizes.png"}, "nothing is read back"
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    with pytest.raises(UserError, match="out"):
        analysis.save(tmp_path / "out")
    plt.close("all")
