"""A block device as swap: its header, swapon, swapoff, and which number the kernel gave it.

Source: union swap_header in include/linux/swap.h, swapon(2), Documentation/admin-guide/mm/pagemap.rst (6.18).
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from workloads.errors import HostError
from workloads.host.direct import SlotReader

SIGNATURE = b"SWAPSPACE2"
FIRST = 1  # the first page that can hold anything; page 0 is the header
HIGHEST = 32767
SWAP_FLAG_PREFER = 0x8000
MADV_PAGEOUT = 21
PATIENCE_S = 30.0
_libc = ctypes.CDLL(None, use_errno=True)


def header(n_slots: int, page_size: int, identity: uuid.UUID | None = None) -> bytes:
    """The first page of a swap device of `n_slots` pages, as mkswap of util-linux writes it, label "cswap".

    `identity` is its UUID, a new one by default.
    """
    page = bytearray(page_size)
    struct.pack_into("<III", page, 1024, 1, n_slots - 1, 0)  # version, last page, bad pages
    page[1036:1052] = (identity or uuid.uuid4()).bytes
    page[1052:1057] = b"cswap"
    page[-len(SIGNATURE) :] = SIGNATURE
    return bytes(page)


def identity_of(device: Path, page_size: int) -> str:
    """The UUID that a device has as swap; empty when its first page is all zeros, "none" when it is not swap."""
    reader = SlotReader(device, page_size)
    try:
        (page,), _, (used,) = reader.read(np.zeros(1, np.int64))
    finally:
        reader.close()
    if not used:
        return ""
    swap = page[-len(SIGNATURE) :].tobytes() == SIGNATURE
    return str(uuid.UUID(bytes=page[1036:1052].tobytes())) if swap else "none"


def swap_on(device: Path) -> None:
    """Let the kernel swap to the device before any other. Raises HostError."""
    if _libc.swapon(os.fsencode(device), SWAP_FLAG_PREFER | HIGHEST):
        reason = os.strerror(ctypes.get_errno())
        raise HostError(f"{device}: swapon is refused ({reason}); swap may be off in this kernel or container")


def swap_off(device: Path) -> None:
    """Bring all pages back and stop swapping to the device; does nothing when it is not swap. Raises HostError."""
    end = time.monotonic() + PATIENCE_S
    while _libc.swapoff(os.fsencode(device)):
        code = ctypes.get_errno()
        if code in (errno.EINVAL, errno.ENOENT):  # not swap, or gone
            return
        if code not in (errno.EINTR, errno.ENOMEM) or time.monotonic() > end:
            raise HostError(f"{device}: swapoff is refused ({os.strerror(code)}); free memory, then `swapoff {device}`")
        time.sleep(0.1)


def active() -> dict[str, int]:
    """The devices that are swap now, each with its priority."""
    rows = [line.split() for line in Path("/proc/swaps").read_text().splitlines()[1:]]
    return {row[0]: int(row[4]) for row in rows}


@contextmanager
def page_out_own() -> Iterator[tuple[int, int, bytes]]:
    """Send a page of this process to the swap that comes first; its swap number, its slot, its contents.

    So the kernel itself tells which number it gave the device, and that it takes pages. The slot is free again at the
    end. Raises HostError.
    """
    content = b"cswap was here. " * (mmap.PAGESIZE // 16)
    with mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:] = content
        address = ctypes.addressof(anchor := ctypes.c_char.from_buffer(memory))
        del anchor
        end = time.monotonic() + 2
        with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
            while time.monotonic() < end:
                memory.madvise(MADV_PAGEOUT)
                (entry,) = struct.unpack("<Q", os.pread(pagemap.fileno(), 8, address // mmap.PAGESIZE * 8))
                if entry >> 62 & 1:
                    yield entry & 31, entry >> 5 & (1 << 50) - 1, content
                    return
                time.sleep(0.01)
    raise HostError("a page of our own could not be paged out; is the swap just added full or unusable?")
