"""Mutations: of bytes, texts, JSON values and columns. All draw from the `random.Random` they are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

INTEGERS = (
    *(-(2**63), -(2**62), -(2**31) - 1, -(2**31), -4096, -2, -1, 0, 1, 2, 7, 255, 256, 4095, 4096, 4097, 65535, 65536),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**53, 2**62, 2**63 - 2, 2**63 - 1),
)
PATHS = ("..", "../escaped", "../../../../escaped", "/", "sizes/../../escaped", "a/b", "a\\b", ".hidden")
CONTROLS = (
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\r\n",
    "two\nlines",
    "\0",
    "a\0b",
    "\x7f",
    "\u202eevil",
    "\ud800",
)
MARKUP = ("[bold]markup[/bold]", "[/]", "[red", "{}", "{0.__class__}", "%s%n", "$(id)", "=1+1", "$x_$", "<b>")
ODD = ("", " ", "-", "NaN", "-0", "1e999", "0x10", "١٢", "é" * 300, "x" * 5000, "given", "zstd:level=999", "--debug")
TEXTS = (*PATHS, *CONTROLS, *MARKUP, *ODD)
SPECIAL = (math.nan, math.inf, -math.inf, 1e308, -0.0, 0.5)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], [None], {"": None}, *SPECIAL)


def flipped(data: bytes, draw: Random) -> bytes:
    """Some bits turned over."""
    out = bytearray(data or b"\0")
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        out[draw.randrange(len(out))] ^= 1 << draw.randrange(8)
    return bytes(out)


def replaced(data: bytes, draw: Random) -> bytes:
    """A run of bytes replaced: by 0, 255, an interesting integer, or noise."""
    out = bytearray(data or b"\0")
    at, count = draw.randrange(len(out)), draw.choice((1, 2, 4, 8, 16))
    number = (draw.choice(INTEGERS) % 2**64).to_bytes(8, draw.choice(("little", "big")))
    new = draw.choice((bytes(count), b"\xff" * count, number, draw.randbytes(count)))
    out[at : at + len(new)] = new
    return bytes(out)


def truncated(data: bytes, draw: Random) -> bytes:
    """The end or the beginning cut off."""
    at = draw.randrange(len(data) + 1)
    return draw.choice((data[:at], data[:at], data[at:]))


def inserted(data: bytes, draw: Random) -> bytes:
    """Something put in: noise, or a piece of the same data."""
    at, start = draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)
    new = draw.choice((draw.randbytes(draw.randrange(1, 40)), data[start : start + draw.randrange(1, 200)]))
    return data[:at] + new + data[at:]


def removed(data: bytes, draw: Random) -> bytes:
    """A piece taken out."""
    at = draw.randrange(len(data) + 1)
    return data[:at] + data[at + draw.choice((1, 2, 8, 50)) :]


def spliced(data: bytes, draw: Random) -> bytes:
    """Two pieces exchanged, or one repeated many times."""
    a, b, c = sorted(draw.randrange(len(data) + 1) for _ in range(3))
    return draw.choice(
        (data[:a] + data[b:c] + data[a:b] + data[c:], data[:b] + data[a:b] * draw.randrange(1, 9) + data[b:])
    )


BYTES: tuple[Callable[[bytes, Random], bytes], ...] = (flipped, replaced, truncated, inserted, removed, spliced)


def mutated_bytes(data: bytes, draw: Random) -> bytes:
    """One to three of the above."""
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        data = draw.choice(BYTES)(data, draw)
    return data


def mutated_text(text: str, draw: Random) -> str:
    """Fields, words and lines of a text replaced by hostile ones, or moved; or its bytes mutated."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        separator = draw.choice(("\n", "\n", ",", " ", "=", '"'))
        parts = text.split(separator)
        at, other = draw.randrange(len(parts)), draw.randrange(len(parts))
        match draw.randrange(8):
            case 0:
                parts[at] = str(draw.choice(INTEGERS))
            case 1:
                parts[at] = draw.choice(TEXTS)
            case 2:
                del parts[at]
            case 3:
                parts.insert(at, parts[other])
            case 4:
                parts[at], parts[other] = parts[other], parts[at]
            case 5:
                parts[at] = parts[at] + draw.choice(("", ".0", "e3", "9" * draw.choice((5, 19, 400)), " ", "\t", "\r"))
            case 6:
                return mutated_bytes(text.encode(errors="replace"), draw).decode("latin-1")
            case 7:
                parts[at] = str(draw.choice(OTHERS))
        text = separator.join(parts)
    return text


def deep(depth: int, draw: Random) -> Any:
    """Lists or mappings in each other."""
    value: Any = 0
    for _ in range(depth):
        value = [value] if draw.random() < 0.5 else {"d": value}
    return value


def another(value: Any, draw: Random) -> Any:
    """A value in the place of another: near it, of another type, out of range, or deep."""
    if isinstance(value, int) and not isinstance(value, bool) and draw.random() < 0.5:
        return value + draw.choice((-1, 1, 2, -value, value, 2**31, 2**32, 2**63, 2**64, 10**30))
    if isinstance(value, str) and draw.random() < 0.3:
        return mutated_text(value, draw)
    return draw.choice((
        draw.choice(INTEGERS), draw.choice(TEXTS), draw.choice(OTHERS), str(value), [value], {"value": value},
        deep(draw.choice((3, 40, 600)), draw),
    ))  # fmt: skip


def mutated_json(value: Any, draw: Random) -> Any:
    """The same tree with one place in it changed, removed, renamed, repeated or added. `value` is not changed."""
    if isinstance(value, dict) and value and draw.random() < 0.9:
        out = dict(value)
        key = draw.choice(sorted(out))
        match draw.randrange(8):
            case 0:
                del out[key]
            case 1:
                out[draw.choice(TEXTS)] = out.pop(key)
            case 2:
                out[draw.choice(TEXTS)] = another(out[key], draw)
            case 3:
                out[key] = out[draw.choice(sorted(out))]
            case _:
                out[key] = mutated_json(out[key], draw)
        return out
    if isinstance(value, list) and value and draw.random() < 0.7:
        at = draw.randrange(len(value))
        new = draw.choice(([], [value[at]] * 2, [mutated_json(value[at], draw)]))
        return value[:at] + new + value[at + 1 :]
    return another(value, draw)


def mutated_column(column: np.ndarray[Any, Any], draw: Random) -> np.ndarray[Any, Any]:
    """Values of a column replaced, moved or exchanged, in its type."""
    out, n = column.copy(), len(column)
    if not n:
        return out
    at, other = draw.randrange(n), draw.randrange(n)
    match draw.randrange(9):
        case 0:
            out[at], out[other] = out[other], out[at]
        case 1:
            out[at:] = out[at:][::-1].copy()
        case 2:
            out = np.roll(out, draw.choice((1, -1, n // 2)))
        case 3:
            out[min(at, other) : max(at, other) + 1] = out[at]
        case _ if out.dtype.kind == "f":
            out[at] = draw.choice((0.0, -0.0, -1.0, 1e-320, 1e308, math.nan, math.inf, -math.inf, out[at] * 1e9))
        case _:
            values = (*INTEGERS, n - 1, n, n + 1, int(out[at]) + 1, int(out[at]) - 1)
            for _ in range(draw.choice((1, 1, 1, 3))):
                out[draw.randrange(n)] = np.array(draw.choice(values) % 2**64, np.uint64).astype(out.dtype)
    return out
