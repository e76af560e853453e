"""Foreign text made safe to show: no character of it controls the terminal."""

from __future__ import annotations


def shown(text: object) -> str:
    """The text in one piece with what is not printable made visible: `\\x1b` for an escape, `\\u202e` for a reversal.

    Control characters, line breaks, directions, invisible characters and halves of surrogate pairs are not printable.
    What is shown already stays as it is.
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in str(text))
