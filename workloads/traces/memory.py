"""What the program's memory consisted of while it was recorded: samples beside the events, of the same clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.traces.digests import DIGEST_BYTES

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = {
    "time_ns": "when, on the clock of the events",
    "limit": "the limit in force",
    "used": "what is charged to the program: all below, and a little more",
    "anon": "anonymous pages",
    "shmem": "shared memory and tmpfs, which go to swap as anonymous pages do",
    "file": "pages of files, which do not",
    "swap_cached": "pages in the swap cache; those that are mapped count as anonymous, too",
    "kernel": "the kernel's own for the program, page tables included",
    "page_tables": "page tables",
    "pool": "mem_used_total of the swap device, which is charged to nobody",
}
"""The columns of `memory.parquet`, int64, and what they tell: nanoseconds, then bytes."""
COLUMNS = tuple(SAMPLE)
UNKNOWN = -1  # a figure that this kernel does not tell
MOST = 1 << 62  # bytes


def whole_memory(file: object, frame: pd.DataFrame) -> pd.DataFrame:
    """Return samples with all columns, UNKNOWN where one is missing. Raises TraceError unless they are sound."""
    given = frame.reindex(columns=list(COLUMNS), fill_value=UNKNOWN).reset_index(drop=True)
    for name, kind in given.dtypes.items():
        if kind != np.int64:
            raise TraceError.at(file, f"column {name}", f"is {kind}, not int64", "give whole numbers")
    time = given["time_ns"].to_numpy()
    _refuse(file, time[1:] < time[:-1], 1, "time_ns is less than the one before")
    for name in COLUMNS[1:]:
        value = given[name].to_numpy()
        _refuse(file, (value < UNKNOWN) | (value >= MOST), 0, f"{name} is no number of bytes")
    return given


def known_memory(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of which the kernel told anything."""
    return frame.loc[:, (frame != UNKNOWN).any() | (frame.columns == "time_ns")]


def joined_memory(parts: Sequence[pd.DataFrame]) -> pd.DataFrame | None:
    """Return samples one after the other, None when there are none."""
    import pandas as pd

    found = [part for part in parts if len(part)]
    return pd.concat(found, ignore_index=True) if found else None


def memory_digest(frame: pd.DataFrame) -> str:
    """Return the digest of samples in hex."""
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in COLUMNS:
        hasher.update(np.ascontiguousarray(frame[name].to_numpy(), "<i8").data)
    return hasher.hexdigest()


def memory_facts(frame: pd.DataFrame | None) -> dict[str, Any]:
    """Return how many samples there are, and the mean shares of what was used that files and the kernel had."""
    facts: dict[str, Any] = {"memory_samples": 0 if frame is None else len(frame)}
    for part in ("file", "kernel"):
        known = frame is not None and {part, "used"} <= set(frame.columns) and frame["used"].sum() > 0
        facts[f"{part}_share"] = round(float(frame[part].sum() / frame["used"].sum()), 4) if known else None  # type: ignore[index]
    return facts


def _refuse(file: object, wrong: npt.NDArray[np.bool_], first: int, what: str) -> None:
    if wrong.any():
        raise TraceError.at(file, f"row {first + int(wrong.argmax())}", what, REMEDY)
