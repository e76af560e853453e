"""The plan of a recording, and its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """`command` runs under `limit` bytes of memory, swapping to a zram device with `algorithm`; recorded into `out`.

    `shared`: the limit is that of the program and of the device's pool together, which share a machine of that RAM.
    `backend` by name, None for the best that works here; `duration_s` None until the command ends. `notes` go into the
    trace's source as they are.
    """

    command: tuple[str, ...]
    out: Path
    limit: int
    algorithm: str = "lz4"
    shared: bool = False
    backend: str | None = None
    duration_s: float | None = None
    notes: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Status:
    """How far a recording is: seconds, events, pages kept and lost so far, bytes on disk; the limit, if it moves."""

    seconds: float
    events: int
    pages: int
    lost: int
    written: int
    limit: int | None = None


Watch = Callable[[Status], None]
