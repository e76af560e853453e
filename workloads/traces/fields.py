"""What the columns of other people's tables of events are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workloads.errors import TraceError
from workloads.shown import meant
from workloads.traces.events import KINDS

TIMES = {
    **{"ts_ns": "ns", "time_ns": "ns", "ts_us": "us", "time_us": "us", "ts_ms": "ms", "time_ms": "ms"},
    **{"ts_s": "s", "time_s": "s", "ts": "s", "time": "s"},
}
"""Columns of times, and the unit of their numbers."""
TASKS = ("pid", "task")
HEADER = "ts_ns,kind,pid,slot,page"
ZERO = len(KINDS)  # the code of out0, a page-out of the all-zero page, until its page has a number
NAMES = (*KINDS, "out0")


@dataclass(frozen=True)
class Fields:
    """Which columns are there, by name: `kind` and `slot`; `page` or `size`; perhaps `time` with its `unit`, `task`."""

    kind: str
    slot: str
    page: str | None
    size: str | None
    time: str | None
    unit: str
    task: str | None

    @classmethod
    def of(cls, file: object, place: str, names: Sequence[str], needed: str | None) -> Fields:
        """Find the columns; other names are left alone. Of a page-out a `page`, a `size` or nothing is `needed`.

        Raises TraceError naming `file` and `place` when one is missing or there twice.
        """
        found = {name for name in names if isinstance(name, str)}
        columns = ["kind", "slot", *([needed] if needed else [])]
        missing = [name for name in columns if name not in found]
        if missing == ["size"]:
            remedy = "give the pages too (--pages), or a column size of compressed bytes"
            raise TraceError.at(file, place, "has no column size, and there are no pages", remedy)
        if missing:
            told = ", ".join(name + meant(name, found) for name in missing)
            raise TraceError.at(file, place, f"has no column {told}", f"the header is {HEADER}")
        time = next((name for name in TIMES if name in found), None)
        task = next((name for name in TASKS if name in found), None)
        used = (*columns, time, task)
        twice = [name for name in used if name is not None and list(names).count(name) > 1]
        if twice:
            raise TraceError.at(file, place, f"has two columns {twice[0]}", "leave one out")
        page, size = (name if name == needed else None for name in ("page", "size"))
        return cls("kind", "slot", page, size, time, TIMES.get(time or "", "ns"), task)
