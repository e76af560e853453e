"""mount(2) and umount2(2) for file systems without a device."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from workloads.errors import HostError

MNT_DETACH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def mount(kind: str, place: Path) -> None:
    """Mount a file system of that kind. Raises HostError."""
    if _libc.mount(b"none", os.fsencode(place), kind.encode(), 0, None):
        raise HostError(f"{place}: {kind} cannot be mounted ({os.strerror(ctypes.get_errno())}); run as root")


def unmount(place: Path) -> None:
    """Unmount it and remove the folder it was mounted on; nothing when that was done before."""
    if _libc.umount2(os.fsencode(place), MNT_DETACH) and ctypes.get_errno() not in (errno.EINVAL, errno.ENOENT):
        raise HostError(f"{place}: cannot be unmounted ({os.strerror(ctypes.get_errno())}); `umount {place}`")
    if place.is_dir():
        place.rmdir()
