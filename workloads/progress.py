"""How functions report progress: a callback of the caller's."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]  # called with (done, total), in units the function documents


def silent(done: int, total: int) -> None:
    """Report nothing."""
