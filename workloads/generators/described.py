"""Recipes as they are written: TOML, every key checked, every error in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from workloads.errors import TraceError
from workloads.generators.contents import CONTENTS
from workloads.generators.patterns import PATTERNS
from workloads.generators.patterns.base import Pattern
from workloads.limits import SLOTS
from workloads.shown import meant
from workloads.toml import read_toml

T = TypeVar("T", bound=Struct)

MOST = 100_000_000  # events
MOST_SAID = 300  # characters of a key or remedy
KIND = "kind"  # the key of a table that says of which class it is
WORDS = {"int": "a whole number", "float": "a number", "str": "a text", "array": "a list", "object": "a table"}


class Totals(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipe says of the whole trace, which lasts `seconds`."""

    about: str = ""
    events: Annotated[int, Meta(ge=1, le=MOST)] = 100_000
    slots: Annotated[int, Meta(ge=1, le=SLOTS)] = 10_000
    seed: Annotated[int, Meta(ge=0)] = 0
    page_size: int = 4096
    seconds: Annotated[float, Meta(ge=1e-6, le=1e9)] = 60.0
    contents: dict[str, dict[str, Any]]
    patterns: list[dict[str, Any]]


class Described:
    """A recipe: `totals`, `contents` by name and `patterns`; the file may be read and asked for its parts."""

    def __init__(self, file: Path) -> None:
        """Read a file. Raises OSError, and TraceError naming file, key and remedy."""
        self.file = file
        self.tables = read_toml(file)
        self.totals = self._struct("", self.tables, Totals)
        for key, found in (("contents", self.totals.contents), ("patterns", self.totals.patterns)):
            if not found:
                table = "[contents.NAME]" if key == "contents" else "[[patterns]]"
                raise self.wrong(key, "are none", f"give at least one table {table}")
        self.contents = {
            name: self._of_kind(f"contents.{name}", table, CONTENTS) for name, table in self.totals.contents.items()
        }
        self.patterns = [
            self._of_kind(f"patterns[{i}]", table, PATTERNS) for i, table in enumerate(self.totals.patterns)
        ]
        for i, pattern in enumerate(self.patterns):
            self._check(f"patterns[{i}]", pattern)

    def shares(self, pattern: Pattern) -> dict[str, float]:
        """Return the contents of a pattern by name, with their relative shares."""
        if isinstance(pattern.contents, str):
            return {pattern.contents: 1.0}
        return pattern.contents or dict.fromkeys(self.contents, 1.0)

    def wrong(self, key: str, wrong: str, remedy: str) -> TraceError:
        """Return the error of a key."""
        return TraceError.at(self.file, _short(key), wrong, _short(remedy))

    def told(self, key: str, error: ValueError) -> TraceError:
        """Return the error of a class that says `what is wrong; remedy`."""
        wrong, _, remedy = str(error).partition("; ")
        return self.wrong(key, wrong, remedy or "correct it")

    def _check(self, key: str, pattern: Pattern) -> None:
        for name in self.shares(pattern):
            if name not in self.contents:
                known = ", ".join(self.contents)
                raise self.wrong(
                    f"{key}.contents", f"{name!r} is none{meant(name, self.contents)}", f"use one of {known}"
                )
        if not pattern.start < self.end(pattern) <= self.totals.seconds:
            wrong = f"is from {pattern.start:g} to {self.end(pattern):g} s of {self.totals.seconds:g}"
            raise self.wrong(key, wrong, "give start < end, and end up to seconds")

    def end(self, pattern: Pattern) -> float:
        """Return when a pattern ends, in seconds."""
        return self.totals.seconds if pattern.end is None else pattern.end

    def _of_kind(self, key: str, table: dict[str, Any], classes: Mapping[str, type[T]]) -> T:
        kind = table.get(KIND)
        if not isinstance(kind, str) or kind not in classes:
            wrong = "is missing" if kind is None else f"{kind!r} is unknown{meant(str(kind), classes)}"
            raise self.wrong(f"{key}.{KIND}", wrong, f"use one of {', '.join(classes)}")
        return self._struct(key, {name: value for name, value in table.items() if name != KIND}, classes[kind])

    def _struct(self, key: str, table: dict[str, Any], cls: type[T]) -> T:
        known = [field.encode_name for field in msgspec.structs.fields(cls)]
        for name in table:
            if name not in known:
                place = f"{key}.{name}" if key else name
                raise self.wrong(place, f"is unknown{meant(name, known)}", f"known are {', '.join(known)}")
        try:
            return msgspec.convert(table, cls)
        except msgspec.ValidationError as error:
            raise self._translated(key, str(error), table) from error

    def _translated(self, key: str, text: str, table: dict[str, Any]) -> TraceError:
        """The error of msgspec in the words of a recipe."""
        found = re.fullmatch(r"(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?", text, re.DOTALL)
        message, inner = (found[1], found[2] or "") if found else (text, "")
        place = ".".join(filter(None, (key, inner))) or "tables"
        if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
            return self.wrong(f"{key}.{missing[1]}" if key else missing[1], "is missing", "give it")
        if not (wanted := re.fullmatch(r"Expected (.*?)(?:, got `(\w+)`)?", message)):
            return self.told(place, ValueError(message))
        value = table.get(inner.partition("[")[0].partition(".")[0])
        is_ = f"is {WORDS.get(wanted[2], wanted[2])}" if wanted[2] else f"is {value!r}"
        words = re.sub(r"`([^`]*)`", lambda each: _words(each[1]), wanted[1])
        return self.wrong(place, is_, f"give {words}")


def _short(text: str) -> str:
    """Foreign names may be of any length."""
    return text if len(text) <= MOST_SAID else f"{text[:MOST_SAID]}..."


def _words(types: str) -> str:
    return " or ".join(WORDS.get(word, word) for word in types.split(" | ") if word != "null")
