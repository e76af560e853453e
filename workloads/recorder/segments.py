"""A recording on disk while it is made: complete segments, each a small trace, put together at the end.

While a trace `NAME.cswap` is recorded, a hidden folder `.NAME.cswap.recording` beside it holds `recording.json` (what
is known from the start) and the segments `000001.cswap`, `000002.cswap`, ...: whole traces, on disk to the last byte.
However the recorder ends, at most the last few seconds are missing in them. All files are entered with the rights of a
`Keeper`.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workloads.errors import HostError, TraceError
from workloads.host.registry import started
from workloads.permissions import PRIVATE, withholding
from workloads.progress import Progress, silent
from workloads.recorder.privacy import Keeper
from workloads.recorder.program import User, invoking_user
from workloads.recorder.rows import Epoch
from workloads.traces.disk import open_trace
from workloads.traces.events import OUT, Events
from workloads.traces.memory import joined_memory
from workloads.traces.pageindex import renumbered
from workloads.traces.trace import Trace
from workloads.traces.verification import verify
from workloads.traces.writer import TraceWriter, check_new

if TYPE_CHECKING:
    import pandas as pd

START_FILE = "recording.json"
MOST_PAGES = 1 << 14  # of a segment
MOST_SECONDS = 2.0


def folder_of(out: Path) -> Path:
    """Where the segments of a recording of `out` lie. Raises TraceError when `out` has no name, as `.`."""
    if not out.name:
        raise TraceError.at(out, "folder", "has no name", "give the trace one, such as mine.cswap")
    return out.with_name(f".{out.name}.recording")


def check_unused(out: Path) -> None:
    """Raise TraceError when `out` exists, or an unfinished recording of it, or the folder it is to lie in does not.

    One in which nothing was recorded before its recorder was killed is removed.
    """
    folder = folder_of(check_new(out))
    if folder.is_dir() and not folder.is_symlink() and _nothing_in(folder):
        shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        remedy = f"rescue it with `cswap trace recover {out}`, or remove it"
        raise TraceError.at(folder, "folder", "holds an unfinished recording", remedy)


def _nothing_in(folder: Path) -> bool:
    """Whether it is surely the folder of a recorder that was killed before a segment was whole."""
    try:
        if any(folder.glob("[0-9]*.cswap")):
            return False
        return not _alive(_started(folder))
    except (TraceError, OSError):
        return False


class Segments:
    """Takes epochs and writes segments. Nothing is in `out` before `finish`."""

    def __init__(self, out: Path, page_size: int, source: Mapping[str, Any], user: User | None = None) -> None:
        """Make the folder. `source` is what is known by now; the trace will be `user`'s. Raises TraceError as
        `check_unused`.
        """
        check_new(out)
        self.out, self.folder, self._page_size = out, folder_of(out), page_size
        self._keeper = Keeper(out.parent, user)
        pid = os.getpid()
        start = {"page_size": page_size, "pid": pid, "started": started(pid), "source": dict(source)}
        with self._keeper.rights():
            check_unused(out)
            try:
                self.folder.mkdir(mode=0o700)
                with withholding(PRIVATE):
                    (self.folder / START_FILE).write_text(json.dumps(start, indent=1) + "\n")
            except OSError as error:
                wrong = f"cannot be written ({error.strerror})"
                raise TraceError.at(out.parent, "folder", wrong, "choose another place") from error
        self.events = self.pages = self.written = 0
        self._number = 0
        self._memory: list[pd.DataFrame] = []  # since the last segment
        self._writer: TraceWriter | None = None
        self._filled, self._began = 0, 0.0

    def add(self, epoch: Epoch, memory: pd.DataFrame | None = None) -> None:
        """Append the events of an epoch and samples of memory; finish the segment when it is large or old enough."""
        if memory is not None:
            self._memory.append(memory)
        with self._keeper.rights():
            self._add(epoch)

    def _add(self, epoch: Epoch) -> None:
        if self._writer is None:
            if not len(epoch.events):
                return
            self._number += 1
            self._writer = TraceWriter(self.folder / f"{self._number:06}.cswap", self._page_size, {}, level=1)
            self._writer.__enter__()
            self._filled, self._began = 0, time.monotonic()
        numbers = self._writer.add_pages(epoch.content)
        self._writer.add_events(renumbered(epoch.events, numbers))
        self.events += len(epoch.events)
        self._filled += len(epoch.content)
        if self._filled >= MOST_PAGES or time.monotonic() - self._began >= MOST_SECONDS:
            self._close()

    def close(self) -> None:
        """Finish the segment that is being written."""
        with self._keeper.rights():
            self._close()

    def _close(self) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.add_memory(self._samples())
        writer.__exit__(None, None, None)
        for path in (*writer.path.iterdir(), writer.path, self.folder):
            _sync(path)
        self.pages += open_trace(writer.path).unique_pages
        self.written += sum(path.stat().st_size for path in writer.path.iterdir())

    def _samples(self) -> pd.DataFrame | None:
        samples, self._memory = joined_memory(self._memory), []
        return samples

    def finish(self, source: Mapping[str, Any], progress: Progress | None = None) -> Trace:
        """Make the trace of all segments, and remove them. `progress` is called with events done and in all."""
        self.close()
        with self._keeper.rights():
            segments = sorted(self.folder.glob("*.cswap"))
            trace = _join(segments, self.out, self._page_size, source, progress, self._samples())
            self._keeper.hand_over(self.out)
            shutil.rmtree(self.folder)
        return trace

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Whatever goes wrong in the `with` block, what was written is left to be recovered, and the error says how."""
        try:
            yield
        except BaseException as error:
            if self._keep() and isinstance(error, (HostError, TraceError, OSError)):
                rescue = f"`cswap trace recover {self.out}` makes a trace of what was recorded before"
                raise HostError(f"{error}; {rescue}") from error
            raise

    def _keep(self) -> bool:
        with suppress(Exception):  # the error under way matters more, and the segments before are whole all the same
            self.close()
        with self._keeper.rights():
            if self._number and any(self.folder.glob("[0-9]*.cswap")):
                return True
            shutil.rmtree(self.folder, ignore_errors=True)
        return False


def recover(out: Path, progress: Progress | None = None) -> Trace:
    """Make the trace of what a killed recorder has left: all segments that are whole, in their order.

    Raises TraceError when there is no unfinished recording of `out`, when its recorder still runs, or when no segment
    is whole. The segments go only when the trace is there, as private as the recorder would have made it; when it is
    there already, because the recorder was killed just before they went, they only go.
    """
    keeper = Keeper(out.parent, invoking_user())
    with keeper.rights(), withholding(PRIVATE):
        trace = _recover(out, folder_of(out), progress)
        keeper.hand_over(out)
        shutil.rmtree(folder_of(out))
    return trace


def _recover(out: Path, folder: Path, progress: Progress | None) -> Trace:
    if not folder.is_dir() or folder.is_symlink():
        raise TraceError.at(folder, "folder", "does not exist", f"there is no unfinished recording of {out}")
    start = _started(folder)
    if _alive(start):
        raise TraceError.at(folder, "folder", f"is being written by process {start.pid}", "end that recorder first")
    found = sorted(folder.glob("*.cswap"))
    whole = list(_whole(found))
    if not found:
        shutil.rmtree(folder)
        raise TraceError.at(folder, "folder", "held nothing yet and is removed", "record once more")
    if not whole:
        raise TraceError.at(folder, "segments", "none is whole", "nothing can be rescued; remove the folder")
    if finished := _finished(out, start, whole):
        return finished
    counts = {"segments": len(whole), "damaged": len(found) - len(whole)}
    return _join(whole, out, start.page_size, {**start.source, "recovered": counts}, progress)


class Start(NamedTuple):
    """What `recording.json` says: of which process, when it started, and what was known of the trace."""

    pid: int
    started: int | None
    page_size: int
    source: dict[str, Any]


def _started(folder: Path) -> Start:
    try:
        start = json.loads((folder / START_FILE).read_text())
        return Start(int(start["pid"]), start["started"], int(start["page_size"]), dict(start["source"]))
    except PermissionError as error:
        remedy = "recover it with sudo, as it was recorded, or as root if root recorded it"
        raise TraceError.at(folder, "folder", "is another user's", remedy) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        wrong = f"cannot be read ({error})"
        raise TraceError.at(folder / START_FILE, "JSON", wrong, "nothing can be rescued; remove the folder") from error


def _alive(start: Start) -> bool:
    return start.started is not None and started(start.pid) == start.started


def _finished(out: Path, start: Start, segments: list[Path]) -> Trace | None:
    """The trace that the recorder made of these segments, if it is whole."""
    try:
        verify(out)
        trace = open_trace(out)
    except TraceError:
        return None
    same = all(trace.source.get(key) == value for key, value in start.source.items())
    return trace if same and trace.n_events == sum(open_trace(path).n_events for path in segments) else None


def _whole(segments: list[Path]) -> Iterator[Path]:
    """The segments up to the first that is damaged: later ones would miss what happened in it."""
    for path in segments:
        try:
            verify(path)
        except TraceError:
            return
        yield path


def _join(
    segments: list[Path],
    out: Path,
    page_size: int,
    source: Mapping[str, Any],
    progress: Progress | None,
    memory: pd.DataFrame | None = None,
) -> Trace:
    """`memory` are samples after those of the last segment."""
    opened = [open_trace(path) for path in segments]
    total, done = sum(trace.n_events for trace in opened), 0
    with TraceWriter(out, page_size, source) as writer:
        if not opened:
            writer.add_events(Events.of([], [], []))
        for trace in opened:
            numbers = _add_pages(trace, writer)
            for events in trace.batches():
                writer.add_events(renumbered(events, numbers))
                done += len(events)
                (progress or silent)(done, total)
            writer.add_memory(trace.memory)
        writer.add_memory(memory)
    return open_trace(out)


def _add_pages(segment: Trace, writer: TraceWriter) -> npt.NDArray[np.int32]:
    """Add the pages that events of the segment refer to; what they have become, int32[pages], -1 for the others."""
    used = np.zeros(segment.unique_pages, np.bool_)
    for events in segment.batches():
        used[events.page[events.kind == OUT]] = True
    numbers, start = np.full(len(used), -1, np.int32), 0
    for pages in segment.page_batches():
        here = start + np.flatnonzero(used[start : start + len(pages)])
        numbers[here] = writer.add_pages(pages[here - start])
        start += len(pages)
    return numbers


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
