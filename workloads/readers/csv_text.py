"""The text of a column as people and pandas write it: `7`, `7.0`, `0.000001`, `1e-06`, dates; NaN for nothing."""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from workloads.traces.columns import Mask
from workloads.traces.times import UNITS, of_floats, scaled

NULLS = ["", "NaN", "nan", "<NA>", "NA", "None", "null", "NULL", "NaT"]
WHOLE = r"^([+-]?)(\d{1,15})\.0*$"  # what a float holds without a loss


def whole_numbers(text: pa.ChunkedArray, kind: pa.DataType, *, floats: bool = True) -> pa.ChunkedArray:
    """Cast texts to whole numbers, floats among them that are some, if `floats`. Raises ArrowInvalid."""
    plain = pc.utf8_trim_whitespace(text)
    plain = pc.replace_substring_regex(plain, WHOLE, r"\1\2") if floats else plain
    plain = pc.replace_substring_regex(plain, r"^\+(\d)", r"\1")
    return pc.if_else(pc.is_in(plain, pa.array(NULLS)), None, plain).cast(kind)


def is_whole(text: str, dtype: np.dtype[Any]) -> bool:
    """Whether `whole_numbers` takes it."""
    text = re.sub(WHOLE, r"\1\2", text.strip(), flags=re.ASCII)
    limits = np.iinfo(dtype)
    return text in NULLS or (
        re.fullmatch(r"[+-]?\d+", text, re.ASCII) is not None and int(limits.min) <= int(text) <= int(limits.max)
    )


def times(text: pa.ChunkedArray, unit: str) -> tuple[npt.NDArray[np.int64], Mask]:
    """Return the ns, int64[n], of texts without gaps, numbers of a unit or dates of ISO 8601, and which of them fit.

    As many digits after the point as ns have are kept exactly. Dates without a zone are taken as UTC.
    """
    text = pc.utf8_trim_whitespace(text)
    digits = len(str(UNITS[unit])) - 1
    form = rf"^[+-]?(?P<whole>\d{{1,18}})(?:\.(?P<part>\d{{0,{digits}}}))?$"
    if pc.all(pc.match_substring_regex(text, form)).as_py():
        found = pc.extract_regex(text, form)
        whole = np.array(pc.cast(pc.struct_field(found, "whole"), pa.int64()))
        part = pc.utf8_rpad(pc.struct_field(found, "part"), max(digits, 1), "0")
        numbers, fits = scaled(whole, UNITS[unit])
        numbers += np.array(pc.cast(part, pa.int64())) if digits else 0
        return np.where(np.array(pc.starts_with(text, "-")), -numbers, numbers), fits & (numbers >= 0)
    for kind in (pa.float64(), pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            column = pc.cast(text, kind)
        except pa.ArrowInvalid:
            continue
        if kind == pa.float64():
            return of_floats(np.array(column, np.float64), UNITS[unit])
        return np.array(pc.cast(column, pa.int64())), np.ones(len(text), np.bool_)
    right = np.array([is_time(value) for value in text.to_pylist()], np.bool_)
    if right.all():  # of several forms
        right[1:] = False
    return np.zeros(len(text), np.int64), right


def is_time(text: str) -> bool:
    """Whether it is a number, or a date that begins like one of ISO 8601."""
    try:
        return isfinite(float(text))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text[:26]) is not None
    except ValueError:
        return False
