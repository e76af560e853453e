"""What holds for every reader: recognised, imported, whole or in part, packed or not."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest
import trace_kit
import zstandard
from reader_examples import EXAMPLES, NONE, Example

from sim import import_trace
from sim.experiment.importing import format_of
from sim.plugins import READERS
from workloads import Trace, TraceError, verify
from workloads.readers.input import Head
from workloads.traces.stripping import FORMATS

PACK = {".gz": gzip.compress, ".zst": zstandard.compress, ".xz": lzma.compress}
ALL = pytest.mark.parametrize("name", EXAMPLES)


def counts(trace: Trace) -> tuple[int, int, int]:
    return trace.counts["out"], trace.counts["in"], trace.counts["free"]


def known(example: Example) -> tuple[int, int, int]:
    return example.outs, example.ins, example.frees


def test_every_reader_has_an_example() -> None:
    assert set(READERS.names()) == set(EXAMPLES) | NONE


def test_a_stripped_trace_keeps_its_format() -> None:
    assert set(FORMATS.split("|")) == set(READERS.names())


@ALL
def test_a_file_is_recognised_and_imported(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = EXAMPLES[name].put(tmp_path / "in")
    assert format_of(file) == name
    assert [other for other in READERS.names() if other != "dump" and READERS.find(other).sniff(Head.of(file))] == (
        [] if name == "dump" else [name]
    )
    trace = import_trace(file, tmp_path / "t.cswap")
    verify(tmp_path / "t.cswap")
    trace_kit.check(trace)
    assert trace.source["kind"] == name
    if not READERS.find(name).references:
        assert counts(trace) == known(EXAMPLES[name])


@ALL
def test_a_packed_file_is_the_same(name: str, tmp_path: Path) -> None:
    files, file, *_ = EXAMPLES[name]
    if len(files) > 1:
        pytest.skip("a format of several files")
    (tmp_path / file).write_bytes(files[file])
    want = import_trace(tmp_path / file, tmp_path / "want.cswap").digest
    for suffix, pack in PACK.items():
        packed = tmp_path / (file + suffix)
        packed.write_bytes(pack(files[file]))
        assert format_of(packed) == name
        assert import_trace(packed, tmp_path / f"t{suffix}.cswap").digest == want


@ALL
def test_what_comes_before_the_end_of_a_cut_file_is_kept(name: str, tmp_path: Path) -> None:
    example = EXAMPLES[name]
    whole = import_trace(example.put(tmp_path), tmp_path / "whole.cswap", format=name)
    rows = _rows(whole)
    which = max(example.files, key=lambda one: len(example.files[one]))
    data, kept = example.files[which], set[int]()
    for part in range(1, 8):
        (tmp_path / which).write_bytes(data[: len(data) * part // 8 - part])
        out = tmp_path / f"t{part}.cswap"
        try:
            trace = import_trace(tmp_path / example.file, out, format=name, keep_going=True)
        except TraceError:
            assert not out.exists()
            continue
        verify(out)
        kept.add(trace.n_events)
        if not READERS.find(name).references and name != "ariadne":  # whose page-ins are in another file
            assert _rows(trace) == rows[: trace.n_events]
    assert len(kept) > 1


def _rows(trace: Trace) -> list[tuple[int, int]]:
    """Kinds and slots as the file calls them."""
    events, names = trace_kit.all_events(trace), trace.original_slots()
    slots = events.slot if names is None else names[events.slot]
    return list(zip(events.kind.tolist(), slots.tolist(), strict=True))
