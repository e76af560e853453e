"""Copies are as private as what they are copied from, and part folders are private and go with their writers."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trace_kit

from workloads import import_csv, open_trace, sample_slots, save_trace, strip_trace
from workloads.partfolder import PartFolder
from workloads.permissions import withheld
from workloads.traces.events import OUT, Events
from workloads.traces.sizes import Sizes
from workloads.traces.writer import TraceWriter

ROOT = Path(__file__).parents[2]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def modes(folder: Path) -> tuple[int, set[int]]:
    return mode(folder), {mode(path) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def usual_umask() -> object:
    before = os.umask(0o022)
    yield
    os.umask(before)


def saved(folder: Path, bits: int) -> Path:
    """A trace from which these permissions are taken."""
    save_trace(trace_kit.tiny(), folder)
    for path in (*folder.rglob("*"), folder):
        path.chmod(mode(path) & ~bits)
    return folder


@pytest.mark.parametrize(
    ("bits", "made"), [(0, (0o755, {0o644})), (0o077, (0o700, {0o600})), (0o007, (0o750, {0o640}))]
)
def test_copies_with_contents_are_as_private(tmp_path: Path, bits: int, made: tuple[int, set[int]]) -> None:
    trace = open_trace(saved(tmp_path / "x.cswap", bits))
    save_trace(trace, tmp_path / "copy.cswap")
    save_trace(sample_slots(trace, 0.9, 0), tmp_path / "sample.cswap")
    save_trace(sample_slots(sample_slots(trace, 0.9, 0), 0.9, 0), tmp_path / "again.cswap")
    for name in ("copy", "sample", "again"):
        assert modes(tmp_path / f"{name}.cswap") == made
    strip_trace(trace, tmp_path / "shared.cswap", {"lz4": Sizes.given(range(1, 6))})
    assert modes(tmp_path / "shared.cswap") == (0o755, {0o644}), "there is nothing in it to be kept from anybody"


def test_one_of_them_is_enough(tmp_path: Path) -> None:
    folder = saved(tmp_path / "x.cswap", 0)
    assert withheld(folder, folder / "pages.parquet") == 0
    (folder / "pages.parquet").chmod(0o640)
    assert withheld(folder, folder / "pages.parquet") == 0o007
    folder.chmod(0o701)
    assert withheld(folder, folder / "pages.parquet") == 0o077


def test_what_is_imported_is_as_private_as_its_pages(tmp_path: Path) -> None:
    events, pages = tmp_path / "e.csv", tmp_path / "p.bin"
    events.write_text("ts_ns,kind,pid,slot,page\n0,out,1,0,0\n")
    pages.write_bytes(bytes(range(256)) * 16)
    pages.chmod(0o600)
    import_csv(events, pages, tmp_path / "x.cswap")
    assert modes(tmp_path / "x.cswap") == (0o700, {0o600})


def test_what_is_being_written_is_private(tmp_path: Path) -> None:
    os.umask(0)
    with TraceWriter(tmp_path / "x.cswap", 64, {}) as writer:
        writer.add_pages(np.ones((3, 64), np.uint8))
        writer.add_events(Events.of([OUT], [0], [0]))
        (part,) = tmp_path.iterdir()
        assert modes(part) == (0o700, {0o600})
    assert modes(tmp_path / "x.cswap") == (0o777, {0o666})
    os.umask(0o022)


KILLED = """
import os, signal, sys
import numpy as np
from workloads.traces.writer import TraceWriter
with TraceWriter(sys.argv[1], 64, {}) as writer:
    writer.add_pages(np.ones((3, 64), np.uint8))
    print(os.getpid(), flush=True)
    sys.stdin.read() if sys.argv[2:] else os.kill(os.getpid(), signal.SIGKILL)
"""


def writer(out: Path, *words: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", KILLED, str(out), *words], text=True, env=env, **piped)  # type: ignore[call-overload,no-any-return]


def test_what_a_kill_left_goes_when_the_same_is_written_again(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    killed = writer(out)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    names = ("y.cswap.1-1.part", "x.cswap.part", "x.cswap.z.part", "x.cswap.1-2.parts")
    others = [tmp_path / f".{name}" for name in names]
    for folder in others:
        folder.mkdir()
    (tmp_path / f".x.cswap.{2**22 + 1}.part").mkdir()  # as older releases named it
    assert len(list(tmp_path.iterdir())) == 6
    save_trace(trace_kit.tiny(), out)
    assert sorted(tmp_path.iterdir()) == sorted([out, *others])


def test_who_still_writes_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    with writer(out, "wait") as running:
        assert running.stdout is not None
        running.stdout.readline()
        (part,) = tmp_path.iterdir()
        save_trace(trace_kit.tiny(), out)
        assert part.is_dir()
        running.kill()
    part.rename(locked := part.with_name(".y.cswap.1-1.part"))  # of a process that is not seen from here
    fd = os.open(locked, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    save_trace(trace_kit.tiny(), tmp_path / "y.cswap")
    assert locked.is_dir()
    os.close(fd)


def test_no_link_is_followed_when_what_was_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    (tmp_path / ".x.cswap.1-1.part").symlink_to(tmp_path / "mine")
    save_trace(trace_kit.tiny(), tmp_path / "x.cswap")
    assert (tmp_path / "mine" / "file").exists()
    assert PartFolder(tmp_path / "z.cswap").path.parent == tmp_path
