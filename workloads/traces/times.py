"""Times as people have them, made nanoseconds: dates, seconds with a fraction, whole numbers of a unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.traces.columns import INT64, Mask, plain, whole

UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
CLOCK = {**UNITS, "D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9}  # numpy's units that are a fixed time
MOST = np.iinfo(np.int64).max
PLACE = "column time_ns"
RANGE = "give times within 2**63 ns, about 292 years, of 1970"


def times(values: Any, unit: str | None = None) -> npt.NDArray[np.int64]:
    """Return ns, int64[n], of datetimes, time differences, or numbers of a `unit`: "s", "ms", "us" or "ns".

    Without a unit whole numbers are ns and floats are seconds, rounded to the ns. Dates without a zone are taken as UTC
    and count from 1970. Raises TraceError for what is missing, no time, out of range, or would lose a part.
    """
    if unit is not None and unit not in UNITS:
        raise TraceError.at("events", PLACE, f"unit {unit!r} is unknown", f"use one of {', '.join(UNITS)}")
    given, gaps = plain("time_ns", values)
    if gaps is not None:
        raise TraceError.at("events", f"{PLACE}, row {int(gaps.argmax())}", "is missing", "give every event a time")
    if given.dtype.kind not in "iufmMb":
        given = _converted(given)
    if given.dtype.kind in "mM":
        if unit is not None:
            raise TraceError.at("events", PLACE, f"is {given.dtype}, with a unit", "leave the unit out")
        return _checked(given, *_of_dates(given), RANGE)
    if given.dtype.kind == "f" and unit != "ns":
        return _checked(given, *of_floats(given.astype(np.float64), UNITS[unit or "s"]), RANGE)
    numbers = whole("time_ns", given, INT64)
    return _checked(given, *scaled(numbers, UNITS[unit or "ns"]), RANGE)


def of_floats(values: npt.NDArray[np.float64], factor: int) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return floats times `factor`, rounded, and which of them fit."""
    with np.errstate(invalid="ignore", over="ignore"):
        fits = np.isfinite(values) & (np.abs(values) * factor < 2**63)
        part, full = np.modf(np.where(fits, values, 0))
        return full.astype(np.int64) * factor + np.rint(part * factor).astype(np.int64), fits


def scaled(values: npt.NDArray[np.int64], factor: int) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return whole numbers times `factor`, and which of them fit."""
    most = MOST // factor
    fits = (values >= -most) & (values <= most)
    return np.where(fits, values, 0) * factor, fits


def _of_dates(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], Mask]:
    """As `of_floats`, of datetime64 or timedelta64 of any unit."""
    unit, count = np.datetime_data(values.dtype)
    if unit in CLOCK:
        return scaled(values.view(np.int64), CLOCK[unit] * count)
    if unit in ("Y", "M") and values.dtype.kind == "m":  # of no fixed length
        return np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    cast = values.astype(f"{values.dtype.kind}8[{'D' if unit in ('Y', 'M', 'W') else 'ns'}]")
    numbers, fits = _of_dates(cast)
    return numbers, fits & np.equal(cast, values)


def _converted(given: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Datetimes of pandas and of Python, texts of them, and lists of numbers, as an array of one type."""
    from datetime import timedelta
    from numbers import Integral, Real

    import pandas as pd

    if all(isinstance(value, Integral) for value in given):
        return given
    if all(isinstance(value, Real) for value in given):
        return given.astype(np.float64)
    convert = pd.to_timedelta if any(isinstance(value, timedelta | np.timedelta64) for value in given) else _dates
    try:
        return np.asarray(convert(pd.Series(given.tolist())))
    except (TypeError, ValueError, OverflowError) as error:
        raise TraceError.at("events", PLACE, f"holds no times ({error})", "give datetimes, or numbers") from error


def _dates(values: Any) -> Any:
    import pandas as pd

    form = "ISO8601" if values.map(lambda value: isinstance(value, str)).any() else None
    return pd.to_datetime(values, utc=True, format=form).dt.tz_localize(None)


def _checked(given: Any, numbers: npt.NDArray[np.int64], fits: Mask, remedy: str) -> npt.NDArray[np.int64]:
    if not fits.all():
        row = int((~fits).argmax())
        raise TraceError.at("events", f"{PLACE}, row {row}", f"{given[row]} cannot be told in ns", remedy)
    return numbers
