"""Where the kernel's direct map of all memory lies, found with a page of known content.

`page_offset_base` and `vmemmap_base` are random at each boot (KASLR) and many kernels do not name them to anyone.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from workloads.errors import HostError
from workloads.recorder.bpf.control import Control

PAGE = mmap.PAGESIZE
_FRAME = (1 << 55) - 1  # of an entry of pagemap; Documentation/admin-guide/mm/pagemap.rst
_TRIES = 5  # the frame may be moved (compaction) between looking and reading


def find_direct_map(control: Control, device: Path) -> None:
    """Read a block of `device` into a page that holds a pattern; the programs see where the pattern lies.

    Raises HostError when it is nowhere.
    """
    page = mmap.mmap(-1, PAGE)
    fd = os.open(device, os.O_RDONLY | os.O_DIRECT)
    try:
        for _ in range(_TRIES):
            page[:] = os.urandom(PAGE)
            for place in range(4):
                control.pattern[place] = int.from_bytes(page[8 * place : 8 * place + 8], "little")
            control.frame = _frame_of(page)
            control.probing = 1
            os.preadv(fd, [page], 0)
            control.probing = 0
            if control.found:
                return
    finally:
        control.probing = 0
        os.close(fd)
    raise HostError("the kernel's direct map of memory was not found")


def _frame_of(page: mmap.mmap) -> int:
    import ctypes

    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
        pagemap.seek(address // PAGE * 8)
        return int.from_bytes(pagemap.read(8), "little") & _FRAME
