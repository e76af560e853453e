"""What the importer does besides reading: order, privacy, bounds, what is kept of what is damaged."""

from __future__ import annotations

import gzip
import lzma
import stat
from pathlib import Path

import numpy as np
import pytest
import trace_kit
import zstandard
from reader_examples import EXAMPLES

from sim import import_trace
from sim.errors import UserError
from workloads import Trace, TraceError
from workloads.limits import lifted
from workloads.readers.contents import drawn

PACK = {".gz": gzip.compress, ".zst": zstandard.compress, ".xz": lzma.compress}


def imported(folder: Path, name: str, text: str, **options: object) -> Trace:
    (folder / name).write_text(text)
    return import_trace(folder / name, folder / f"{name}.cswap", **options)  # type: ignore[arg-type]


def msr(*ms: int) -> str:
    return "".join(f"{128166372003061629 + t * 10_000},h,0,Write,{4096 * i},4096,1\n" for i, t in enumerate(ms))


def test_events_that_come_a_little_late_are_put_in_order(tmp_path: Path) -> None:
    trace = imported(tmp_path, "m", msr(0, 500, 1, 2000, 1001, 2000))
    assert trace_kit.all_events(trace).slot.tolist() == [0, 2, 1, 4, 3, 5]


def test_what_comes_too_late_ends_the_trace(tmp_path: Path) -> None:
    text = msr(0, 5000, 5001, 3000, 9000)
    with pytest.raises(TraceError, match="event 3: is more than 1 s before one above it"):
        imported(tmp_path, "m", text)
    trace = imported(tmp_path, "kept", text, keep_going=True)
    assert trace_kit.all_events(trace).slot.tolist() == [0, 1, 2]
    assert "event 3" in trace.source["lost"]


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("kib", [40, 1000])
def test_a_cut_packed_file_keeps_what_can_be_unpacked(tmp_path: Path, suffix: str, kib: int) -> None:
    data = np.random.default_rng(0).integers(0, 256, kib << 10, np.uint8).tobytes()
    packed = PACK[suffix](data)
    path = tmp_path / f"dump{suffix}"
    path.write_bytes(packed[: len(packed) * 3 // 4])
    with pytest.raises(TraceError, match="decompressed bytes"):
        import_trace(path, tmp_path / "t.cswap", format="dump")
    if kib > 500:  # zstd has blocks of 128 KiB
        trace = import_trace(path, tmp_path / "t.cswap", keep_going=True)
        assert kib / 4 * 0.55 < trace.n_events <= kib / 4 * 0.75
        assert trace.page_array(0, 9).tobytes() == data[: 9 << 12]


@pytest.mark.parametrize("private", ["c.tsv", "c.pages"])
def test_a_trace_is_as_private_as_any_file_that_was_read(tmp_path: Path, private: str) -> None:
    EXAMPLES["quetschn"].put(tmp_path)
    (tmp_path / private).chmod(0o600)
    import_trace(tmp_path / "c.tsv", tmp_path / "t.cswap")
    imported(tmp_path, "m", msr(0), pages=str(tmp_path / "c.tsv"))
    for name in ("t.cswap", "m.cswap"):
        assert stat.S_IMODE((tmp_path / name / "pages.parquet").stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0


def test_contents_of_a_private_trace_stay_private(tmp_path: Path) -> None:
    import_trace(EXAMPLES["lime"].put(tmp_path), tmp_path / "s.cswap")
    (tmp_path / "s.cswap" / "pages.parquet").chmod(0o600)
    imported(tmp_path, "m", msr(0), pages=str(tmp_path / "s.cswap"))
    assert stat.S_IMODE((tmp_path / "m.cswap" / "pages.parquet").stat().st_mode) & 0o077 == 0


def test_a_short_text_does_not_become_any_number_of_events(tmp_path: Path) -> None:
    rows = "".join(f"/d write {i << 30} 1073741824\n" for i in range(2))
    with lifted(1 << 20), pytest.raises(TraceError, match=r"--max-bytes"):
        imported(tmp_path, "f", f"fio version 2 iolog\n/d add\n{rows}")


def test_a_discard_frees_whole_pages_only(tmp_path: Path) -> None:
    text = "fio version 2 iolog\n/d add\n/d write 0 16384\n/d trim 512 512\n/d trim 4095 8194\n"
    trace = imported(tmp_path, "f", text)
    assert trace.counts["free"] == 2
    assert trace_kit.all_events(trace).slot.tolist() == [0, 1, 2, 3, 1, 2]


def test_what_cannot_be_unpacked_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "x.gz").write_text("no gzip")
    with pytest.raises(TraceError, match="after 0 decompressed bytes: cannot be read"):
        import_trace(tmp_path / "x.gz", tmp_path / "t.cswap")


def test_pages_are_drawn_by_the_number_of_the_page_out_alone() -> None:
    whole = drawn(0, 10_000, 97)
    assert np.array_equal(np.concatenate([drawn(0, 3, 97), drawn(3, 9_997, 97)]), whole)
    assert whole[:8].tolist() == [1, 55, 55, 54, 5, 25, 60, 82]
    counts = np.bincount(whole, minlength=97)
    assert 60 < counts.min() <= counts.max() < 150


def test_a_recipe_has_the_page_size_that_it_says(tmp_path: Path) -> None:
    text = "page_size = 16384\nevents = 20\nslots = 10\n[contents.a]\nkind = 'zero'\n[[patterns]]\nkind = 'growth'\n"
    assert imported(tmp_path, "r.toml", text).page_size == 16384
    with pytest.raises(UserError, match="is a recipe of pages of 16384 bytes"):
        import_trace(tmp_path / "r.toml", tmp_path / "other.cswap", page_size=4096)
