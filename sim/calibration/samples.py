"""Raw samples of a calibration, one row per reading of the clock, kept so that they can be summarized in other ways."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("process", "measure", "item", "part", "state", "number", "ns")


@dataclass
class Samples:
    """Samples by what was measured.

    Columns of `frame`: `process` (runs are repeated in new processes), `measure` (codec, copy, compare, fault, chain,
    clock, device, swap), `item` (a codec's spec), `part` (compress, decompress, store, load, page-out, page-in),
    `state` (cold or warm: whether what is read was in the processor's own caches), `number` (the page's number, or the
    size in bytes), `ns`.
    """

    parts: list[dict[str, object]] = field(default_factory=list)

    def add(
        self,
        measure: str,
        ns: npt.NDArray[np.int64] | npt.NDArray[np.float64],
        number: npt.ArrayLike = 0,
        item: str = "",
        part: str = "",
        state: str = "warm",
    ) -> None:
        """Add samples of one kind; `number` one for all, or one each."""
        numbers = np.broadcast_to(np.asarray(number, np.int64), len(ns)).copy()
        self.parts.append(
            {"measure": measure, "item": item, "part": part, "state": state, "number": numbers, "ns": np.float64(ns)}
        )

    def frame(self, process: int = 0) -> pd.DataFrame:
        """All samples as a frame."""
        import pandas as pd

        frame = pd.concat([pd.DataFrame(part) for part in self.parts], ignore_index=True)
        return frame.assign(process=process)[list(COLUMNS)]


def save(frame: pd.DataFrame, path: Path) -> None:
    """Write the samples as Parquet; the file appears whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        frame.to_parquet(part, index=False, compression="zstd")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
