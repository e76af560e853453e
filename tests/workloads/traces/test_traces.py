from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import trace_kit
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.plugins import GENERATORS
from workloads import (
    FREE,
    IN,
    OUT,
    Events,
    Sizes,
    Trace,
    TraceError,
    open_sample,
    open_trace,
    sample_names,
    sample_slots,
    save_trace,
    verify,
    write_trace,
)
from workloads.traces.sizes import read_sizes, sizes_path, write_sizes
from workloads.traces.tally import Tally


@pytest.mark.parametrize("name", [*GENERATORS.names(), *sample_names(), "tiny", "empty"])
def test_conformance_in_memory_on_disk_and_pickled(name: str, tmp_path: Path) -> None:
    if name in GENERATORS.names():
        spec = "recipe:file=usr-lib,events=20000" if name == "recipe" else f"{name}:events=20000,slots=2000"
        trace = GENERATORS.make(spec).trace()
    elif name in sample_names():
        trace = open_sample(name)
    elif name == "empty":
        trace = Trace.from_arrays("empty", Events.of([], [], []), np.empty((0, 4096), np.uint8))
    else:
        trace = trace_kit.tiny()
    trace_kit.check(trace)
    saved = save_trace(trace, tmp_path / "t.cswap")
    trace_kit.check(saved)
    verify(tmp_path / "t.cswap")
    assert trace_kit.same_traces(trace, saved)
    assert trace_kit.same_traces(saved, pickle.loads(pickle.dumps(saved)))
    assert list(tmp_path.iterdir()) == [tmp_path / "t.cswap"]


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    n_pages = draw(st.integers(1, 4))
    contents = draw(st.lists(st.binary(min_size=64, max_size=64), min_size=n_pages, max_size=n_pages))
    pages = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, 64)
    rows = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**62), st.integers(0, n_pages - 1))))
    kind = [k for k, _, _ in rows]
    slot = [0 if k == 3 else s for k, s, _ in rows]
    page = [p if k == OUT else -1 for k, _, p in rows]
    steps = draw(st.none() | st.lists(st.integers(0, 2**40), min_size=len(rows), max_size=len(rows)))
    time = None if steps is None else np.cumsum(np.array(steps, np.int64))
    task = draw(st.none() | st.just([7] * len(rows)))
    return Trace.from_arrays("drawn", Events.of(kind, slot, page, time, task), pages, page_size=64)


@given(traces())
@settings(max_examples=40, deadline=None)
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, trace: Trace) -> None:
    path = tmp_path_factory.mktemp("round") / "drawn.cswap"
    saved = save_trace(trace, path)
    verify(path)
    if trace.n_events:
        assert trace_kit.same_traces(trace, saved)
    trace_kit.check(saved)


def test_equal_pages_become_one(tmp_path: Path) -> None:
    pages = np.zeros((4, 64), np.uint8)
    pages[2] = 1
    events = Events.of([OUT] * 4, range(4), range(4))
    memory = Trace.from_arrays("twins", events, pages, page_size=64)
    disk = write_trace(tmp_path / "twins.cswap", 64, {}, [events], [pages[:3], pages[3:]])
    assert trace_kit.same_traces(memory, disk)
    assert memory.unique_pages == 2
    assert trace_kit.all_events(memory).page.tolist() == [0, 0, 1, 0]


def test_without_contents_it_is_copied_whole(tmp_path: Path) -> None:
    sizes = {"lz4": Sizes.given(range(1, 6))}
    trace = Trace.from_arrays("t", trace_kit.all_events(trace_kit.tiny()), None, sizes, page_size=64)
    copied = save_trace(trace, tmp_path / "s.cswap")
    trace_kit.check(copied)
    verify(tmp_path / "s.cswap")
    assert trace_kit.same_traces(copied, trace)
    assert not (tmp_path / "s.cswap" / "pages.parquet").exists()
    with pytest.raises(TraceError, match="no contents"):
        copied.page_array(0, 1)


def test_readable_with_plain_pandas(tmp_path: Path) -> None:
    trace = save_trace(trace_kit.tiny(), tmp_path / "t.cswap")
    frame = pd.read_parquet(tmp_path / "t.cswap" / "events.parquet")
    assert list(frame) == ["kind", "slot", "page", "time_ns", "task"]
    assert frame["kind"].tolist() == trace_kit.all_events(trace).kind.tolist()
    content = pd.read_parquet(tmp_path / "t.cswap" / "pages.parquet")["content"]
    assert content[0] == trace.page_array(0, 1).tobytes()


def test_streams_row_group_by_row_group(tmp_path: Path) -> None:
    """Many groups of pages and of events; what is held at once stays one group."""
    rng = np.random.default_rng(1)
    pages = rng.integers(0, 256, (2_500, 64), np.uint8)
    n = 600_000
    events = Events.of(np.zeros(n), np.arange(n), np.arange(n) % 2_500)
    parts = (events[i : i + 1000] for i in range(0, n, 1000))
    trace = write_trace(tmp_path / "big.cswap", 64, {}, parts, iter(np.array_split(pages, 7)))
    trace_kit.check(trace)
    assert max(map(len, trace.batches(1000))) == 1000
    group = trace.page_array(0, 10).base
    assert group is not None
    assert group.nbytes == 1024 * 64
    assert np.array_equal(trace.page_array(1000, 2100), pages[1000:2100])


def test_a_refused_or_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    trace = trace_kit.tiny()
    bad = Events.of([OUT, OUT], [0, 1], [0, 99])
    with pytest.raises(TraceError, match=r"x\.cswap: row 1: page 99 does not exist"):
        write_trace(tmp_path / "x.cswap", 64, {}, [bad], trace.page_batches())

    def interrupted() -> object:
        yield trace_kit.all_events(trace)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_trace(tmp_path / "x.cswap", 64, {}, interrupted(), trace.page_batches())  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    save_trace(trace, tmp_path / "x.cswap")
    with pytest.raises(TraceError, match="exists; remove it"):
        save_trace(trace, tmp_path / "x.cswap")
    with pytest.raises(TraceError, match="create it first"):
        save_trace(trace, tmp_path / "no" / "x.cswap")


BAD_EVENTS = {
    "kind 9": Events.of([OUT, 9], [0, 0], [0, -1]),
    "slot -1": Events.of([OUT, IN], [0, -1], [0, -1]),
    "page 5": Events.of([OUT, OUT], [0, 1], [0, 5]),
    "page -1 does": Events.of([OUT, OUT], [0, 1], [0, -1]),
    "page 0 on a row": Events.of([OUT, FREE], [0, 0], [0, 0]),
    "a compaction has slot 3": Events.of([OUT, 3], [0, 3], [0, -1]),
    "time 4 ns": Events.of([OUT, OUT], [0, 1], [0, 0], [5, 4]),
}


@pytest.mark.parametrize("message", BAD_EVENTS)
def test_bad_events_are_refused_by_row(message: str) -> None:
    with pytest.raises(TraceError, match=f"t: row 1: {message}"):
        Trace.from_arrays("t", BAD_EVENTS[message], trace_kit.tiny().page_array(0, 5), page_size=64)


def test_wrong_arrays_are_refused() -> None:
    events, pages = Events.of([OUT], [0], [0]), np.zeros((1, 64), np.uint8)
    with pytest.raises(TraceError, match="neither pages nor sizes"):
        Trace.from_arrays("t", events, None)
    with pytest.raises(TraceError, match=r"give uint8\[n, 4096\]"):
        Trace.from_arrays("t", events, pages)
    with pytest.raises(TraceError, match="2 rows for 1 unique pages"):
        Trace.from_arrays("t", events, pages, {"lz4": Sizes.given([1, 2])}, page_size=64)
    with pytest.raises(TraceError, match="column slot"):
        Events(events.kind, events.slot[:0], events.page)
    tally = Tally("t")
    tally.add(events, 1)
    with pytest.raises(TraceError, match="row 1: time_ns or task begins or ends here"):
        tally.add(Events.of([OUT], [0], [0], [0]), 1)


def test_sampling_keeps_whole_histories() -> None:
    whole = open_sample("pandas")
    sample = sample_slots(whole, 0.3, seed=1)
    trace_kit.check(sample)
    assert 0.2 < sample.n_events / whole.n_events < 0.4
    assert sample.source["sample"]["of"]["out"] == whole.counts["out"]
    assert sample.digest == sample_slots(whole, 0.3, seed=1).digest
    assert sample.digest != sample_slots(whole, 0.3, seed=2).digest
    events = trace_kit.all_events(sample)
    used, first = np.unique(events.slot, return_index=True)
    assert np.array_equal(used, np.arange(sample.n_slots))
    assert (np.diff(first) > 0).all(), "slots are numbered in order of first use"
    every = sample_slots(whole, 1.0, seed=1)
    assert every.counts == whole.counts
    assert every.unique_pages == whole.unique_pages


def test_samples_are_sound_and_small() -> None:
    assert sample_names() == ["gcc", "node", "pandas", "redis"]
    total = 0
    for name in sample_names():
        trace = open_sample(name)
        assert trace.path is not None
        verify(trace.path)
        total += sum(f.stat().st_size for f in trace.path.glob("*") if f.is_file())
        assert trace.counts["in"] > 500, "there is churn"
        assert trace.counts["lost"] == 0
        assert {"command", "limit", "kernel", "vmstat", "sample"} <= trace.source.keys(), "it can be made again"
    assert total <= 8_000_000
    with pytest.raises(TraceError, match="use one of gcc, node, pandas, redis"):
        open_sample("firefox")


def test_import_is_light() -> None:
    code = "import sys, workloads; print([m for m in ('numpy', 'pandas', 'pyarrow') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_open_reads_no_rows(tmp_path: Path) -> None:
    """Damage inside is found by verify, not by open."""
    save_trace(open_sample("pandas"), tmp_path / "t.cswap")
    file = tmp_path / "t.cswap" / "pages.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert open_trace(tmp_path / "t.cswap").unique_pages
    with pytest.raises(TraceError, match=r"pages\.parquet"):
        verify(tmp_path / "t.cswap")


def test_sizes_read_back_are_writable(tmp_path: Path) -> None:
    path = sizes_path(tmp_path, "codec")
    write_sizes(path, Sizes.given([1, 2, 3]))
    assert all(column.flags.writeable for column in read_sizes(path).columns().values())
