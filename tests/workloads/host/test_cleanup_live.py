"""Clean-up beside devices, swap and cgroups of others, on this host. Skipped without root or zram."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from workloads.errors import HostError
from workloads.host.cgroup import memory_hierarchy, require_cgroup
from workloads.host.cleanup import cleanup
from workloads.host.mounting import mount, unmount
from workloads.host.registry import Entry, Journal, journals
from workloads.host.swap import active, header, swap_off, swap_on
from workloads.host.zram import CONTROL, PAGE, ZramDevice, require_zram, zram_names

ROOT = Path(__file__).parents[3]
SLOTS = 4096
LEFT = """
import os, signal
from workloads.host.cgroup import memory_cgroup
from workloads.host.signals import deferred
from workloads.host.zram_swap import swap_device
with swap_device("lzo", {slots}) as swap, memory_cgroup("cswap-test-{tag}") as cgroup:
    print(swap.path.name, cgroup.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _missing() -> str:
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(_missing()), reason=f"cannot add devices here: {_missing()}"),
]


@pytest.fixture(autouse=True)
def as_before(alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test has left, of whichever kind, is removed; nothing else may be gone or there."""
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path / "run"))
    before = zram_names(), active()
    yield
    for name in set(zram_names()) - set(before[0]):
        swap_off(Path("/dev", name))
        ZramDevice.of(name).remove()
    assert (zram_names(), active()) == before


def killed() -> tuple[ZramDevice, Path]:
    """The device and the cgroup of a process that was killed; the device is swap."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    script = LEFT.format(slots=SLOTS, tag=time.monotonic_ns())
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    name, cgroup = done.stdout.split()
    return ZramDevice.of(name), Path(cgroup)


def anothers(n_slots: int = SLOTS, *, swap: bool = True) -> ZramDevice:
    """A device that somebody else has added, as swap or not."""
    device = ZramDevice(int((CONTROL / "hot_add").read_text()))
    device.start("lzo", n_slots, 0)
    device.close()
    Path("/dev", device.name).write_bytes(header(n_slots, PAGE))
    if swap:
        swap_on(Path("/dev", device.name))
    return device


def cleaned() -> tuple[list[str], list[str]]:
    said: list[str] = []
    removed, _ = cleanup(said.append)
    return [entry.what for entry in removed], said


def test_what_a_killed_recorder_left_is_removed() -> None:
    device, cgroup = killed()
    assert cleaned() == (["cgroup", "swap", "device"], [])
    assert not device.folder.exists()
    assert not cgroup.exists()
    assert cleaned() == ([], [])


@pytest.mark.parametrize("swap", [True, False])
def test_a_later_device_of_the_same_number_is_left_alone(swap: bool) -> None:
    for _ in range(2):
        device, _ = killed()
        swap_off(Path("/dev", device.name))
        device.remove()
        other = anothers(swap=swap)
        assert other.name == device.name
        removed, said = cleaned()
        assert removed == ["cgroup"] if swap else ["cgroup", "swap"], "no swap of that name is there to be switched off"
        assert len(said) == 1 + swap
        assert all(f"{device.name}: it may be another than the killed recorder's, as its " in line for line in said)
        assert (f"/dev/{other.name}" in active(), other.mm_stat().orig_data_size) == (swap, PAGE)
        assert not list(journals())
        swap_off(Path("/dev", other.name))
        other.remove()


def test_the_same_device_in_another_use_is_left_alone() -> None:
    device, _ = killed()
    path = Path("/dev", device.name)
    swap_off(path)
    (device.folder / "reset").write_text("1")
    device.start("lzo", SLOTS, 0)
    device.close()
    path.write_bytes(header(SLOTS, PAGE))
    swap_on(path)
    removed, said = cleaned()
    assert removed == ["cgroup"]
    assert "its uuid is " in said[0]
    assert "it is swap, which the recorder's is no more" in said[1]
    assert str(path) in active()


def of_the_dead(tmp_path: Path, *entries: Entry) -> Journal:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    journal = Journal(tmp_path / "run" / f"{ended.pid}-1.journal", ended.pid, 1)
    for entry in entries:
        journal.mark(journal.add(entry.what, entry.name), entry.marks)
    return journal


def test_what_was_noted_by_name_only_is_left_alone(tmp_path: Path) -> None:
    other = anothers()
    of_the_dead(tmp_path, Entry("device", other.name), Entry("swap", f"/dev/{other.name}"))
    removed, said = cleaned()
    assert removed == []
    assert len(said) == 2
    assert all("it was noted without anything to tell it by" in line for line in said)
    assert f"/dev/{other.name}" in active()


def test_a_device_that_somebody_adds_later_is_not_the_one_that_was_being_added(tmp_path: Path) -> None:
    journal = of_the_dead(tmp_path, Entry("adding", ",".join(zram_names())))
    os.utime(journal.path, (time.time() - 60,) * 2)
    device = ZramDevice(int((CONTROL / "hot_add").read_text()))
    removed, (said,) = cleaned()
    assert removed == []
    assert f"left alone device {device.name}: " in said
    assert "it was added at another time" in said
    assert device.folder.exists()
    journal = of_the_dead(tmp_path, Entry("adding", ",".join(set(zram_names()) - {device.name})))
    os.utime(journal.path, (Path("/dev", device.name).stat().st_mtime,) * 2)
    assert cleaned() == (["device"], [])


def test_a_later_cgroup_of_the_same_name_is_left_alone(tmp_path: Path) -> None:
    place = memory_hierarchy()[0] / f"cswap-test-{os.getpid()}"
    place.mkdir()
    inside = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (place / "cgroup.procs").write_text(str(inside.pid))
        (boot,) = Path("/proc/sys/kernel/random/boot_id").read_text().split()
        for marks in ({"boot": boot, "inode": "1"}, {"boot": "another", "inode": "1"}, {}):
            of_the_dead(tmp_path, Entry("cgroup", str(place), marks))
            removed, (said,) = cleaned()
            assert (removed, inside.poll()) == ([], None)
            assert said.startswith(f"left alone cgroup {place}: ")
    finally:
        inside.communicate()
        place.rmdir()


def test_another_mount_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    mount("tmpfs", place)
    try:
        (place / "file").touch()
        of_the_dead(tmp_path, Entry("mount", str(place)))
        assert cleaned()[0] == []
        assert (place / "file").exists()
    finally:
        with suppress(HostError):
            unmount(place)
