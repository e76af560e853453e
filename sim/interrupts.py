"""Ctrl-C that is obeyed even where the exception it raises is lost.

A KeyboardInterrupt goes where the signal found the program: a callback from compiled code (llvmlite has them), which
ignores it, or the import of a compiled module, which makes an ImportError of it. So it is noted too, and raised again
at the next check.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130  # the exit status

_asked = False
_besides = ""  # what `end` says besides


@contextmanager
def noted() -> Iterator[None]:
    """While it lasts, SIGINT is noted besides raising KeyboardInterrupt; other threads than the main one get none."""
    global _asked, _besides
    _asked, _besides = False, ""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before, hook = signal.signal(signal.SIGINT, _note), sys.unraisablehook

    def quiet(lost: sys.UnraisableHookArgs) -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            hook(lost)

    sys.unraisablehook = quiet
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        sys.unraisablehook = hook


@contextmanager
def held() -> Iterator[None]:
    """While it lasts, a SIGINT waits; KeyboardInterrupt is raised at the end. For what must not be broken off."""
    global _asked
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        _asked = True
        raise KeyboardInterrupt


def asked() -> bool:
    """Whether a SIGINT has come."""
    return _asked


def check() -> None:
    """Raise KeyboardInterrupt if a SIGINT has come."""
    if _asked:
        raise KeyboardInterrupt


def besides(text: str) -> None:
    """Have `end` say this too, in the same line."""
    global _besides
    _besides = f"; {text}"


def end() -> NoReturn:
    """Say that the program was interrupted, and exit."""
    print(f"cswap: interrupted{_besides}", file=sys.stderr)
    # Where the interpreter evaluated a text when the signal came, it would end by the signal after all, unless it has
    # evaluated another one since (run_eval_code_obj in CPython's pythonrun.c).
    eval("0")
    sys.exit(INTERRUPTED)


def leave() -> NoReturn:
    """End the process at once: no thread is waited for, which may still be compressing."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(INTERRUPTED)


def _note(number: int, frame: FrameType | None) -> None:
    global _asked
    _asked = True
    raise KeyboardInterrupt
