"""Samples of memory beside the events: kept, dropped, and checked as a stranger's."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trace_kit
from forging import rewrite_header

from workloads import Sizes, Trace, TraceError, TraceWriter, info, open_trace, sample_slots, strip_trace, verify
from workloads.traces.memory import COLUMNS, UNKNOWN


def samples(count: int = 4, **columns: Any) -> pd.DataFrame:
    """A program of 400 bytes, a quarter of it files, on a kernel that tells no page tables."""
    fixed = {"limit": 500, "used": 400, "anon": 280, "shmem": 0, "file": 100, "swap_cached": 0, "kernel": 20, "pool": 9}
    return pd.DataFrame({"time_ns": np.arange(count) * 10, **fixed, **columns})


def sampled(frame: pd.DataFrame | None = None) -> Trace:
    tiny = trace_kit.tiny()
    memory = samples() if frame is None else frame
    pages = tiny.page_array(0, 5)
    return Trace.from_arrays("tiny", trace_kit.all_events(tiny), pages, page_size=64, memory=memory)


def same(trace: Trace, frame: pd.DataFrame) -> bool:
    return trace.memory is not None and trace.memory.to_dict("list") == frame.to_dict("list")


def test_in_memory_on_disk_and_pickled_alike(tmp_path: Path) -> None:
    trace = sampled()
    saved = trace.save(tmp_path / "t.cswap")
    verify(tmp_path / "t.cswap")
    for one in (trace, saved, pickle.loads(pickle.dumps(saved))):
        trace_kit.check(one)
        assert one.memory is not None
        assert set(one.memory.columns) == set(COLUMNS) - {"page_tables"}, "what the kernel does not tell is no column"
        assert same(one, samples()[list(one.memory.columns)])
        assert one.digest == trace.digest
    assert trace.digest != trace_kit.tiny().digest
    assert set(pd.read_parquet(tmp_path / "t.cswap" / "memory.parquet")["page_tables"]) == {UNKNOWN}


def test_a_trace_without_is_as_it_was(tmp_path: Path) -> None:
    saved = trace_kit.tiny().save(tmp_path / "t.cswap")
    assert saved.memory is None
    assert not (tmp_path / "t.cswap" / "memory.parquet").exists()
    assert "memory" not in (tmp_path / "t.cswap" / "trace.json").read_text()
    facts = info(saved)
    assert (facts["memory_samples"], facts["file_share"], facts["kernel_share"]) == (0, None, None)


def test_the_mean_share_of_files() -> None:
    facts = info(sampled(samples(2, file=[100, 300], used=[400, 1200], kernel=[0, 16])))
    assert (facts["memory_samples"], facts["file_share"], facts["kernel_share"]) == (2, 0.25, 0.01)
    assert info(sampled(samples(used=0)))["file_share"] is None
    assert info(sampled(samples(kernel=UNKNOWN)))["kernel_share"] is None


def test_added_in_parts(tmp_path: Path) -> None:
    with TraceWriter(tmp_path / "t.cswap", 64, {}) as writer:
        writer.add_events(trace_kit.all_events(trace_kit.tiny())[:0])
        writer.add_memory(None)
        writer.add_memory(samples(2))
        writer.add_memory(samples(3, time_ns=[10, 20, 30]))
    trace = open_trace(tmp_path / "t.cswap")
    assert trace.memory is not None
    assert trace.memory["time_ns"].tolist() == [0, 10, 10, 20, 30]
    with pytest.raises(TraceError, match="row 2: time_ns is less"):
        backwards(tmp_path / "u.cswap")
    assert not (tmp_path / "u.cswap").exists()


def backwards(path: Path) -> None:
    with TraceWriter(path, 64, {}) as writer:
        writer.add_memory(samples(2))
        writer.add_memory(samples(2))


def test_samples_are_of_the_whole_program(tmp_path: Path) -> None:
    trace = sampled()
    assert same(sample_slots(trace, 1.0, 0), samples())
    assert sample_slots(trace, 0.5, 0).memory is None
    assert same(strip_trace(trace, tmp_path / "s.cswap", {"lz4": Sizes.given(range(1, 6))}), samples())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"time_ns": [0, 2, 1, 3]}, "row 2: time_ns is less than the one before"),
        ({"anon": [0, -2, 0, 0]}, "row 1: anon is no number of bytes"),
        ({"limit": [0, 0, 0, 1 << 62]}, "row 3: limit is no number of bytes"),
        ({"file": 1}, "digest: of the samples is not that of trace.json"),
    ],
)
def test_a_strangers_samples_are_checked(columns: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = tmp_path / "t.cswap"
    sampled().save(folder)
    table = pq.read_table(folder / "memory.parquet")
    frame = table.to_pandas().assign(**columns)
    pq.write_table(pa.Table.from_pandas(frame, table.schema, preserve_index=False), folder / "memory.parquet")
    with pytest.raises(TraceError, match=rf"memory\.parquet: {message}"):
        _ = open_trace(folder).memory
    with pytest.raises(TraceError, match=rf"memory\.parquet: {message}"):
        verify(folder)


def test_a_strangers_file_is_checked(tmp_path: Path) -> None:
    folder = tmp_path / "t.cswap"
    sampled().save(folder)
    file = folder / "memory.parquet"
    pq.write_table(pq.read_table(file).drop_columns("pool"), file)
    with pytest.raises(TraceError, match=r"memory\.parquet: columns: are time_ns int64, .* not time_ns int64"):
        open_trace(folder)
    file.unlink()
    with pytest.raises(TraceError, match=r"memory\.parquet: file: is missing"):
        open_trace(folder)
    file.symlink_to("/dev/zero")
    with pytest.raises(TraceError, match=r"memory\.parquet: .*link"):
        open_trace(folder)
    rewrite_header(folder, lambda body: body["digests"].pop("memory") and None)
    assert open_trace(folder).memory is None, "without its digest there is none"


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"anon": 1.5}, "column anon: is float64, not int64"), ({"time_ns": [3, 2, 1, 0]}, "row 1: time_ns is less")],
)
def test_given_samples_are_checked(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError, match=message):
        sampled(samples(**columns))
