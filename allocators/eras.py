"""Which releases of the kernel have which rules: the table behind the parameter `era` of a model.

docs/models.md has the same table for readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

ON = ""  # `last` of rules that are still in use


class Span(NamedTuple):
    """Releases in a row, first and last (`ON`: up to today's), and the era that has their rules.

    `differs` says how their rules differ where that era is only the nearest one.
    """

    first: str
    last: str
    era: str
    differs: str = ""

    def __str__(self) -> str:
        if self.first == self.last:
            return self.first
        return f"{self.first} to {self.last}" if self.last else f"{self.first} on"


def check_era(model: str, era: str, eras: Iterable[str], spans: Sequence[Span]) -> str:
    """The era, if it is one of `eras`. Raises ValueError that says which era has the rules of that release."""
    if era in (known := list(eras)):
        return era
    raise ValueError(f"era={era} is unknown; {_answer(model, era, known, spans)}")


def covering(release: str, spans: Iterable[Span]) -> Span | None:
    """The span that a release is in: `5.10`, `6.18.4` or `Linux 6.1`; None if it is in none, or is no release."""
    number = _number(release)
    for span in spans:
        first, last = _number(span.first), _number(span.last)
        # A last release covers all of its stable ones; those of 2.6 are releases of their own.
        if number and first and first <= number and (last is None or number[: len(last)] <= last):
            return span
    return None


def _answer(model: str, era: str, known: list[str], spans: Sequence[Span]) -> str:
    span = covering(era, spans)
    if span is not None and not span.differs:
        return f"Linux {span} has the rules of era={span.era}; give era={span.era}"
    if span is not None:
        return f"Linux {span} is nearest to era={span.era}, but {span.differs}; give era={span.era}"
    releases = {one: ", ".join(str(s) for s in spans if s.era == one and not s.differs) for one in known}
    named = (f"era={one} ({f'Linux {releases[one]}' if releases[one] else 'in no release'})" for one in known)
    none = f"no rules of {model} for Linux {era} are known; " if _number(era) else ""
    return f"{none}give " + ", ".join(named)


def _number(release: str) -> tuple[int, ...] | None:
    found = re.fullmatch(r"(?:v|linux[ -]?)?(\d{1,2}(?:\.\d{1,4}){1,2})(?:[-+].*)?", release.strip(), re.IGNORECASE)
    return tuple(map(int, found[1].split("."))) if found else None
