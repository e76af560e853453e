"""A memory cgroup, in folders that only look like one, with processes that are real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workloads.host import cgroup
from workloads.host.cgroup import RELIEF, MemoryCgroup

SIZE = 64 << 20


@pytest.fixture
def first(tmp_path: Path) -> MemoryCgroup:
    """One of version 1 with a limit."""
    made = MemoryCgroup(tmp_path, 1)
    made.limit(SIZE)
    return made


def said(made: MemoryCgroup, name: str) -> str:
    return (made.path / name).read_text()


def short_of_memory(made: MemoryCgroup, yes: bool) -> None:
    (made.path / "memory.oom_control").write_text(f"oom_kill_disable 1\nunder_oom {yes:d}\noom_kill 0\n")


def test_limits(first: MemoryCgroup, tmp_path: Path) -> None:
    assert said(first, "memory.limit_in_bytes") == str(SIZE)
    assert said(first, "memory.oom_control") == "1", "nothing is killed for want of memory"
    assert said(first, "memory.swappiness") == "100"
    second = MemoryCgroup(tmp_path, 2)
    second.limit(SIZE)
    assert said(second, "memory.high") == str(SIZE)
    second.relieve()
    assert second.relieved == 0


def test_who_is_stopped_for_memory_is_given_some_and_gives_it_back(
    first: MemoryCgroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_of_memory(first, False)
    first.relieve()
    assert said(first, "memory.limit_in_bytes") == str(SIZE)
    short_of_memory(first, True)
    first.relieve()
    first.relieve()
    assert said(first, "memory.limit_in_bytes") == str(SIZE + 2 * RELIEF)
    assert first.relieved == 2
    short_of_memory(first, False)
    write = MemoryCgroup._set

    def busy(self: MemoryCgroup, name: str, value: int) -> None:
        raise OSError(16, "busy")

    monkeypatch.setattr(MemoryCgroup, "_set", busy)
    first.relieve()
    monkeypatch.setattr(MemoryCgroup, "_set", write)
    assert said(first, "memory.limit_in_bytes") == str(SIZE + 2 * RELIEF)
    first.relieve()
    assert said(first, "memory.limit_in_bytes") == str(SIZE), "tried again"


def test_a_moved_limit_is_what_relief_comes_on_top_of(first: MemoryCgroup) -> None:
    short_of_memory(first, True)
    first.relieve()
    assert first.move(SIZE // 2)
    assert said(first, "memory.limit_in_bytes") == str(SIZE // 2 + RELIEF)
    short_of_memory(first, False)
    first.relieve()
    assert said(first, "memory.limit_in_bytes") == str(SIZE // 2)


def test_relief_does_not_wait_for_a_limit_that_is_moving(first: MemoryCgroup) -> None:
    short_of_memory(first, True)
    with first._moving:
        first.relieve()
    assert first.relieved == 0
    first.relieve()
    assert first.relieved == 1


@pytest.fixture
def running(first: MemoryCgroup) -> Iterator[subprocess.Popen[str]]:
    """A process with two threads."""
    script = (
        "import threading, time; t = threading.Thread(target=time.sleep, args=(600,)); t.start(); print(1, flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (first.path / "cgroup.procs").write_text(f"{process.pid}\n{2**22 + 1}\n")  # the second is gone
        yield process
        process.kill()


def test_everything_is_stopped(first: MemoryCgroup, running: subprocess.Popen[str]) -> None:
    short_of_memory(first, False)
    assert first.tasks() == [running.pid, 2**22 + 1]
    first.freeze()
    threads = list(Path(f"/proc/{running.pid}/task").iterdir())
    assert len(threads) == 2
    assert {(thread / "stat").read_text().rpartition(")")[2].split()[0] for thread in threads} == {"T"}
    first.thaw()
    assert os.waitid(os.P_PID, running.pid, os.WCONTINUED) is not None


def test_everything_is_killed(
    first: MemoryCgroup, running: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alive = [[running.pid], []]
    monkeypatch.setattr(MemoryCgroup, "tasks", lambda self: alive.pop(0))
    first.kill()
    assert running.wait(10) == -9


def test_what_stays_busy_is_said(first: MemoryCgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "PATIENCE_S", 0.01)
    monkeypatch.setattr(MemoryCgroup, "kill", lambda self: None)
    with pytest.raises(cgroup.HostError, match=r"the cgroup stayed busy for 0 s; look at its tasks"):
        first.remove()  # the folder is not empty


def test_what_is_gone_needs_no_removal(tmp_path: Path) -> None:
    MemoryCgroup(tmp_path / "none", 1).remove()
    assert MemoryCgroup(tmp_path / "none", 2).tasks() == []


def test_cgroups_below_belong_to_it(first: MemoryCgroup, running: subprocess.Popen[str], tmp_path: Path) -> None:
    below = tmp_path / "inner" / "innermost"
    below.mkdir(parents=True)
    (below / "cgroup.procs").write_text("7\n")
    assert first.tasks() == [7, running.pid, 2**22 + 1]
    (below / "cgroup.procs").unlink()
    for file in tmp_path.glob("*.*"):
        file.unlink()
    first.remove()
    assert not tmp_path.exists()


def test_version_2_goes_on_when_it_is_thawed(tmp_path: Path) -> None:
    second = MemoryCgroup(tmp_path, 2)
    (tmp_path / "cgroup.freeze").write_text("1")
    second.thaw()
    assert said(second, "cgroup.freeze") == "0"
