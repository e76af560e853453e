"""Bare allocation sequences: `a ID SIZE`, `f ID`, `c`, `s`, one a line; parsed by column, refused by line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allocators.compiled.batch import ALLOC, COMPACT, FREE
from sim.errors import UserError
from workloads.readers.stream import lines, whole_lines
from workloads.traces.rawpages import BLOCK

Ints = npt.NDArray[np.int64]

ROW = COMPACT + 1  # the code of `s` while parsing
BLANK = ROW + 1
LETTERS = pa.array([b"a", b"f", b"c", b"s", b""])
OPERANDS = np.array([2, 1, 0, 0, 0])
LINE = rb"^(?P<op>[afcs]?)(?: (?P<id>[0-9]{1,18}))?(?: (?P<size>[0-9]{1,18}))?[ \t]*\r?\n?$"
FORMS = "lines are `a ID SIZE`, `f ID`, `c` or `s`"


class Operations(NamedTuple):
    """A sequence: op uint8[n] (ALLOC, FREE, COMPACT), id, size and line int64[n].

    rows int64[k]: how many operations stand before each `s`.
    """

    op: npt.NDArray[np.uint8]
    id: Ints
    size: Ints
    line: Ints
    rows: Ints


def read_operations(file: str, moved: Callable[[int], None]) -> Operations:
    """Read a file, plain, `.gz` or `.zst`, or standard input for `-`; `moved` is called with the bytes read so far.

    Raises UserError naming the line, or TraceError for a file that cannot be read to its end.
    """
    parts: list[Operations] = []
    line, before = 1, 0
    for block in _piped(file) if file == "-" or Path(file).is_fifo() else lines(Path(file), moved):
        part, count = _parsed(file, block, line, before)
        parts.append(part)
        line, before = line + count, before + len(part.op)
    if not parts:
        raise UserError(f"{file}: is empty; {FORMS}")
    whole = Operations(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    if not len(whole.rows):
        raise UserError(f"{file}: no line `s`, so there is no row to print; add an `s` wherever one is wanted")
    return whole


def _piped(file: str) -> Iterator[bytes]:
    with nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb") as stream:
        yield from whole_lines(file, iter(lambda: stream.read(BLOCK), b""))


def _parsed(file: str, block: bytes, line: int, before: int) -> tuple[Operations, int]:
    """The operations of some whole lines, and how many lines they are."""
    text = block if block.endswith(b"\n") else block + b"\n"
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.int32) + 1
    offsets = pa.py_buffer(np.concatenate(([0], ends)).astype(np.int32))
    found = pc.extract_regex(pa.Array.from_buffers(pa.binary(), len(ends), [None, offsets, pa.py_buffer(text)]), LINE)
    letter, key, size = (pc.struct_field(found, i) for i in range(3))
    code = np.array(pc.fill_null(pc.index_in(letter, LETTERS), BLANK), np.uint8)
    given = _given(key).astype(np.int64) + _given(size)
    bad = np.array(pc.is_null(found)) | (given != OPERANDS[code])
    if bad.any():
        at = int(bad.argmax())
        wrong = text[ends[at - 1] if at else 0 : ends[at]].decode(errors="replace").strip()
        raise UserError(f"{file}:{line + at}: {_explained(wrong)}")
    kept = np.flatnonzero(code < ROW)
    counted = before + np.cumsum(code < ROW)
    part = Operations(code[kept], _numbers(key)[kept], _numbers(size)[kept], kept + line, counted[code == ROW])
    return part, len(ends)


def _given(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.array(pc.fill_null(pc.not_equal(column, b""), False), np.bool_)


def _numbers(column: pa.Array) -> Ints:
    text = pc.if_else(pc.equal(column, b""), b"0", column).cast(pa.string())
    return np.array(text.cast(pa.int64()), np.int64)


def _explained(text: str) -> str:
    """What is wrong with a line, and the remedy."""
    letter, *operands = text.split()
    shown = text if len(text) <= 40 else text[:40] + "..."
    if letter not in ("a", "f", "c", "s"):
        return f"unknown operation {letter[:20]!r}; {FORMS}"
    names = ("ID", "SIZE")[: {"a": 2, "f": 1}.get(letter, 0)]
    if len(operands) != len(names):
        return f"{shown!r} has {len(operands)} operands instead of {len(names)}; {FORMS}"
    for name, operand in zip(names, operands, strict=True):
        if not (operand.isascii() and operand.isdigit() and len(operand) <= 18):
            return f"{name} {operand[:40]!r} is wrong; give a whole number of 0 or more, at most 18 digits"
    return f"{shown!r} is malformed; {FORMS}, with single spaces"


def paired(file: str, sequence: Operations) -> tuple[Ints, Ints]:
    """For each operation its object, int64[n] counted from 0, and the one before on the same ID, int64[n] or -1.

    Raises UserError for the free of an ID that is not there.
    """
    objects = np.flatnonzero(sequence.op != COMPACT)
    by_id = objects[np.argsort(sequence.id[objects], kind="stable")]
    same = sequence.id[by_id[1:]] == sequence.id[by_id[:-1]]
    key, previous = np.zeros(len(sequence.op), np.int64), np.full(len(sequence.op), -1, np.int64)
    key[by_id[1:]] = np.cumsum(~same)
    previous[by_id[1:]] = np.where(same, by_id[:-1], -1)
    lost = (sequence.op == FREE) & ((previous < 0) | (sequence.op[previous] == FREE))
    refuse(file, sequence, lost, "frees ID {id}, which is not live; allocate it before, and free it once")
    return key, previous


def refuse(file: str, sequence: Operations, bad: npt.NDArray[np.bool_], wrong: str) -> None:
    """Raise UserError for the first bad operation, if any."""
    if bad.any():
        at = int(bad.argmax())
        raise UserError(f"{file}:{sequence.line[at]}: {wrong.format(id=sequence.id[at])}")


def doubled(sequence: Operations, previous: Ints, handles: Ints) -> npt.NDArray[np.bool_]:
    """Which operations allocate an ID that is live: its last allocation was not refused. bool[n]."""
    again = (sequence.op == ALLOC) & (previous >= 0) & (sequence.op[previous] == ALLOC)
    return np.asarray(again & (handles[previous] >= 0))
