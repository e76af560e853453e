"""Columns of whatever people have, array-like: cast where no value changes, refused where one would."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError

EXACT = 1 << 53  # from here on a float may have lost digits
INT64 = np.dtype(np.int64)
Mask = npt.NDArray[np.bool_]


def whole(column: str, values: Any, dtype: np.dtype[Any], missing: int | None = None) -> npt.NDArray[Any]:
    """Cast to whole numbers of a type; what is missing (NaN, None, pandas.NA) becomes `missing`, if that is given.

    Raises TraceError naming the column and its first row that does not fit, is missing, or is no number.
    """
    given, gaps = plain(column, values)
    if gaps is not None:
        if missing is None:
            raise _at(column, int(gaps.argmax()), "is missing", _remedy(column, dtype))
        filled: npt.NDArray[Any] = np.full(len(gaps), missing, dtype)
        filled[~gaps] = _cast(column, given, dtype, np.flatnonzero(~gaps))
        return filled
    return _cast(column, given, dtype, None)


def slots(values: Any) -> npt.NDArray[Any]:
    """Cast to slots: int64, or uint64 where one is 2**63 or higher. Raises TraceError as `whole` does."""
    given, gaps = plain("slot", values)
    high = len(given) and given.dtype.kind in "uO" and _any_beyond(given, np.iinfo(INT64).max)
    dtype = np.dtype(np.uint64) if high else INT64
    return whole("slot", given if gaps is None else values, dtype)


def plain(column: str, values: Any) -> tuple[npt.NDArray[Any], Mask | None]:
    """Return the values that are there as a plain array, and which rows are missing; None when none is.

    Raises TraceError for what is no column.
    """
    if not hasattr(values, "dtype"):
        values = _listed(column, values)
    if getattr(values, "ndim", 1) != 1:
        raise TraceError.at("events", f"column {column}", f"has {values.ndim} dimensions", "give one value an event")
    gaps = _gaps(values)
    if gaps.any():
        return np.asarray(values[~gaps]), gaps
    return np.asarray(values), None


def _listed(column: str, values: Any) -> npt.NDArray[Any]:
    """An array of a list; where numpy would make floats of whole numbers, of Python's own."""
    try:
        given = np.asarray(values)
        return np.array(values, object) if given.dtype.kind == "f" else given
    except (TypeError, ValueError) as error:
        raise TraceError.at("events", f"column {column}", f"is no column ({error})", "give a list or array") from error


def _gaps(values: Any) -> Mask:
    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return np.zeros(len(values), np.bool_)
    if isinstance(values, np.ndarray) and dtype.kind == "f":
        return np.isnan(values)
    import pandas as pd

    return np.asarray(pd.isna(values), np.bool_)


def _any_beyond(given: npt.NDArray[Any], most: int) -> bool:
    if given.dtype.kind == "u":
        return bool(given.max() > most)
    values: list[Any] = given.tolist()
    return any(isinstance(value, int) and value > most for value in values)


def _cast(
    column: str, given: npt.NDArray[Any], dtype: np.dtype[Any], rows: npt.NDArray[np.int64] | None
) -> npt.NDArray[Any]:
    """`rows` are those of the values, where some are missing."""
    if given.dtype == dtype or not given.size:
        return np.ascontiguousarray(given, dtype)
    limits = np.iinfo(dtype)
    if given.dtype.kind == "O":
        fits = np.fromiter((_fits(value, limits) for value in given), np.bool_, len(given))
    elif given.dtype.kind == "f":
        fits = (
            np.equal(given, np.floor(given)) & (np.abs(given) < EXACT) & (given >= limits.min) & (given <= limits.max)
        )
    elif given.dtype.kind in "iu":
        fits = (given >= limits.min) & (given <= limits.max)
    else:
        found = "text" if given.dtype.kind in "US" else str(given.dtype)
        raise TraceError.at("events", f"column {column}", f"is {found}, not {dtype}", _remedy(column, dtype))
    if not fits.all():
        at = int((~fits).argmax())
        row = at if rows is None else int(rows[at])
        if isinstance(given[at], float | np.floating) and abs(given[at]) >= EXACT:
            raise _at(column, row, f"{given[at]} is a float beyond 2**53, its last digits are lost", "give integers")
        raise _at(column, row, f"{given[at]} does not fit {dtype}", _remedy(column, dtype))
    return np.ascontiguousarray(given).astype(dtype)


def _fits(value: Any, limits: Any) -> bool:
    if isinstance(value, float | np.floating):
        number = float(value)
        return number.is_integer() and abs(number) < EXACT and bool(limits.min <= number <= limits.max)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        return False
    return bool(limits.min <= int(value) <= limits.max)


def _at(column: str, row: int, wrong: str, remedy: str) -> TraceError:
    return TraceError.at("events", f"column {column}, row {row}", wrong, remedy)


def _remedy(column: str, dtype: np.dtype[Any]) -> str:
    least, most = (0, 2**64 - 1) if column == "slot" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    return f"give whole numbers from {least} to {most}"
