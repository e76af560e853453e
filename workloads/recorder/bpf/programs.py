"""The programs at work on one device and one cgroup."""

from __future__ import annotations

import mmap
import os
from functools import cache
from pathlib import Path

from workloads.errors import HostError
from workloads.recorder.bpf.control import Control
from workloads.recorder.bpf.direct_map import find_direct_map
from workloads.recorder.bpf.loaded import SLOT_FREE, Loaded
from workloads.recorder.bpf.ring import Pool, Ring

BTF = Path("/sys/kernel/btf/vmlinux")
WRITES = ("bio_queue", "folio_written")
RELEASES = ("bio_complete", "cache_free")  # where SLOT_FREE cannot be
SWEEP = "sweep"


def missing() -> str:
    """What this host lacks for BPF programs; empty when they work."""
    if os.geteuid() != 0:
        return "it needs root"
    if not BTF.exists():
        return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
    return _trial()


@cache
def _trial() -> str:
    """Load the programs and let them go: whether a kernel takes them is known only then."""
    try:
        Loaded(1, slot_free=False).close()
    except HostError as error:
        return str(error)
    return ""


class Programs:
    """Loaded and attached from construction to `close`, idle until `control.armed` is set.

    `names_frees`: whether every slot that is freed on the device makes an event, or its next page-out tells.
    """

    def __init__(self, device: Path, number: tuple[int, int], n_slots: int, cgroup: int) -> None:
        """`number`: major and minor; `cgroup`: inode of the memory cgroup's folder.

        Raises HostError without libbpf, or when the kernel refuses.
        """
        self._loaded, traces_functions = _load(n_slots)
        try:
            self.control = Control.from_buffer(mmap.mmap(self._loaded.map_fd(".bss"), mmap.PAGESIZE))
            self.ring = Ring(self._loaded.map_fd("ring"))
            self.pool = Pool(self._loaded.map_fd("pool"))
            self.control.device = number[0] << 20 | number[1]
            self.control.cgroup = cgroup
            self._loaded.attach(*WRITES)
            find_direct_map(self.control, device)
            self._sweeps = not traces_functions and bool(self.control.table_known)
            if self._sweeps:
                self._loaded.attach(*RELEASES)
            self.names_frees = traces_functions or self._sweeps
        except BaseException:
            self.close()
            raise

    def sweep(self) -> None:
        """Look for frees that the kernel does not report; call it every few milliseconds."""
        if self._sweeps:
            self._loaded.run(SWEEP)

    def close(self) -> None:
        """Detach and unload everything."""
        self._loaded.close()


def _load(n_slots: int) -> tuple[Loaded, bool]:
    """Load, and say whether the kernel lets its functions be traced, which many do not."""
    try:
        loaded = Loaded(n_slots, slot_free=True)
    except HostError:
        return Loaded(n_slots, slot_free=False), False
    try:
        loaded.attach(SLOT_FREE)
    except HostError:
        loaded.close()
        return Loaded(n_slots, slot_free=False), False
    return loaded, True
