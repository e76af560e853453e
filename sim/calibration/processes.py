"""Work done in new processes, one after the other, each with new memory."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from sim.errors import UserError
from workloads.progress import Progress

T = TypeVar("T")
Done = Callable[[int], object]  # takes how many steps are done


def apart(work: Callable[[Done], T], progress: Done) -> T:
    """What `work` returns in a new process, which ends with this one or soon after it.

    It is called with a callback for the steps that it has done, and both it and what it returns (anything but an int)
    can be pickled. What it raises is raised here; UserError if its process is killed.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(work, sender))
    child.start()
    sender.close()
    answer: Any
    try:
        while isinstance(answer := receiver.recv(), int):
            progress(answer)
    except EOFError:
        raise UserError("the measuring process was killed; is memory short?") from None
    except BaseException:
        child.terminate()
        raise
    finally:
        child.join()
    if isinstance(answer, Exception):
        raise answer
    found: T = answer
    return found


def within(progress: Progress, before: int, total: int, done: int) -> None:
    """Tell the progress of a process, of whose steps `before` precede it."""
    progress(before + done, total)


def _child(work: Callable[[Done], object], sender: Connection) -> None:
    """Send numbers of steps done, then the answer or an exception."""
    with suppress(KeyboardInterrupt, BrokenPipeError):
        try:
            sender.send(work(sender.send))
        except Exception as error:
            sender.send(error)
