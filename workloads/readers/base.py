"""The contract of every reader: a file from elsewhere, made a trace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from workloads.progress import Progress, silent
from workloads.traces.trace import Trace


class Reader(ABC):
    """A format; what it needs besides the file are its constructor's arguments."""

    name: ClassVar[str]

    @abstractmethod
    def read(self, file: Path, out: Path, name: str | None = None, progress: Progress = silent) -> Trace:
        """Make the trace folder `out` of a file; `name` of the trace, by default that of the folder.

        Raises TraceError naming file and place; then nothing is left on disk.
        """
