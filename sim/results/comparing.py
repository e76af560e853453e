"""Two results of one experiment, compared: every figure that does not depend on the clock, exactly.

Latencies rest on the codecs' times, which are measured whenever a trace is sized: those of a trace are compared where
its times, the costs and the devices are the same.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.results.reading import KEYS, check_columns, read_csv, wrong_with
from sim.results.saving import FRAMES, ON_DEMAND
from sim.timing.latency import LATER, MEMORY, RUN
from workloads.traces.digests import digest_file

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

SWEPT = (*MEMORY, *LATER)  # keys too, where they are
CLOCKED = ("latency", "timing", "sensitivity", "events")
IDENTICAL, DIFFERENT, LEFT_OUT = "identical", "different", "not compared"


@dataclass(frozen=True)
class Compared:
    """What came out for a frame; `rows` that were compared, and a note: what differs, or why it was left out."""

    frame: str
    verdict: str
    rows: int = 0
    note: str = ""

    def row(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Older:
    """The older result, read before it is made again: its provenance, and the frames that lie beside it."""

    about: Mapping[str, Any]
    frames: Mapping[str, pd.DataFrame]

    @classmethod
    def read(cls, file: Path, about: Mapping[str, Any]) -> Older:
        """The frames beside a provenance. Raises UserError for those that are damaged, or if nothing tells any."""
        frames = {name: frame for name in KEYS if (frame := _read(file, name, about)) is not None}
        if not frames and not _digests(about):
            raise UserError(f"{file}: no frames beside it, so there is nothing to compare with; keep density.csv there")
        return cls(about, frames)

    def compare(self, new: Result) -> Iterator[Compared]:
        """Frame by frame, those that either result has."""
        same, why = self._same_clocks(new)
        for name in (*FRAMES, *ON_DEMAND):
            frame: pd.DataFrame = getattr(new, name)
            old = self.frames.get(name)
            if old is None and frame.empty:
                continue
            left = why if name in CLOCKED else ""
            if old is None:
                yield self._by_digest(name, frame, left)
                continue
            kept, other = old, _as_read(frame)
            if left:
                kept, other = (part[part["trace"].isin(same)] for part in (kept, other))
                if kept.empty:
                    yield Compared(name, LEFT_OUT, note=left)
                    continue
            if not self.about.get("complete", True):
                other = _of_runs(kept, other)
            difference, note = _difference(name, kept, other)
            notes = [part for part in (difference, note, left and f"in part: {left}") if part]
            yield Compared(name, DIFFERENT if difference else IDENTICAL, len(kept), "; ".join(notes))

    def changes(self, new: Result) -> str:
        """Versions that are other ones now."""
        return changes(self.about, new.provenance)

    def _by_digest(self, name: str, frame: pd.DataFrame, left: str) -> Compared:
        """A frame that is not there any more: by the digest that the provenance has of it."""
        digest = _digests(self.about).get(f"{name}.csv")
        if left or digest is None or not self.about.get("complete", True):
            return Compared(name, LEFT_OUT, note=left or "the older result has none")
        text = frame.to_csv(index=False).encode()
        if hashlib.blake2b(text, digest_size=len(digest) // 2).hexdigest() == digest:
            return Compared(name, IDENTICAL, len(frame), "by the digest of its CSV")
        return Compared(name, DIFFERENT, len(frame), "its CSV has another digest; the older one is not there")

    def _same_clocks(self, new: Result) -> tuple[set[str], str]:
        """The traces whose latencies must be equal, and why not those of the others; empty if of all."""
        for name, what in (
            ("prices", "the costs are"),
            ("codec_costs", "the published codec times are"),
            ("devices", "the devices are"),
        ):
            if _figures(self.about.get(name)) != _figures(new.provenance[name]):
                return set(), f"{what} other ones now"
        then, now = self.about.get("sizes"), new.provenance["sizes"]
        if not isinstance(then, dict):
            return set(), "the provenance does not record which times the codecs took"
        same = {trace for trace in now if then.get(trace) == now[trace]}
        others = ", ".join(trace for trace in now if trace not in same)
        return same, others and f"codec times of {others} were measured anew"


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Versions of codecs and packages that are other ones in the second provenance."""
    found: list[str] = []
    for kind in ("codecs", "versions"):
        old, new = _told(then, kind), _told(now, kind)
        found += [f"{name} {new[name]}, was {old[name]}" for name in new if old.get(name, new[name]) != new[name]]
    return ", ".join(found)


def _told(about: Mapping[str, Any], key: str) -> dict[str, Any]:
    told = about.get(key)
    return told if isinstance(told, dict) else {}


def _figures(told: Any) -> Any:
    """The digest for costs, those for costs of several files."""
    if isinstance(told, list):
        return [_figures(one) for one in told]
    return told.get("digest", told) if isinstance(told, dict) else told


def _digests(about: Mapping[str, Any]) -> dict[str, str]:
    files = about.get("files")
    return {n: d for n, d in files.items() if isinstance(d, str)} if isinstance(files, dict) else {}


def _read(file: Path, name: str, about: Mapping[str, Any]) -> pd.DataFrame | None:
    """A frame as read from CSV or Parquet; None if neither is there."""
    import pandas as pd

    for path in (file.with_name(f"{name}.csv"), file.with_name(f"{name}.parquet")):
        if not path.is_file():
            continue
        try:
            if _digests(about).get(path.name, digest := digest_file(path)) != digest:
                raise UserError(f"{path}: is not the file that {file.name} tells of; restore it")
            frame = read_csv(path) if path.suffix == ".csv" else _as_read(pd.read_parquet(path))
        except (ValueError, OSError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{path}: cannot be read ({wrong_with(path, error)}); restore it") from error
        check_columns(path, name, frame, "restore it")
        return frame
    return None


def _as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame as it would be after writing and reading it: types and missing values are then the same."""
    return read_csv(io.BytesIO(frame.to_csv(index=False).encode()))


def _of_runs(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs that the older result has too: it was interrupted."""
    if old.empty or new.empty:
        return new.iloc[:0]
    keys = [name for name in RUN if name in old and name in new]
    runs = set(old[keys].itertuples(index=False, name=None))
    return new[[run in runs for run in new[keys].itertuples(index=False, name=None)]]


def _difference(name: str, old: pd.DataFrame, new: pd.DataFrame) -> tuple[str, str]:
    """The first difference, and which columns were not there to be compared; empty if there are none."""
    if old.empty or new.empty:
        return ("" if old.empty and new.empty else f"{len(new)} rows, there were {len(old)}"), ""
    keys = [column for column in KEYS[name] and (*KEYS[name], *SWEPT) if column in old and column in new]
    if keys:
        old, new = (frame.set_index(keys) for frame in (old, new))
        for one, other, how in ((old, new, "is missing"), (new, old, "is new")):
            if len(gone := one.index.difference(other.index, sort=False)):
                return f"the row {_place(gone[0])} {how}", ""
    if len(old) != len(new):
        return f"{len(new)} rows, there were {len(old)}", ""
    new = new.loc[old.index] if keys and not new.index.equals(old.index) and new.index.is_unique else new
    if absent := [str(column) for column in old if column not in new and not _empty(old[column])]:
        return f"column {absent[0]} is missing", ""
    fresh = [str(column) for column in new if column not in old]
    note = f"without {', '.join(fresh)}, which the older one has not" if fresh else ""
    shared = [c for c in old if c in new]
    unequal = {c: ~((old[c] == new[c]) | (old[c].isna() & new[c].isna())).to_numpy(bool) for c in shared}
    rows = [int(wrong.argmax()) for wrong in unequal.values() if wrong.any()]
    if not rows:
        return "", note
    row = min(rows)
    column = next(c for c, wrong in unequal.items() if wrong[row])
    place = _place(old.index[row]) if keys else f"{row + 1}"
    return f"row {place}: {column} is {new[column].iloc[row]}, was {old[column].iloc[row]}", note


def _empty(column: pd.Series[Any]) -> bool:
    return bool((column.isna() | (column.astype(str) == "")).all())


def _place(key: Any) -> str:
    return ", ".join(str(part) for part in key if part != "") if isinstance(key, tuple) else str(key)
