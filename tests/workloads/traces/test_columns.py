"""`Events.of` and `Sizes.given`: what a column cannot hold as it is, is refused with its row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workloads import Events, Sizes, TraceError

SECONDS = ["2024-01-01 00:00:00", "2024-01-01 00:00:00.5", "2024-01-01 00:00:02.5"]
DATES = pd.Series(pd.to_datetime(SECONDS, format="ISO8601"))
WANT = [0, 500_000_000, 2_500_000_000]


def events(**changed: Any) -> Events:
    return Events.of(**{"kind": [0, 0, 1], "slot": [8, 16, 8], "page": [0, 1, -1], **changed})


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ([0.0, 0.5, 2.5], None),
        (pd.Series([0.0, 0.5, 2.5]), None),
        (np.array([0, 0.5, 2.5], np.float32), None),
        (np.array([0, 0.5, 2.5]), "s"),
        ([0, 500, 2500], "ms"),
        (np.array([0, 500_000, 2_500_000], np.uint32), "us"),
        ([0, 5e8, 25e8], "ns"),
        (WANT, None),
        (DATES, None),
        (DATES.astype("datetime64[us]"), None),
        (DATES.astype("datetime64[ms]").to_numpy(), None),
        (DATES.dt.tz_localize("Europe/Berlin"), None),
        (DATES - DATES[0], None),
        (SECONDS, None),
        (pd.Series(SECONDS), None),
        ([datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=s) for s in (0, 0.5, 2.5)], None),
        ([timedelta(seconds=s) for s in (0, 0.5, 2.5)], None),
        (pd.array([0.0, 0.5, 2.5], "Float64"), None),
    ],
)
def test_times_of_any_kind(times: Any, unit: str | None) -> None:
    found = events(time_ns=times, unit=unit).columns()["time_ns"]
    assert (found - found[0]).tolist() == WANT
    if unit is None and isinstance(times, pd.Series) and times.dtype.kind == "M" and times.dt.tz is None:
        assert found[0] == 1_704_067_200 * 10**9


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("time_ns", [0, 1, None], "column time_ns, row 2: is missing"),
        ("time_ns", pd.Series([*DATES[:2], pd.NaT]), "row 2: is missing"),
        ("time_ns", [0.0, 1.0, float("inf")], "row 2: inf cannot be told in ns"),
        ("time_ns", [0.0, 1.0, 1e10], "row 2: 10000000000.0 cannot be told in ns; give times within 2**63 ns"),
        ("time_ns", np.array(["2024", "2024", "9999"], "M8[Y]"), "row 2: 9999 cannot be told in ns"),
        ("time_ns", np.array([0, 1000, 1], "m8[ps]"), "row 2: 1 picoseconds cannot be told in ns"),
        ("time_ns", ["now", "then", "never"], "column time_ns: holds no times"),
        (
            "slot",
            [8.5, 16.0, 8.25],
            "column slot, row 0: 8.5 does not fit int64; give whole numbers from 0 to 1844",
        ),
        ("slot", [1.0, 2.0, 2.0**60], "row 2: 1.152921504606847e+18 is a float beyond 2**53, its last digits are lost"),
        ("slot", [1, 2, 2**64], "row 2: 18446744073709551616 does not fit uint64"),
        ("slot", ["1", "2", "3"], "column slot: is text, not int64"),
        ("slot", [True, False, True], "column slot: is bool, not int64"),
        ("slot", [[1], [2], [3]], "column slot: has 2 dimensions; give one value an event"),
        ("slot", pd.array([1, None, 3], "Int64"), "column slot, row 1: is missing"),
        ("kind", np.array([0, 256, 257]), "column kind, row 1: 256 does not fit uint8"),
        ("kind", ["out", "out", "swap"], "column kind, row 2: kind 'swap' is unknown; use one of out, in, free"),
        ("kind", ["out", "out0", "in"], "column kind, row 1: kind 'out0' is unknown"),
        ("page", np.array([0, 1, 2**32]), "column page, row 2: 4294967296 does not fit int32"),
        ("task", [1, 1, 2**31], "column task, row 2: 2147483648 does not fit int32"),
    ],
)
def test_what_would_change_is_refused_by_row(column: str, values: Any, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        events(**{column: values})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_units_are_known_and_are_for_numbers() -> None:
    with pytest.raises(TraceError, match="unit 'min' is unknown; use one of s, ms, us, ns"):
        events(time_ns=[0, 1, 2], unit="min")
    with pytest.raises(TraceError, match="with a unit; leave the unit out"):
        events(time_ns=DATES, unit="s")
    with pytest.raises(TraceError, match=r"row 1: 0.5 does not fit int64"):
        events(time_ns=[0, 0.5, 1], unit="ns")


def test_words_gaps_and_high_slots() -> None:
    made = events(kind=pd.Categorical(["out", "compact", "lost"]), page=pd.Series([0, float("nan"), float("nan")]))
    assert (made.kind.tolist(), made.page.tolist()) == ([0, 3, 4], [0, -1, -1])
    assert events(slot=[2**64 - 1, 5, 2**63]).slot.tolist() == [2**64 - 1, 5, 2**63]
    assert events(slot=np.array([2**63 - 1, 5, 0], np.uint64)).slot.dtype == np.int64
    assert events(slot=pd.array([1, 2, 3], "UInt64")).slot.tolist() == [1, 2, 3]


def test_sizes_are_whole_bytes() -> None:
    for sizes in ([2.5], [2**32], [None], ["9"]):
        with pytest.raises(TraceError, match="column size"):
            Sizes.given(sizes)
