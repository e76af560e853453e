"""Errors of traces and of this host, each in one line."""

from __future__ import annotations

from workloads.shown import shown

MOST = 500  # characters


class TraceError(ValueError):
    """A trace, or a file it is made from, cannot be used.

    The message is always one line: ``FILE: PLACE: what is wrong; remedy``.
    """

    @classmethod
    def at(cls, file: object, place: str, wrong: str, remedy: str) -> TraceError:
        """Build the message; line breaks in the parts (from libraries' errors) become spaces, escapes visible.

        What is wrong is cut where it is longer than a screen: libraries repeat foreign names whole.
        """
        if len(wrong) > MOST:
            wrong = f"{wrong[:MOST]}..."
        return cls(shown(" ".join(f"{file}: {place}: {wrong}; {remedy}".split())))


class HostError(RuntimeError):
    """This host's kernel does not let us do something; the message is one line that says what works instead."""
