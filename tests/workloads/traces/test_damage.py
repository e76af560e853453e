"""Whatever happens to the bytes of a trace, it is noticed, in one line that names the file."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trace_kit

from workloads import Sizes, Trace, TraceError, open_trace, read_sizes, save_trace, verify, write_sizes

FILES = ("trace.json", "events.parquet", "pages.parquet", "sizes/lz4.parquet")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny = trace_kit.tiny()
    sizes = Sizes.given(range(10, 15))
    sizes.meta.update(codec="lz4", version="1", pages=tiny.pages_digest)
    pages = tiny.page_array(0, 5)
    trace = Trace.from_arrays("t", trace_kit.all_events(tiny), pages, {"lz4": sizes}, page_size=64)
    save_trace(trace, tmp_path / "t.cswap")
    verify(tmp_path / "t.cswap")
    return tmp_path / "t.cswap"


def problem(folder: Path) -> str | None:
    try:
        verify(folder)
    except TraceError as error:
        message = str(error)
    else:
        return None
    assert "\n" not in message
    assert message.count(": ") >= 2
    assert "; " in message
    return message


@pytest.mark.parametrize("name", ["events.parquet", "pages.parquet"])
def test_every_flipped_byte_is_found(folder: Path, name: str) -> None:
    good = (folder / name).read_bytes()
    rng = random.Random(0)
    places = rng.sample(range(len(good)), min(len(good), 400))
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(bad)
        found = problem(folder)
        assert found is not None, f"byte {place} of {name}"
        assert name in found


@pytest.mark.parametrize("name", ["trace.json", "sizes/lz4.parquet"])
def test_a_flipped_byte_is_found_or_means_nothing(folder: Path, name: str) -> None:
    """Blanks in JSON, and fields of a Parquet footer that nobody reads, may change unseen."""
    good = (folder / name).read_bytes()
    before = trace_kit.all_events(open_trace(folder))
    sizes, unseen = read_sizes(folder / "sizes/lz4.parquet"), 0
    for place in range(0, len(good), 3):
        bad = bytearray(good)
        bad[place] ^= 4
        (folder / name).write_bytes(bad)
        if problem(folder) is None:
            unseen += 1
            trace = open_trace(folder)
            assert trace_kit.same_events(trace_kit.all_events(trace), before)
            again = trace.sizes("lz4")
            assert again is not None
            assert again.digest() == sizes.digest()
    assert unseen < len(good) / 6


@pytest.mark.parametrize("name", FILES)
def test_truncated_file_fails_to_open(folder: Path, name: str) -> None:
    file = folder / name
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(TraceError, match=name):
        open_trace(folder).sizes("lz4")


@pytest.mark.parametrize("name", FILES[:3])
def test_missing_file_fails_to_open(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(TraceError, match=f"{name}: file: is missing"):
        open_trace(folder)


def test_no_folder_and_no_rows(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="is no trace"):
        open_trace(tmp_path / "nowhere")
    pq.write_table(pq.read_table(folder / "events.parquet").slice(1), folder / "events.parquet")
    with pytest.raises(TraceError, match=r"rows: are 8, trace\.json says 9"):
        open_trace(folder)


def rewrite_header(folder: Path, **changes: object) -> None:
    path = folder / "trace.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_other_versions_and_edited_headers(folder: Path) -> None:
    rewrite_header(folder, format=2)
    with pytest.raises(TraceError, match=r"trace\.json: format: is 2, this cswap reads 1"):
        open_trace(folder)
    rewrite_header(folder, format=1, unique_pages=4)
    with pytest.raises(TraceError, match="does not match the rest"):
        open_trace(folder)
    (folder / "trace.json").write_text("[1]")
    with pytest.raises(TraceError, match="format: is None"):
        open_trace(folder)


def rewrite_events(folder: Path, column: str, row: int, value: int) -> None:
    """Write well-formed Parquet with one other value."""
    table = pq.read_table(folder / "events.parquet")
    frame: pd.DataFrame = table.to_pandas()
    frame.loc[row, column] = value
    pq.write_table(pa.Table.from_pandas(frame, table.schema), folder / "events.parquet")


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("kind", 6, 8, "row 6: kind 8 is unknown"),
        ("slot", 2, -4, "row 2: slot -4 is negative"),
        ("page", 3, 5, "row 3: page 5 does not exist"),
        ("page", 5, 1, "row 5: page 1 on a row that is not a page-out"),
        ("time_ns", 4, 1, "row 4: time 1 ns is before the row above"),
        ("slot", 2, 3, "events_digest: is"),
    ],
)
def test_verify_names_the_row(folder: Path, column: str, row: int, value: int, message: str) -> None:
    rewrite_events(folder, column, row, value)
    found = problem(folder)
    assert found is not None
    assert f"events.parquet: {message}" in found


def test_a_page_stored_twice_is_named(folder: Path) -> None:
    table = pq.read_table(folder / "pages.parquet")
    pq.write_table(table.take([0, 1, 2, 1, 4]), folder / "pages.parquet")
    assert "pages.parquet: row 3: holds the same page" in (problem(folder) or "")


def test_other_columns_are_refused(folder: Path) -> None:
    table = pq.read_table(folder / "events.parquet")
    pq.write_table(table.drop_columns(["slot"]), folder / "events.parquet")
    with pytest.raises(TraceError, match=r"events\.parquet: columns: are kind uint8, page int32"):
        open_trace(folder)


def test_sizes_of_other_pages_are_found(folder: Path) -> None:
    sizes = read_sizes(folder / "sizes/lz4.parquet")
    assert sizes.meta["codec"] == "lz4"
    sizes.meta["pages"] = "0"
    write_sizes(folder / "sizes/lz4.parquet", sizes)
    assert "lz4.parquet: meta: is of other pages" in (problem(folder) or "")
    write_sizes(folder / "sizes/lz4.parquet", sizes.take(np.arange(3)))
    with pytest.raises(TraceError, match="3 rows for 5 unique pages"):
        open_trace(folder).sizes("lz4")
    with pytest.raises(TraceError, match="not a codec name"):
        open_trace(folder).sizes("../lz4")


def test_progress_reaches_its_total(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    verify(folder, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (14, 14)
