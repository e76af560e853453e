"""Traces of data frames, and data frames of traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import trace_kit

from sim.plugins import GENERATORS
from workloads import GIVEN, Sizes, Trace, TraceError, verify

PAGES = np.random.default_rng(0).integers(0, 256, (3, 64), np.uint8)


def frame(**columns: Any) -> pd.DataFrame:
    base = {"kind": ["out", "out", "in"], "slot": [8, 16, 8], "page": [0, 1, None], "time_s": [0, 0.5, 2.5]}
    return pd.DataFrame({**base, **columns})


@pytest.mark.parametrize("name", ["tiny", "named", "bimodal"])
def test_round_trip(name: str, tmp_path: Path) -> None:
    if name == "bimodal":
        trace = GENERATORS.find(name)(events=3_000, slots=300).trace()
    else:
        trace = trace_kit.tiny()
    if name == "named":
        table = trace.to_dataframe()
        table["slot"] = np.where(
            table["kind"] == "compact", 0, table["slot"].to_numpy(np.uint64) + np.uint64(2**64 - 9)
        )
        trace = Trace.from_dataframe(table, trace.page_array(0, 5), name="tiny", page_size=64, source=trace.source)
        assert trace.n_slots == 5
    table = trace.to_dataframe()
    assert table["kind"].dtype == "category"
    pages = trace.page_array(0, trace.unique_pages) if trace.content else None
    sizes = {codec: trace.sizes(codec) for codec in trace.sizes_codecs()} or None
    given = {"name": trace.name, "page_size": trace.page_size, "source": trace.source}
    same = Trace.from_dataframe(table, pages, sizes, **given)
    assert trace_kit.same_traces(trace, same)
    saved = same.save(tmp_path / "t.cswap")
    verify(tmp_path / "t.cswap")
    assert trace_kit.same_traces(Trace.open(tmp_path / "t.cswap"), saved)
    pd.testing.assert_frame_equal(saved.to_dataframe(), table)
    written = pd.read_csv(table.to_csv(tmp_path / "t.csv") or tmp_path / "t.csv")
    assert Trace.from_dataframe(written, pages, sizes, **given).digest == trace.digest


def test_pages_as_array_or_file(tmp_path: Path) -> None:
    PAGES.tofile(tmp_path / "pages.bin")
    of_array = Trace.from_dataframe(frame(), PAGES, page_size=64)
    of_file = Trace.from_dataframe(frame(), tmp_path / "pages.bin", page_size=64)
    assert (
        of_array.digest == of_file.digest == Trace.from_dataframe(frame(), f"{tmp_path}/pages.bin", page_size=64).digest
    )
    assert of_array.duration_s == 2.5


def test_the_all_zero_page_needs_no_number() -> None:
    trace = Trace.from_dataframe(frame(kind=["out", "out0", "in"], page=[2, None, None]), PAGES, page_size=64)
    assert trace_kit.all_events(trace).page.tolist() == [2, 3, -1]
    assert not trace.page_array(3, 4).any()


def test_sizes_by_page_by_codec_or_by_row() -> None:
    by_page = Trace.from_dataframe(frame(), sizes=[10, 20])
    assert by_page.sizes_codecs() == [GIVEN]
    by_codec = Trace.from_dataframe(frame(), sizes={"lz4": [10, 20], "zstd": Sizes.given([9, 8])})
    assert by_codec.sizes_codecs() == ["lz4", "zstd"]
    by_row = Trace.from_dataframe(frame(size=[10, 20, None]).drop(columns="page"))
    assert trace_kit.same_events(trace_kit.all_events(by_page), trace_kit.all_events(by_row))
    assert by_page.digest == by_row.digest


def test_slots_of_compactions_are_not_looked_at() -> None:
    trace = Trace.from_dataframe(frame(kind=["out", "compact", "in"], slot=[8, None, 8]), PAGES, page_size=64)
    assert trace_kit.all_events(trace).slot.tolist() == [8, 0, 8]


def test_units_and_dates() -> None:
    table = frame().drop(columns="time_s")
    for column, values, unit in [
        ("ts", [0, 500, 2500], "ms"),
        ("time_us", [0, 500_000, 2_500_000], None),
        ("ts_ns", [0, 500_000_000, 2_500_000_000], None),
        ("time", pd.to_datetime([0, 500, 2500], unit="ms"), None),
        ("ts_ns", pd.to_datetime([0, 500, 2500], unit="ms").astype("datetime64[ms]"), None),
    ]:
        trace = Trace.from_dataframe(table.assign(**{column: values}), PAGES, page_size=64, unit=unit)
        assert trace_kit.all_events(trace).columns()["time_ns"].tolist() == [0, 500_000_000, 2_500_000_000]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"time_ns": [0.0, 0.5, 2.5]}, "frame: column time_ns: is float64; give whole nanoseconds, or call the column"),
        ({"time_ns": [0.0, 1.0, 2.0]}, "frame: column time_ns: is float64"),
        ({"slot": [8, None, 8]}, "events: column slot, row 1: is missing"),
        ({"page": [0, None, 1]}, "events: column page, row 1: is missing"),
        ({"page": [0, 7, None]}, "frame: row 1: page 7 does not exist"),
        ({"slot": [8, -1, 8]}, "frame: row 1: slot -1 is negative"),
        ({"kind": [0, 0, 5]}, "frame: column kind, row 2: kind 5 is unknown; kinds are 0 (out) to 4 (lost)"),
        ({"kind": ["out", "out", 3]}, "events: column kind, row 2: kind 3 is unknown"),
        ({"pid": [1, None, 1]}, "events: column pid, row 1: is missing"),
        ({"time_s": [0, 2, 1]}, "frame: row 2: time 1000000000 ns is before the row above"),
    ],
)
def test_what_cannot_be_right_is_told(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(TraceError) as caught:
        Trace.from_dataframe(frame(**columns), PAGES, page_size=64)
    assert str(caught.value).startswith(message)


def test_columns_that_are_missing_are_told() -> None:
    with pytest.raises(TraceError, match="has no column size, and there are no pages"):
        Trace.from_dataframe(frame())
    with pytest.raises(TraceError, match="has no column slot; the header is"):
        Trace.from_dataframe(frame().drop(columns="slot"), PAGES, page_size=64)
    with pytest.raises(TraceError, match="column size, row 1: is 0; give bytes after compression"):
        Trace.from_dataframe(frame(size=[10, 0, None]))
