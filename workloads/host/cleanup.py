"""Removal of what killed recorders left in the kernel."""

from __future__ import annotations

import time
from pathlib import Path

from workloads.errors import HostError
from workloads.host.cgroup import MemoryCgroup
from workloads.host.mounting import unmount
from workloads.host.registry import Entry, Journal, journals
from workloads.host.swap import swap_off
from workloads.host.tracefs import remove_instance
from workloads.host.zram import ZramDevice, zram_names

PATIENCE_S = 5.0


def cleanup() -> tuple[list[Entry], int]:
    """Remove everything that journals of ended processes name: what was removed, and how many recorders still run.

    What a living recorder has made, or anybody else, is not touched. Raises HostError for what cannot be removed; what
    was removed before is crossed out.
    """
    removed: list[Entry] = []
    for journal in left_behind():
        for entry in reversed(journal.entries()):
            removed += _remove(entry)
            journal.remove(entry)
        journal.path.unlink(missing_ok=True)
        journal.path.with_suffix(".part").unlink(missing_ok=True)
    return removed, len(_living())


def _living() -> list[Journal]:
    return [journal for journal in journals() if journal.alive]


def _remove(entry: Entry) -> list[Entry]:
    if entry.what == "swap":
        swap_off(Path(entry.name))
    elif entry.what == "device":
        ZramDevice.of(entry.name).remove()
    elif entry.what == "cgroup":
        MemoryCgroup(Path(entry.name), _version(Path(entry.name))).remove()
    elif entry.what == "instance":
        remove_instance(Path(entry.name))
    elif entry.what == "mount":
        unmount(Path(entry.name))
    elif entry.what == "adding":
        return _half_added(set(entry.name.split(",")))
    return [entry]


def _half_added(others: set[str]) -> list[Entry]:
    """The device that was added just when the recorder was killed: new since, of no size yet, and no recorder's."""
    found, names = [], zram_names()
    end = time.monotonic() + PATIENCE_S
    while any(entry.what == "adding" for journal in _living() for entry in journal.entries()):
        if time.monotonic() > end:
            raise HostError("another recorder is adding a device; clean up again when it is done")
        time.sleep(0.02)
    others |= {entry.name for journal in _living() for entry in journal.entries()}
    for name in names:
        device = ZramDevice.of(name)
        if name not in others and device.unused():
            device.remove()
            found.append(Entry("device", name))
    return found


def _version(path: Path) -> int:
    return 2 if (path / "cgroup.controllers").exists() else 1


def left_behind() -> list[Journal]:
    """The journals of recorders that were killed."""
    return [journal for journal in journals() if not journal.alive]
