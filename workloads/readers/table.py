"""Texts of one row a line, as rows of fields; what is wrong is told by line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.input import Input

Row = tuple[bytes, ...]
T = TypeVar("T")
REMEDY = "mend or remove the line"


class Fault(ValueError):
    """Row `row` of some is wrong."""

    def __init__(self, row: int, wrong: str, remedy: str) -> None:
        super().__init__(wrong)
        self.row, self.wrong, self.remedy = row, wrong, remedy


def form(pattern: bytes) -> re.Pattern[bytes]:
    """Compile what a line is to be, so that every line is one match; its last group is what is too much."""
    return re.compile(rb"(?:" + pattern + rb")?[ \t\r]*([^\n]*)\n")


def tables(
    file: Input, line: re.Pattern[bytes], columns: str, made: Callable[[list[Row]], T], remedy: str = REMEDY
) -> Iterator[T]:
    """Yield what is `made` of the rows of each block: one a line, of the groups of its `form`, empty where none is.

    `columns` tells what a line has to be. `made` may raise Fault; rows before it are made first. Raises TraceError
    naming the line that is wrong.
    """
    for number, block in file.lines():
        rows = line.findall(block if block.endswith(b"\n") else block + b"\n")
        bad = next((row for row, fields in enumerate(rows) if fields[-1]), None)
        yield from _made(file, number, rows[:bad], made)
        if bad is not None:
            text = block.split(b"\n", bad + 1)[bad].decode(errors="replace")
            wrong = f"is {text[:80]!r}, not {columns}"
            raise TraceError.at(file.path, f"line {number + bad}", wrong, remedy)


def _made(file: Input, number: int, rows: list[Row], made: Callable[[list[Row]], T]) -> Iterator[T]:
    try:
        result = made(rows)
    except Fault as fault:
        yield from _made(file, number, rows[: fault.row], made)
        raise TraceError.at(file.path, f"line {number + fault.row}", fault.wrong, fault.remedy) from fault
    yield result


def whole(
    what: str, rows: Sequence[int], texts: Iterable[bytes], dtype: type[np.integer[Any]], base: int = 10
) -> npt.NDArray[Any]:
    """The numbers that texts of digits are; `rows` are theirs. Raises Fault for the first out of range."""
    values = [int(text, base) for text in texts]
    try:
        return np.array(values, dtype)
    except OverflowError:
        limits = np.iinfo(dtype)
        wrong = next(i for i, value in enumerate(values) if not limits.min <= value <= limits.max)
        raise Fault(rows[wrong], f"{what} {values[wrong]} is out of range", REMEDY) from None


def check(rows: Sequence[int], wrong: npt.NDArray[np.bool_], told: Callable[[int], str], remedy: str = REMEDY) -> None:
    """Raise Fault for the first that is `wrong`; `told` says of its index what is."""
    if wrong.any():
        first = int(wrong.argmax())
        raise Fault(rows[first], told(first), remedy)
