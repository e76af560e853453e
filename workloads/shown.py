"""Texts of messages: foreign text made safe to show, and what a word that is not known may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def shown(text: object) -> str:
    """The text in one piece with what is not printable made visible: `\\x1b` for an escape, `\\u202e` for a reversal.

    Control characters, line breaks, directions, invisible characters and halves of surrogate pairs are not printable.
    What is shown already stays as it is.
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in str(text))


def meant(word: str, known: Iterable[str]) -> str:
    """` (did you mean NAME?)`, if one of the known words is close to this one; capitals make no difference."""
    from difflib import get_close_matches

    words = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), words, 1)
    return f" (did you mean {words[close[0]]}?)" if close else ""
