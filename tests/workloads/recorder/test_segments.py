"""Segments on disk: what is there after the recorder was killed, and the trace that is made of it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workloads import open_trace, verify
from workloads.errors import HostError, TraceError
from workloads.recorder import segments
from workloads.recorder.background import Background
from workloads.recorder.rows import Epoch
from workloads.recorder.segments import Segments, folder_of, recover
from workloads.traces.events import IN, OUT, Events

PAGE = 4096
ROOT = Path(__file__).parents[3]
WRITER = """
import sys, time
sys.path.insert(0, {here!r})
from pathlib import Path
from test_segments import epoch
from workloads.recorder import segments
segments.MOST_SECONDS = 0.05
writing = segments.Segments(Path({out!r}), 4096, {{"command": ["x"]}})
number = 0
while True:
    writing.add(epoch(number))
    number += 1
    print(number, flush=True)
    time.sleep(0.01)
"""


def epoch(number: int) -> Epoch:
    """Two page-outs, one of them always of the same contents, and a page-in."""
    content = np.zeros((2, PAGE), np.uint8)
    content[0, :8] = np.frombuffer(number.to_bytes(8, "little"), np.uint8)
    content[:, 8] = 1, 2
    events = Events.of([OUT, OUT, IN], [number, 0, 0], [0, 1, -1], [number * 10] * 3, [7] * 3)
    return Epoch(events, content)


def check(out: Path, epochs: int) -> None:
    """The trace is that of the first epochs, in their order."""
    verify(out)
    trace = open_trace(out)
    assert trace.counts["out"] == 2 * epochs
    assert trace.unique_pages == epochs + (epochs > 0), "contents are stored once over all segments"
    (events,) = trace.batches()
    assert events.slot[::3].tolist() == list(range(epochs))
    pages = trace.page_array(0, trace.unique_pages)
    for row in range(0, len(events), 3):
        assert int.from_bytes(pages[events.page[row]][:8].tobytes(), "little") == row // 3


def test_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_PAGES", 6)
    out = tmp_path / "x.cswap"
    writing = Segments(out, PAGE, {"command": ["x"]})
    assert stat.S_IMODE(folder_of(out).stat().st_mode) == 0o700
    for number in range(10):
        writing.add(epoch(number))
    assert len(list(folder_of(out).glob("*.cswap"))) == 3, "three epochs fill a segment"
    seen: list[tuple[int, int]] = []
    trace = writing.finish({"command": ["x"], "ended": "y"}, lambda done, total: seen.append((done, total)))
    assert trace.source == {"command": ["x"], "ended": "y"}
    assert seen[-1] == (30, 30)
    assert os.listdir(tmp_path) == ["x.cswap"]
    check(out, 10)


def samples(number: int) -> pd.DataFrame:
    return pd.DataFrame({"time_ns": [number * 10, number * 10 + 5], "limit": 64 << 20, "file": number})


def test_samples_of_memory_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_PAGES", 4)
    writing = Segments(tmp_path / "x.cswap", PAGE, {})
    nothing = Epoch(epoch(0).events[:0], epoch(0).content[:0])
    for number, took in enumerate([nothing, epoch(1), epoch(2), epoch(3), nothing]):
        writing.add(took, samples(number) if number != 2 else None)
    assert len(list(writing.folder.glob("*.cswap"))) == 1
    memory = writing.finish({}).memory
    assert memory is not None
    assert memory["time_ns"].tolist() == [0, 5, 10, 15, 30, 35, 40, 45]
    assert memory["file"].tolist() == [0, 0, 1, 1, 3, 3, 4, 4]
    verify(tmp_path / "x.cswap")


def test_nothing_happened(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    assert Segments(out, PAGE, {}).finish({}).n_events == 0
    verify(out)
    writing = Segments(tmp_path / "y.cswap", PAGE, {})
    writing.add(Epoch(epoch(0).events[:0], epoch(0).content[:0]), samples(1))
    assert len(writing.finish({}).memory) == 2  # type: ignore[arg-type]


def test_killed(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    script = WRITER.format(here=str(Path(__file__).parent), out=str(out))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=env) as running:
        assert running.stdout is not None
        folder = folder_of(out)
        while len(list(folder.glob("[0-9]*.cswap"))) < 3:
            written = int(running.stdout.readline())
        with pytest.raises(TraceError, match=rf"is being written by process {running.pid}; end that recorder first"):
            recover(out)
        running.send_signal(signal.SIGKILL)
    whole = len(list(folder.glob("[0-9]*.cswap")))
    trace = recover(out)
    assert trace.source == {"command": ["x"], "recovered": {"segments": whole, "damaged": 0}}
    assert os.listdir(tmp_path) == ["x.cswap"]
    epochs = trace.counts["out"] // 2
    assert whole <= epochs <= written + 20
    check(out, epochs)


def test_damaged_segments_end_what_can_be_rescued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_PAGES", 2)
    monkeypatch.setattr(segments, "started", lambda pid: 1 if pid == os.getpid() else None)
    out = tmp_path / "x.cswap"
    writing = Segments(out, PAGE, {})
    for number in range(4):
        writing.add(epoch(number))
    monkeypatch.setattr(segments, "started", lambda pid: None)
    with (folder_of(out) / "000003.cswap" / "pages.parquet").open("r+b") as file:
        file.seek(50)
        file.write(b"damaged")
    assert recover(out).source["recovered"] == {"segments": 2, "damaged": 2}
    check(out, 2)


def test_refused(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    with pytest.raises(TraceError, match=r"there is no unfinished recording of .*x\.cswap"):
        recover(out)
    with pytest.raises(TraceError, match="none: folder: does not exist; create it first"):
        Segments(tmp_path / "none" / "x.cswap", PAGE, {})
    for nameless in (Path(), Path("/")):
        with pytest.raises(TraceError, match="exists; remove it"):
            Segments(nameless, PAGE, {})
        with pytest.raises(TraceError, match="has no name"):
            recover(nameless)
    writing = Segments(out, PAGE, {})
    with pytest.raises(TraceError, match=r"holds an unfinished recording; rescue it with `cswap trace recover"):
        Segments(out, PAGE, {})
    writing.finish({})
    with pytest.raises(TraceError, match="exists; remove it"):
        Segments(out, PAGE, {})
    bare = tmp_path / ".y.cswap.recording"
    bare.mkdir()
    with pytest.raises(TraceError, match="nothing can be rescued"):
        recover(tmp_path / "y.cswap")


def test_what_went_wrong_says_how_to_rescue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "x.cswap"
    for text, written in (("the disk is full", 3), ("no tracefs", 0)):
        writing = Segments(out, PAGE, {})
        with pytest.raises((HostError, OSError), match=text) as raised:
            fail(writing, written, text)
        assert ("; `cswap trace recover" in str(raised.value)) == (written > 0)
        assert folder_of(out).exists() == (written > 0), "what cannot be rescued is removed"
        if written:
            monkeypatch.setattr(segments, "started", lambda pid: None)
            recover(out)
            check(out, written)
            out.rename(tmp_path / "y.cswap")


def fail(writing: Segments, written: int, text: str) -> None:
    with writing.kept():
        for number in range(written):
            writing.add(epoch(number))
        raise OSError(text)


def test_what_is_written_behind_its_back_is_in_order_and_fails_aloud() -> None:
    found: list[int] = []
    with Background() as background:
        for number in range(200):
            background.do(lambda n=number: found.append(n))  # type: ignore[misc]
    assert found == list(range(200))

    def full() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"), Background() as background:
        background.do(full)
    with Background() as background:
        background.do(full)
        with pytest.raises(OSError, match="disk is full"):
            until_refused(background)


def until_refused(background: Background) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        background.do(lambda: None)


def test_what_is_recovered_is_private_and_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "x.cswap"
    writing = Segments(out, PAGE, {})
    writing.add(epoch(0))
    writing.close()
    start = writing.folder / segments.START_FILE
    start.write_text(start.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {2**22 + 1}'))
    if not os.geteuid():
        monkeypatch.setenv("SUDO_UID", "65534")
        monkeypatch.setenv("SUDO_GID", "65534")
    before = os.umask(0o022)
    try:
        recover(out)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    for path in (out, *out.iterdir()):
        assert path.stat().st_uid == (os.geteuid() or 65534)
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path == out else 0o600)
