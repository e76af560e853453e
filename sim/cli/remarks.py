"""What is said on standard error besides errors: remarks, in the words of the command line."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sim.cli.output import say
from sim.errors import Remark, worded


@contextmanager
def remarks_said(words: Mapping[str, str]) -> Iterator[None]:
    """Say remarks, each in a line, in the end; `words` are what the options are called, by the fields they set.

    If it fails, only what is wrong is said, which is one line.
    """
    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", Remark)
        others = warnings.showwarning

        def show(message: Any, *about: Any, **more: Any) -> None:
            if isinstance(message, Remark):
                said.append(worded(message.template, words))
            else:
                others(message, *about, **more)

        warnings.showwarning = show
        yield
    for text in dict.fromkeys(said):
        say(f"warning: {text}")


def option_words(context: Any) -> dict[str, str]:
    """What the options of a command are called, by the names of their parameters: the long names."""
    params = [param for param in context.command.params if param.param_type_name == "option"]
    return {param.name: max(param.opts, key=len) for param in params}
