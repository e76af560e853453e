"""Slots are names: sparse ones are numbered, and what they were called is kept, checked, and used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trace_kit
from forging import rewrite_header

from workloads import COMPACT, FREE, IN, OUT, Events, Sizes, Trace, TraceError, open_trace, sample_slots, strip_trace
from workloads.traces.slots import anonymous, neighbours, positions

NAMES = [2**63 + 1, 9, 2**63, 2**40]


def named(names: list[int] | None = None) -> Trace:
    """A page-out to each slot in turn, a compaction, then a page-in of each."""
    slot = names or NAMES
    kind = [OUT] * len(slot) + [COMPACT] + [IN] * len(slot)
    events = Events.of(kind, [*slot, 0, *slot], [*range(len(slot)), *[-1] * (len(slot) + 1)])
    return Trace.from_arrays("named", events, None, {"lz4": Sizes.given(np.arange(len(slot)) % 4096 + 1)})


def original(trace: Trace) -> list[int]:
    found = trace.original_slots()
    assert found is not None
    return [int(name) for name in found]


def test_numbers_go_in_the_order_of_the_names(tmp_path: Path) -> None:
    trace = named()
    trace_kit.check(trace)
    assert trace_kit.all_events(trace).slot.tolist() == [3, 0, 2, 1, 0, 3, 0, 2, 1]
    assert original(trace) == sorted(NAMES) == original(trace.save(tmp_path / "t.cswap"))
    assert trace.digest == open_trace(tmp_path / "t.cswap").digest
    assert trace.digest != named([2**63 + 8, 9, 2**63, 2**40]).digest, "neighbours matter"


@pytest.mark.parametrize("slots", [range(8), range(0, 65_536, 8_192), range(0, 1 << 21, 16)])
def test_slots_that_are_dense_enough_stay(slots: range) -> None:
    trace = named(list(slots))
    assert trace.original_slots() is None
    assert trace.n_slots == slots[-1] + 1


def test_negative_slots_are_refused_and_not_numbered() -> None:
    with pytest.raises(TraceError, match="row 1: slot -1 is negative"):
        named([2**40, -1])


def test_samples_keep_what_slots_were_called(tmp_path: Path) -> None:
    assert original(sample_slots(named(), 1.0, 0)) == NAMES
    device = Trace.from_arrays("d", Events.of([FREE] * 3, [5, 3, 9], [-1] * 3), None, {"lz4": Sizes.given([])})
    assert original(sample_slots(device, 1.0, 0).save(tmp_path / "s.cswap")) == [5, 3, 9]
    assert sample_slots(named([0, 1, 2]), 1.0, 0).original_slots() is None


def test_stripping_keeps_neighbours_and_no_name(tmp_path: Path) -> None:
    names = [2**63 + 7, 123_456_789_000, 2**63 + 8, 2**63 + 1023, 2**63 + 1024]
    trace = named(names)
    sizes = trace.sizes("lz4")
    assert sizes is not None
    stripped = strip_trace(trace, tmp_path / "s.cswap", {"lz4": sizes})
    assert original(stripped) == [0, 1024 + 7, 1024 + 8, 1024 + 1023, 2048]
    for window in (2, 8, 1024):
        for one, other in zip(*(windows(t, window) for t in (trace, stripped)), strict=True):
            assert np.array_equal(one, other)
    assert trace_kit.same_events(trace_kit.all_events(trace), trace_kit.all_events(stripped))


def windows(trace: Trace, window: int) -> tuple[npt.NDArray[np.int64], ...]:
    return neighbours(positions(np.array(original(trace), np.uint64), trace.page_size), window)


def test_byte_offsets_are_neighbours_at_a_page() -> None:
    names = np.array([0, 4096, 1 << 40, 8192, (1 << 40) + 4096], np.uint64)
    order, first, stop = neighbours(positions(names, 4096), 2)
    assert order.tolist() == [0, 1, 3, 2, 4]
    assert (first.tolist(), stop.tolist()) == ([0, 0, 3, 2, 3], [2, 2, 5, 3, 5])
    assert anonymous(names, 4096).tolist() == [0, 1, 1024, 2, 1025]


def lie(folder: Path, slots: pa.Array) -> None:
    field = pa.field("slot", slots.type, nullable=False)
    pq.write_table(pa.table([slots], schema=pa.schema([field])), folder / "slots.parquet")


@pytest.mark.parametrize(
    ("slots", "message"),
    [
        (pa.array([9, 9, 2**40, 2**50], pa.uint64()), "slots.parquet: row 1: slot 9 is there twice"),
        (pa.array([9, 10, 2**40, 2**50], pa.uint64()), "slots.parquet: digest: of the slots is not that of trace.json"),
        (pa.array([9, 10, 2**40], pa.uint64()), "slots.parquet: rows: are 3, trace.json says 4"),
        (pa.array([9, 10, 2**40, 2**50], pa.int64()), "slots.parquet: columns: are slot int64, not slot uint64"),
        (None, "slots.parquet: file: is missing"),
    ],
)
def test_a_strangers_slots_are_checked(slots: pa.Array | None, message: str, tmp_path: Path) -> None:
    named().save(tmp_path / "t.cswap")
    (tmp_path / "t.cswap" / "slots.parquet").unlink() if slots is None else lie(tmp_path / "t.cswap", slots)
    with pytest.raises(TraceError) as caught:
        open_trace(tmp_path / "t.cswap").original_slots()
    assert message in str(caught.value)


def test_a_header_without_their_digest_has_none(tmp_path: Path) -> None:
    named().save(tmp_path / "t.cswap")
    rewrite_header(tmp_path / "t.cswap", lambda body: body["digests"].pop("slots") and None)
    assert open_trace(tmp_path / "t.cswap").original_slots() is None


def test_given_originals_are_checked() -> None:
    events = Events.of([IN, IN], [0, 1], [-1, -1])
    for names, message in (([7], r"are uint64\[1\]; give uint64\[2\]"), ([7, 7], "slot 7 is there twice")):
        given = np.array(names, np.uint64)
        with pytest.raises(TraceError, match=message):
            Trace.from_arrays("t", events, None, {"lz4": Sizes.given([])}, original_slots=given)
