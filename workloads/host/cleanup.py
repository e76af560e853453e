"""Removal of what killed recorders left in the kernel; of what another may have made since, nothing is touched."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from workloads.errors import HostError
from workloads.host.cgroup import MemoryCgroup
from workloads.host.identity import difference, of_device, of_folder
from workloads.host.mounting import unmount
from workloads.host.registry import Entry, Journal, journals
from workloads.host.swap import active, identity_of, swap_off
from workloads.host.tracefs import remove_instance
from workloads.host.zram import PAGE, ZramDevice, zram_names

PATIENCE_S = 5.0
ADDING_S = 2.0  # from the note that a device will be added to when it is there, at most

Tell = Callable[[str], None]


def cleanup(tell: Tell = lambda line: None) -> tuple[list[Entry], int]:
    """Remove everything that journals of ended processes name: what was removed, and how many recorders still run.

    What a living recorder has made, or anybody else, is not touched; `tell` is called with a line for each thing of a
    noted name that is not surely the noted one. Raises HostError for what cannot be removed; what was removed before is
    crossed out.
    """
    removed: list[Entry] = []
    for journal in left_behind():
        noted_at = journal.path.stat().st_mtime
        for entry in _settled(journal.entries()):
            if entry.what == "adding":
                removed += _half_added(set(entry.name.split(",")), noted_at, tell)
            elif entry.what in ("swap", "device"):
                removed += _remove_device(entry, tell)
            else:
                removed += _remove(entry, journal, tell)
            journal.remove(entry)
        journal.path.unlink(missing_ok=True)
        journal.path.with_suffix(".part").unlink(missing_ok=True)
    return removed, len(_living())


def _settled(entries: list[Entry]) -> list[Entry]:
    """The last first; a device that was noted and not yet marked is still one that is being added."""
    adding = any(entry.what == "adding" for entry in entries)
    return [entry for entry in reversed(entries) if entry.what != "device" or entry.marks or not adding]


def left_behind() -> list[Journal]:
    """The journals of recorders that were killed."""
    return [journal for journal in journals() if not journal.alive]


def _living() -> list[Journal]:
    return [journal for journal in journals() if journal.alive]


def _remove(entry: Entry, journal: Journal, tell: Tell) -> list[Entry]:
    """Remove a cgroup, a trace instance or a mount."""
    path = Path(entry.name)
    found = of_folder(path)
    doubt = difference(entry.marks, found)
    if found and not entry.marks and f"{journal.pid}-{journal.start}" not in entry.name:
        doubt = "it was noted without anything to tell it by"
    if doubt:
        tell(_left_alone(entry, doubt))
        return []
    if entry.what == "cgroup":
        MemoryCgroup(path, 2 if (path / "cgroup.controllers").exists() else 1).remove()
    elif entry.what == "instance":
        remove_instance(path)
    elif entry.what == "mount":
        unmount(path)
    return [entry]


def _remove_device(entry: Entry, tell: Tell) -> list[Entry]:
    """Swap off, or remove, a device that is the noted one; while it is looked at it is held, so that it stays that."""
    device = ZramDevice.of(Path(entry.name).name)
    device.hold()
    try:
        doubt = _doubt(entry, device)
        if doubt:
            tell(_left_alone(entry, doubt))
            return []
        if entry.what == "swap":
            swap_off(Path(entry.name))
        else:
            device.remove()
    finally:
        device.close()
    return [entry]


def _doubt(entry: Entry, device: ZramDevice) -> str:
    """Why a device may not be the noted one; empty when it surely is, or is gone."""
    found, path = device.marks(), Path("/dev", device.name)
    if not found or (entry.what == "swap" and str(path) not in active()):
        return ""
    if not entry.marks:
        return "it was noted without anything to tell it by"
    differs = difference(entry.marks, found)
    if differs or entry.what == "device":
        return differs or ("it is swap, which the recorder's is no more" if str(path) in active() else "")
    identity = identity_of(path, PAGE) if "size" in found else ""
    return difference(entry.marks, {"uuid": identity}) if identity else ""


def _left_alone(entry: Entry, doubt: str) -> str:
    return f"left alone {entry.what} {entry.name}: it may be another than the killed recorder's, as {doubt}"


def _half_added(others: set[str], noted_at: float, tell: Tell) -> list[Entry]:
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
        if name in others or not device.unused():
            continue
        entry = Entry("device", name, of_device(name))
        if _added_then(name, noted_at):
            device.remove()
            found.append(entry)
        else:
            tell(_left_alone(entry, "it was added at another time"))
    return found


def _added_then(name: str, noted_at: float) -> bool:
    try:
        added = Path("/dev", name).stat().st_mtime
    except FileNotFoundError:
        return True  # nobody can use it
    return -0.1 <= added - noted_at <= ADDING_S
