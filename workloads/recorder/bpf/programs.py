"""The programs in the kernel: loaded, attached, told what to watch, and taken away again."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

from workloads.errors import HostError
from workloads.recorder.bpf.control import Control
from workloads.recorder.bpf.direct_map import find_direct_map
from workloads.recorder.bpf.libbpf import RunOptions, libbpf
from workloads.recorder.bpf.ring import Pool, Ring

OBJECT = Path(__file__).with_name("swap.bpf.o")
BTF = Path("/sys/kernel/btf/vmlinux")
WRITES = ("bio_queue", "folio_written")
SLOT_FREE = "slot_free"  # names every free, where the kernel can trace its functions
RELEASES = ("bio_complete", "cache_free")  # elsewhere
SWEEP = "sweep"
PER_SLOTS = {"handles": 1, "slots": 4, "watched": 64, "watched_words": 64 * 64}  # slots to an entry of each map


def missing() -> str:
    """Say what this host lacks for BPF programs; empty when nothing is known to be missing."""
    if os.geteuid() != 0:
        return "it needs root"
    if not BTF.exists():
        return "this kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
    try:
        libbpf()
    except HostError as error:
        return str(error)
    return ""


class Programs:
    """Loaded and attached from construction to `close`, idle until `control.armed` is set.

    `names_frees`: whether every slot that is freed on the device makes an event.
    """

    def __init__(self, device: Path, number: tuple[int, int], n_slots: int, cgroup: int) -> None:
        """`number`: major and minor; `cgroup`: inode of the memory cgroup's folder.

        Raises HostError without libbpf, or when the kernel refuses.
        """
        self._object = 0
        self._links: list[int] = []
        try:
            function_tracing = self._load_best(n_slots)
            call = libbpf()
            self.control = Control.from_buffer(mmap.mmap(call.bpf_map__fd(self._map(".bss")), mmap.PAGESIZE))
            self.ring = Ring(call.bpf_map__fd(self._map("ring")))
            self.pool = Pool(call.bpf_map__fd(self._map("pool")))
            self.control.device = number[0] << 20 | number[1]
            self.control.cgroup = cgroup
            self._attach(*WRITES)
            find_direct_map(self.control, device)
            self._sweeps = not function_tracing and bool(self.control.table_known)
            if self._sweeps:
                self._attach(*RELEASES)
            self.names_frees = function_tracing or self._sweeps
        except BaseException:
            self.close()
            raise

    def _load_best(self, n_slots: int) -> bool:
        """Load everything; return whether the kernel lets its functions be traced, which many do not."""
        try:
            self._load(n_slots, slot_free=True)
            self._attach(SLOT_FREE)
        except HostError:
            self.close()
            self._load(n_slots, slot_free=False)
            return False
        return True

    def _load(self, n_slots: int, *, slot_free: bool) -> None:
        call, data = libbpf(), OBJECT.read_bytes()
        self._object = call.check(call.bpf_object__open_mem(data, len(data), None), OBJECT.name)
        for name, slots in PER_SLOTS.items():
            call.check(call.bpf_map__set_max_entries(self._map(name), -(-n_slots // slots)), name)
        call.check(call.bpf_program__set_autoload(self._program(SLOT_FREE), slot_free), SLOT_FREE)
        call.check(call.bpf_object__load(self._object), "the programs cannot be loaded")

    def _attach(self, *names: str) -> None:
        call = libbpf()
        for name in names:
            self._links.append(call.check(call.bpf_program__attach(self._program(name)), f"{name} cannot be attached"))

    def _map(self, name: str) -> int:
        call = libbpf()
        return call.check(call.bpf_object__find_map_by_name(self._object, name.encode()), f"map {name}")

    def _program(self, name: str) -> int:
        call = libbpf()
        return call.check(call.bpf_object__find_program_by_name(self._object, name.encode()), f"program {name}")

    def sweep(self) -> None:
        """Look for frees that the kernel does not tell of; call it every few milliseconds."""
        if self._sweeps:
            call = libbpf()
            options = RunOptions(size=ctypes.sizeof(RunOptions))
            run = call.bpf_prog_test_run_opts(call.bpf_program__fd(self._program(SWEEP)), ctypes.byref(options))
            call.check(run, f"{SWEEP} cannot be run")

    def close(self) -> None:
        """Detach and unload everything; can be called twice."""
        while self._links:
            libbpf().bpf_link__destroy(self._links.pop())
        if self._object:
            libbpf().bpf_object__close(self._object)
            self._object = 0
