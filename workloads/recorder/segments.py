"""A recording on disk while it is made: complete segments, each a small trace, put together at the end.

While a trace `NAME.cswap` is recorded, a hidden folder `.NAME.cswap.recording` beside it holds `recording.json` (what
is known from the start) and the segments `000001.cswap`, `000002.cswap`, ...: whole traces, on disk to the last byte.
However the recorder ends, at most the last few seconds are missing in them.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from workloads.disk import open_trace
from workloads.errors import HostError, TraceError
from workloads.events import Events
from workloads.host.registry import started
from workloads.pageindex import renumbered
from workloads.progress import Progress, silent
from workloads.recorder.privacy import hand_over, private
from workloads.recorder.program import invoking_user
from workloads.recorder.rows import Epoch
from workloads.trace import Trace
from workloads.verification import verify
from workloads.writer import TraceWriter, check_new

START_FILE = "recording.json"
MOST_PAGES = 1 << 14  # of a segment
MOST_SECONDS = 2.0


def folder_of(out: Path) -> Path:
    """Where the segments of a recording of `out` lie. Raises TraceError when `out` has no name, as `.`."""
    if not out.name:
        raise TraceError.at(out, "folder", "has no name", "give the trace one, such as mine.cswap")
    return out.with_name(f".{out.name}.recording")


def check_unused(out: Path) -> None:
    """Raise TraceError when `out` exists, or an unfinished recording of it, or the folder it is to lie in does not."""
    folder = folder_of(check_new(out))
    if folder.exists():
        remedy = f"rescue it with `cswap trace recover {out}`, or remove it"
        raise TraceError.at(folder, "folder", "holds an unfinished recording", remedy)


class Segments:
    """Takes epochs and writes segments. Nothing is in `out` before `finish`."""

    def __init__(self, out: Path, page_size: int, source: Mapping[str, Any]) -> None:
        """Make the folder. `source` is what is known by now. Raises TraceError as `check_unused`."""
        check_unused(out)
        self.out, self.folder, self._page_size = out, folder_of(out), page_size
        try:
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            wrong = f"cannot be written ({error.strerror})"
            raise TraceError.at(out.parent, "folder", wrong, "choose another place") from error
        pid = os.getpid()
        start = {"page_size": page_size, "pid": pid, "started": started(pid), "source": dict(source)}
        (self.folder / START_FILE).write_text(json.dumps(start, indent=1) + "\n")
        self.events = self.pages = self.written = 0
        self._number = 0
        self._writer: TraceWriter | None = None
        self._filled, self._began = 0, 0.0

    def add(self, epoch: Epoch) -> None:
        """Append the events of an epoch, and finish the segment when it is large or old enough."""
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
            self.close()

    def close(self) -> None:
        """Finish the segment that is being written."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.__exit__(None, None, None)
        for path in (*writer.path.iterdir(), writer.path, self.folder):
            _sync(path)
        self.pages += open_trace(writer.path).unique_pages
        self.written += sum(path.stat().st_size for path in writer.path.iterdir())

    def finish(self, source: Mapping[str, Any], progress: Progress | None = None) -> Trace:
        """Make the trace of all segments, and remove them. `progress` is called with events done and in all."""
        self.close()
        trace = _join(sorted(self.folder.glob("*.cswap")), self.out, self._page_size, source, progress)
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
        if self._number and any(self.folder.glob("[0-9]*.cswap")):
            return True
        shutil.rmtree(self.folder, ignore_errors=True)
        return False


def recover(out: Path, progress: Progress | None = None) -> Trace:
    """Make the trace of what a killed recorder has left: all segments that are whole, in their order.

    Raises TraceError when there is no unfinished recording of `out`, when its recorder still runs, or when no segment
    is whole. The segments go only when the trace is there, as private as the recorder would have made it.
    """
    folder = folder_of(out)
    if not folder.is_dir():
        raise TraceError.at(folder, "folder", "does not exist", f"there is no unfinished recording of {out}")
    try:
        start = json.loads((folder / START_FILE).read_text())
        pid, began, page_size, source = start["pid"], start["started"], int(start["page_size"]), dict(start["source"])
    except PermissionError as error:
        remedy = "recover it with sudo, as it was recorded"
        raise TraceError.at(folder, "folder", "is another user's", remedy) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        wrong = f"cannot be read ({error})"
        raise TraceError.at(folder / START_FILE, "JSON", wrong, "nothing can be rescued; remove the folder") from error
    if began is not None and started(pid) == began:
        raise TraceError.at(folder, "folder", f"is being written by process {pid}", "end that recorder first")
    found = sorted(folder.glob("*.cswap"))
    whole = list(_whole(found))
    if not whole:
        raise TraceError.at(folder, "segments", "none is whole", "nothing can be rescued; remove the folder")
    source["recovered"] = {"segments": len(whole), "damaged": len(found) - len(whole)}
    with private():
        trace = _join(whole, out, page_size, source, progress)
    hand_over(out, invoking_user())
    shutil.rmtree(folder)
    return trace


def _whole(segments: list[Path]) -> Iterator[Path]:
    """The segments up to the first that is damaged: later ones would miss what happened in it."""
    for path in segments:
        try:
            verify(path)
        except TraceError:
            return
        yield path


def _join(
    segments: list[Path], out: Path, page_size: int, source: Mapping[str, Any], progress: Progress | None
) -> Trace:
    opened = [open_trace(path) for path in segments]
    total, done = sum(trace.n_events for trace in opened), 0
    with TraceWriter(out, page_size, source) as writer:
        if not opened:
            writer.add_events(Events.of([], [], []))
        for trace in opened:
            numbers = np.concatenate([np.empty(0, np.int32), *map(writer.add_pages, trace.page_batches())])
            for events in trace.batches():
                writer.add_events(renumbered(events, numbers))
                done += len(events)
                (progress or silent)(done, total)
    return open_trace(out)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
