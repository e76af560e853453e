"""The object with the programs, in the kernel: loaded, attached one by one, run, and taken away again."""

from __future__ import annotations

import ctypes
from pathlib import Path

from workloads.recorder.bpf.libbpf import RunOptions, libbpf

OBJECT = Path(__file__).with_name("swap.bpf.o")
SLOT_FREE = "slot_free"  # names every free, where the kernel lets its functions be traced
PER_SLOTS = {"handles": 1, "slots": 4, "watched": 64, "watched_words": 64 * 64}  # slots to an entry of each map


class Loaded:
    """In the kernel from construction to `close`, and no longer than this process. Raises HostError if refused."""

    def __init__(self, n_slots: int, *, slot_free: bool) -> None:
        """Make room for a device of `n_slots`; without `slot_free` leave that program out."""
        call, data = libbpf(), OBJECT.read_bytes()
        self._links: list[int] = []
        self._object = call.check(call.bpf_object__open_mem(data, len(data), None), OBJECT.name)
        try:
            for name, slots in PER_SLOTS.items():
                call.check(call.bpf_map__set_max_entries(self._map(name), -(-n_slots // slots)), name)
            call.check(call.bpf_program__set_autoload(self._program(SLOT_FREE), slot_free), SLOT_FREE)
            call.check(call.bpf_object__load(self._object), "the programs cannot be loaded")
        except BaseException:
            self.close()
            raise

    def attach(self, *names: str) -> None:
        """Attach programs to what they are made for."""
        call = libbpf()
        for name in names:
            self._links.append(call.check(call.bpf_program__attach(self._program(name)), f"{name} cannot be attached"))

    def map_fd(self, name: str) -> int:
        """The descriptor of a map; it is closed with the object."""
        return int(libbpf().bpf_map__fd(self._map(name)))

    def run(self, name: str) -> None:
        """Run a program once, now."""
        call = libbpf()
        options = RunOptions(size=ctypes.sizeof(RunOptions))
        run = call.bpf_prog_test_run_opts(call.bpf_program__fd(self._program(name)), ctypes.byref(options))
        call.check(run, f"{name} cannot be run")

    def close(self) -> None:
        """Detach and unload; can be called twice."""
        while self._links:
            libbpf().bpf_link__destroy(self._links.pop())
        if self._object:
            libbpf().bpf_object__close(self._object)
            self._object = 0

    def _map(self, name: str) -> int:
        call = libbpf()
        return call.check(call.bpf_object__find_map_by_name(self._object, name.encode()), f"map {name}")

    def _program(self, name: str) -> int:
        call = libbpf()
        return call.check(call.bpf_object__find_program_by_name(self._object, name.encode()), f"program {name}")
