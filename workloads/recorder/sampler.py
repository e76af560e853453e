"""Samples of the program's memory, taken while it is recorded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workloads.host.usage import UsageFiles
from workloads.traces.memory import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_S = 0.02


class Sampler:
    """Takes samples in one thread and hands them over in another; times count from `began_ns`."""

    def __init__(self, files: UsageFiles, began_ns: int) -> None:
        self._files, self._began = files, began_ns
        self._rows: list[dict[str, int]] = []

    def sample(self) -> None:
        """Take a sample. Raises OSError when the kernel does not answer; then there is none."""
        self._rows.append({"time_ns": time.monotonic_ns() - self._began, **self._files.read()._asdict()})

    def taken(self) -> pd.DataFrame | None:
        """All samples since they were last asked for."""
        import pandas as pd

        rows, self._rows = self._rows, []
        return pd.DataFrame(rows, columns=list(COLUMNS)) if rows else None
