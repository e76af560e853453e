"""How the command ends: an exit status, one line for every error, a traceback only on request."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from typer import Abort
from typer.core import TyperGroup

from sim.cli.output import forget_output, open_streams, say, standard_output
from sim.errors import USER_ERRORS, one_line
from sim.interrupts import INTERRUPTED, asked, end, noted
from workloads.limits import OPTION, lifted

DEBUG = "--debug"
BAD, BROKEN_PIPE = 2, 1


class Group(TyperGroup):
    """The top command: reports errors in one line and exits with 2; `--debug` shows the traceback instead."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        """Run a command line, and exit."""
        words = list(sys.argv[1:] if args is None else args)
        words, debug = _without_debug(words)
        settings["standalone_mode"] = False
        open_streams()
        try:
            words, most = _without_limit(words)
            with noted(), lifted(most) if most else nullcontext():
                status = super().main(words, *rest, **settings)
                with standard_output():
                    pass  # what is printed is written now, or an error
        except BrokenPipeError:
            forget_output()
            sys.exit(BROKEN_PIPE)
        except (KeyboardInterrupt, Abort):
            status = INTERRUPTED
        except Exception as error:
            message = _message(error)
            if debug and message:
                raise
            if not message:  # no command was given, and the help is printed
                sys.exit(0)
            if not asked():
                say(message)
                forget_output(unless_written=True)
                sys.exit(BAD)
            status = INTERRUPTED  # an import that was broken off, for instance
        if status == INTERRUPTED:
            end()
        sys.exit(status if isinstance(status, int) else 0)


def _without_debug(words: list[str]) -> tuple[list[str], bool]:
    """The option may come anywhere before `--`; the words after it belong to a program."""
    end = words.index("--") if "--" in words else len(words)
    ours = [word for word in words[:end] if word != DEBUG]
    return ours + words[end:], len(ours) < end


def _without_limit(words: list[str]) -> tuple[list[str], int | None]:
    """`--max-bytes SIZE` may come anywhere before `--` too, once."""
    from sim.cli.size import size_of
    from sim.errors import UserError

    end = words.index("--") if "--" in words else len(words)
    ours, most, rest = [], None, iter(words[:end])
    for word in rest:
        name, _, value = word.partition("=")
        if name == OPTION and most is not None:
            raise UserError(f"{OPTION}: is given several times; cswap takes it once")
        if name == OPTION:
            most = size_of(OPTION, value or next(rest, ""))
        else:
            ours.append(word)
    return ours + words[end:], most


def _message(error: Exception) -> str:
    usage = getattr(error, "format_message", None)  # Typer's own errors; which class, depends on its release
    if usage is not None:
        path = getattr(getattr(error, "ctx", None), "command_path", "cswap")
        text = str(usage()).rstrip(".")
        return text and f"{text} (see {path} --help)"
    if isinstance(error, USER_ERRORS):
        return one_line(error)
    if isinstance(error, MemoryError):
        return "out of memory; give a shorter input, or fewer at once"
    return f"fault in cswap: {type(error).__name__}: {error}; {DEBUG} shows where"
