"""The programs in the kernel: loaded, attached, told what to watch, and taken away again."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from workloads.errors import HostError
from workloads.recorder.bpf.control import Control
from workloads.recorder.bpf.libbpf import BTF_KIND_TYPEDEF, libbpf
from workloads.recorder.bpf.ring import Pool, Ring

OBJECT = Path(__file__).with_name("swap.bpf.o")
BTF = Path("/sys/kernel/btf/vmlinux")
REQUIRED = ("bio_queue", "bio_complete", "cache_free", "folio_written")
SLOT_FREE = "slot_free"
MEMCG_STATE = ("memcg_state", "mod_memcg_state")  # program and the tracepoint, which older kernels lack


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

    `device` as (major, minor); `cgroup` is the inode of the memory cgroup's directory. Raises HostError without
    libbpf, or when the kernel refuses.
    """

    def __init__(self, device: tuple[int, int], n_slots: int, cgroup: int) -> None:
        self._libbpf = libbpf()
        self._object = 0
        self._links: list[int] = []
        try:
            # Names each free, but is refused by kernels without function tracing.
            try:
                self.names_all_frees = self._load(n_slots, slot_free=True)
            except HostError:
                self.close()
                self.names_all_frees = self._load(n_slots, slot_free=False)
        except BaseException:
            self.close()
            raise
        self.control.device = device[0] << 20 | device[1]
        self.control.cgroup = cgroup

    def _load(self, n_slots: int, *, slot_free: bool) -> bool:
        call, data = self._libbpf, OBJECT.read_bytes()
        self._object = call.check(call.bpf_object__open_mem(data, len(data), None), OBJECT.name)
        for name in ("handles", "slots"):
            call.check(call.bpf_map__set_max_entries(self._map(name), n_slots), name)
        self.counts_frees = self._has_tracepoint(MEMCG_STATE[1])
        optional = {SLOT_FREE: slot_free, MEMCG_STATE[0]: self.counts_frees}
        programs = [*REQUIRED, *(name for name, wanted in optional.items() if wanted)]
        for name, wanted in optional.items():
            call.bpf_program__set_autoload(self._program(name), wanted)
        call.check(call.bpf_object__load(self._object), "the programs cannot be loaded")
        for name in programs:
            self._links.append(call.check(call.bpf_program__attach(self._program(name)), f"{name} cannot be attached"))
        self.control = Control.from_buffer(mmap.mmap(call.bpf_map__fd(self._map(".bss")), mmap.PAGESIZE))
        self.ring = Ring(call.bpf_map__fd(self._map("ring")))
        self.pool = Pool(call.bpf_map__fd(self._map("pool")))
        return slot_free

    def _map(self, name: str) -> int:
        call = self._libbpf
        return call.check(call.bpf_object__find_map_by_name(self._object, name.encode()), f"map {name}")

    def _program(self, name: str) -> int:
        call = self._libbpf
        return call.check(call.bpf_object__find_program_by_name(self._object, name.encode()), f"program {name}")

    def _has_tracepoint(self, name: str) -> bool:
        call = self._libbpf
        types = call.check(call.btf__load_vmlinux_btf(), "BTF")
        found = call.btf__find_by_name_kind(types, f"btf_trace_{name}".encode(), BTF_KIND_TYPEDEF)
        call.btf__free(types)
        return bool(found > 0)

    def close(self) -> None:
        """Detach and unload everything; can be called twice."""
        while self._links:
            self._libbpf.bpf_link__destroy(self._links.pop())
        if self._object:
            self._libbpf.bpf_object__close(self._object)
            self._object = 0
