"""What distinguishes a thing in the kernel from a later one of the same name: its marks, texts by name.

Source: diskseq in Documentation/ABI/stable/sysfs-block (5.15 and later): no two disks of a boot have the same. The
inode number of what stands in sysfs, and of a cgroup, is its node's id, which is not used twice either
(fs/kernfs/dir.c).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

BLOCK = Path("/sys/block")
BOOT = Path("/proc/sys/kernel/random/boot_id")
Marks = Mapping[str, str]


def of_folder(path: Path) -> dict[str, str]:
    """The marks of a cgroup or a trace instance; {} when there is none."""
    try:
        return {"boot": boot(), "inode": str(path.lstat().st_ino)}
    except OSError:
        return {}


def of_device(name: str) -> dict[str, str]:
    """The marks of a block device; {} when there is none."""
    marks = of_folder(BLOCK / name)
    for mark, factor in (("diskseq", 1), ("size", 512)):  # in bytes
        try:
            marks[mark] = str(int((BLOCK / name / mark).read_text()) * factor)
        except OSError:
            continue  # no such device, or a kernel without it
    return marks


def boot() -> str:
    """Which start of this machine it is."""
    return BOOT.read_text().strip()


def difference(noted: Marks, found: Marks) -> str:
    """Say in which mark two differ that both have; empty if in none."""
    for mark in noted.keys() & found.keys():
        if noted[mark] != found[mark]:
            return f"its {mark} is {found[mark]}, not {noted[mark]}"
    return ""
