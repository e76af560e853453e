"""The contract of a backend: how the recorder sees what happens on a swap device.

A backend is made for one `Target` and used as a context manager. The recorder (`workloads.recorder.session`) adds the
device and the cgroup, enters the backend, starts the program, and calls `read` again and again; it freezes the program
at the end and reads until the last record is there. It finds out whose pages are and which slots are freed by itself
(`workloads.recorder.ledger`), from pagemap and from the device, unless the backend says that it sees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Protocol, Self

from workloads.recorder.records import Records


@dataclass(frozen=True)
class Target:
    """What to watch.

    `device`: the block device that is the swap, /dev/zramN; `major`, `minor` its number. `n_slots`: its size in pages;
    slot 0 holds the swap header and is never used. `cgroup`: the folder of the memory cgroup in which the program runs
    and nothing else does; its inode number is the id of the cgroup. `version`: 1 or 2. `page_size`: bytes. `ignored`:
    threads (kernel-wide thread ids) whose reads of the device are the recorder's own and must not be reported; a
    backend that reads the device by itself adds its own threads. `name`: unique among all recorders that run, to name
    things by that others can see.
    """

    device: Path
    major: int
    minor: int
    n_slots: int
    cgroup: Path
    version: int
    page_size: int
    ignored: tuple[int, ...]
    name: str


class Backend(Protocol):
    """See the module. Everything is called from one thread of the recorder's."""

    name: ClassVar[str]  # as in --backend

    @property
    def sees_frees(self) -> bool:
        """Whether every free on the device has its SLOT_FREE, or one is due to the next page-out to the slot.

        Known once entered. Otherwise there is no SLOT_FREE and the recorder finds the frees.
        """

    @property
    def sees_zeros(self) -> bool:
        """Whether ZERO_OUT, ZERO_IN and SLOT_FREE of pages of zeros come, all with slots.

        Otherwise the recorder finds those that do not come.
        """

    @classmethod
    def missing(cls) -> str:
        """What this host lacks, in a few words, such as "tracefs cannot be mounted"; empty when it can be used."""

    def __init__(self, target: Target) -> None:
        """Touch nothing yet."""

    def __enter__(self) -> Self:
        """Begin: whatever happens on the device after this has returned is seen. Raises HostError.

        What it makes in the kernel that outlives a killed process is first entered into the registry of
        `workloads.host.registry`, so that `cswap record cleanup` can remove it.
        """

    def read(self, timeout_s: float) -> Records:
        """Hand over what has come, in the order of time; wait at most `timeout_s` for something to come.

        Call it often: contents may be lost when nobody does. `until_ns` of what it returns must pass any moment within
        a fraction of a second of it, when nothing happens any more; so the recorder knows when all is there.
        """

    def dropped(self) -> dict[str, int]:
        """What was not seen so far, by name: records that a buffer had no room for, say. Empty when nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and leave nothing behind."""
