"""Journals of what was added to the kernel, and the clean-up that follows them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workloads.errors import HostError
from workloads.host import cleanup as cleaning
from workloads.host import zram, zram_swap
from workloads.host.cleanup import cleanup
from workloads.host.registry import Entry, Journal, journals, noted, own_journal, started


@pytest.fixture(autouse=True)
def run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path / "run"))
    return tmp_path / "run"


def of_the_dead(folder: Path, *entries: Entry) -> Journal:
    """The journal of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    journal = Journal(folder / f"{ended.pid}-1.journal", ended.pid, 1)
    for entry in entries:
        journal.add(entry.what, entry.name)
    return journal


def test_entries_come_and_go(run_folder: Path) -> None:
    journal = own_journal()
    assert journal.alive
    assert journal.entries() == []
    device, swap = journal.add("device", "zram7"), journal.add("swap", "/dev/zram7")
    assert [j.entries() for j in journals()] == [[Entry("device", "zram7"), Entry("swap", "/dev/zram7")]]
    journal.remove(device)
    assert journal.entries() == [swap]
    journal.remove(swap)
    assert list(run_folder.iterdir()) == []


def test_a_line_cut_off_is_left_out() -> None:
    journal = own_journal()
    entry = journal.add("device", "zram7")
    with journal.path.open("a") as file:
        file.write('{"what": "swap", "na')
    assert journal.entries() == [entry]
    journal.path.unlink()


def test_where_nothing_can_be_noted_nothing_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path / "file" / "run"))
    with pytest.raises(HostError, match=r"cannot be written .* run as root or name a folder in CSWAP_RUN"):
        own_journal().add("device", "zram7")


def test_the_end_of_a_process_is_known() -> None:
    assert started(os.getpid()) == started(os.getpid()) is not None
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = started(running.pid)
    journal = Journal(Path("x"), running.pid, start or 0)
    assert journal.alive
    assert not Journal(Path("x"), running.pid, 5).alive, "another process of the same number"
    running.kill()
    os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
    assert not journal.alive, "a zombie has ended"
    running.communicate()
    assert started(running.pid) is None


def test_what_is_gone_is_only_crossed_out(run_folder: Path, tmp_path: Path) -> None:
    gone = (
        Entry("device", "zram99999"),
        Entry("swap", "/dev/zram99999"),
        Entry("cgroup", str(tmp_path / "none")),
        Entry("mount", str(tmp_path / "no mount")),
        Entry("instance", str(tmp_path / "no instance")),
    )
    of_the_dead(run_folder, *gone)
    if os.geteuid():
        pytest.skip("swapoff needs root, even of what is no swap")
    assert cleanup() == (list(reversed(gone)), 0)
    assert list(run_folder.iterdir()) == []
    assert cleanup() == ([], 0)


def test_the_living_are_left_alone(run_folder: Path) -> None:
    own = own_journal()
    entry = own.add("device", "zram99999")
    assert cleanup() == ([], 1)
    assert own.entries() == [entry]
    own.remove(entry)


def test_a_device_that_was_just_being_added(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []

    class Device:
        def __init__(self, name: str) -> None:
            self.name = name

        @classmethod
        def of(cls, name: str) -> Device:
            return cls(name)

        def unused(self) -> bool:
            return self.name != "zram3"

        def remove(self) -> None:
            removed.append(self.name)

    monkeypatch.setattr(cleaning, "ZramDevice", Device)
    monkeypatch.setattr(cleaning, "zram_names", lambda: ["zram0", "zram1", "zram2", "zram3"])
    of_the_dead(run_folder, Entry("adding", "zram0"))
    living = own_journal()
    entry = living.add("device", "zram1")
    assert cleanup() == ([Entry("device", "zram2")], 1)
    assert removed == ["zram2"], "zram0 was there before, zram1 is a recorder's, zram3 has a size"
    living.remove(entry)


def test_what_cannot_be_removed_stays_noted() -> None:
    def fails() -> None:
        raise HostError("busy")

    with pytest.raises(HostError, match="busy"), noted("mount", "x", fails):
        assert own_journal().entries() == [Entry("mount", "x")]
    assert own_journal().entries() == [Entry("mount", "x")]
    own_journal().path.unlink()


def test_a_device_that_cannot_be_noted_is_removed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hot_add").write_text("99999\n")
    monkeypatch.setattr(zram, "CONTROL", tmp_path)
    monkeypatch.setattr(zram, "require_zram", lambda: None)
    removed: list[str] = []
    monkeypatch.setattr(zram.ZramDevice, "remove", lambda self: removed.append(self.name))
    add = Journal.add

    def full(self: Journal, what: str, name: str) -> Entry:
        if what == "device":
            raise HostError("the disk is full")
        return add(self, what, name)

    monkeypatch.setattr(Journal, "add", full)
    with pytest.raises(HostError, match="the disk is full"), zram.zram_device(None, 1):
        pytest.fail("it is not noted")
    assert removed == ["zram99999"]
    assert own_journal().entries() == []


def test_a_device_that_a_living_recorder_is_adding_is_left_alone(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "PATIENCE_S", 0.05)
    of_the_dead(run_folder, Entry("adding", "zram0"))
    living = own_journal()
    entry = living.add("adding", "zram0")
    with pytest.raises(HostError, match="another recorder is adding a device; clean up again when it is done"):
        cleanup()
    living.remove(entry)


def test_whose_swap_comes_first_is_said(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swaps = {"/dev/sda2": -2, "/dev/zram7": 32767}
    monkeypatch.setattr(zram_swap, "active", lambda: swaps)
    with pytest.raises(HostError, match="zram7 is swap with the highest priority; swap it on again with a lower one"):
        zram_swap.require_first()
    left = of_the_dead(run_folder, Entry("swap", "/dev/zram7"))
    with pytest.raises(HostError, match="left behind by a killed recorder; `cswap record cleanup` removes it"):
        zram_swap.require_first()
    left.path.unlink()
    with noted("swap", "/dev/zram7", lambda: None), pytest.raises(HostError, match="another recording that is under"):
        zram_swap.require_first()
    swaps.pop("/dev/zram7")
    zram_swap.require_first()
