"""A zram device of this host that is added for us alone and removed again, read and written past the page cache.

Source: Documentation/admin-guide/blockdev/zram.rst (6.18); BLKDISCARD in include/uapi/linux/fs.h.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from workloads.errors import HostError
from workloads.host.identity import of_device
from workloads.host.mmstat import MmStat, parsed
from workloads.host.registry import own_journal
from workloads.shown import meant

CONTROL = Path("/sys/class/zram-control")
BLKDISCARD = 0x1277
PAGE = mmap.PAGESIZE
PATIENCE_S = 10.0  # others, such as udev, may hold a new device open for a moment


def require_zram() -> None:
    """Raise HostError unless this process can add zram devices, and remove them."""
    if not CONTROL.is_dir():
        raise HostError("this kernel has no zram, or it is not loaded; try `modprobe zram`")
    if not (os.access(CONTROL / "hot_add", os.R_OK) and os.access(CONTROL / "hot_remove", os.W_OK)):
        raise HostError("adding and removing a zram device needs root and a writable /sys; run as root")


class ZramDevice:
    """A device in use. Slots are pages of PAGE bytes; all operations are done when they return."""

    def __init__(self, number: int) -> None:
        self.name = f"zram{number}"
        self.folder = Path("/sys/block") / self.name
        self._number = number
        self._limited = False
        self._fd = -1

    @classmethod
    def of(cls, name: str) -> ZramDevice:
        """The device of that name, as another process left it."""
        return cls(int(name.removeprefix("zram")))

    def unused(self) -> bool:
        """Whether it has no size yet, so that it cannot be in use."""
        return (self.folder / "disksize").read_text().strip() == "0"

    def start(self, codec: str | None, n_slots: int, mem_limit: int, parameters: str = "", option: str = "-c") -> None:
        """Make the device usable; None is the kernel's default codec, `parameters` are what `algorithm_params` takes.

        Raises HostError, naming the `option` to give instead, when the kernel has no such codec or parameters.
        """
        if codec is not None:
            known = (self.folder / "comp_algorithm").read_text().replace("[", "").replace("]", "").split()
            if codec not in known:
                raise HostError(
                    f"zram of this kernel has no {codec}{meant(codec, known)}; give {option} one of {', '.join(known)}"
                )
            self._set("comp_algorithm", codec)
            if parameters:
                self._set_parameters(codec, parameters)
        self._set("disksize", n_slots * PAGE)
        self._set("mem_limit", mem_limit)
        self._limited = mem_limit > 0
        self._fd = os.open(f"/dev/{self.name}", os.O_RDWR | os.O_DIRECT)

    def write(self, slot: int, page: memoryview) -> bool:
        """Write a page that lies at an address divisible by PAGE; False if the device refuses it for its mem_limit."""
        try:
            return os.pwrite(self._fd, page, slot * PAGE) == PAGE
        except OSError as error:
            if self._limited and error.errno in (errno.ENOMEM, errno.EIO):
                return False
            raise HostError(
                f"{self.name}: slot {slot} cannot be written: {error.strerror}; is memory short?"
            ) from error

    def read(self, slot: int, into: mmap.mmap) -> None:
        """Read a slot; zeros if it is empty."""
        os.preadv(self._fd, [into], slot * PAGE)

    def fileno(self) -> int:
        """The file descriptor, opened past the page cache: buffers must lie at addresses divisible by PAGE."""
        return self._fd

    def discard(self, slot: int) -> None:
        """Empty a slot."""
        fcntl.ioctl(self._fd, BLKDISCARD, struct.pack("QQ", slot * PAGE, PAGE))

    def codec(self) -> str:
        """The codec in use."""
        return (self.folder / "comp_algorithm").read_text().partition("[")[2].partition("]")[0]

    def compact(self) -> None:
        """Compact the pool."""
        self._set("compact", 1)

    def mm_stat(self) -> MmStat:
        """The nine fields now."""
        return parsed((self.folder / "mm_stat").read_text())

    def hold(self) -> None:
        """Open the device, if there is one: until it is closed nobody can remove it, nor put another in its place."""
        with suppress(OSError):
            self._fd = os.open(f"/dev/{self.name}", os.O_RDONLY | os.O_CLOEXEC)

    def marks(self) -> dict[str, str]:
        """What tells it from another of this name; its size, 0 until it is started, is none."""
        marks = of_device(self.name)
        if marks.get("size") == "0":
            del marks["size"]
        return marks

    def close(self) -> None:
        """Close it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        """Close, reset and remove the device; it need not have been started. Nothing when it is gone."""
        try:  # this opens the very device that is held: if another takes its place, writing fails
            reset = (self.folder / "reset").open("w")
        except FileNotFoundError:
            self.close()
            return
        with reset:
            made = self.marks().get("diskseq")
            self.close()
            _patiently(reset, 1)
        if self.marks().get("diskseq") == made:
            with (CONTROL / "hot_remove").open("w") as control:
                _patiently(control, self._number)

    def _set_parameters(self, codec: str, parameters: str) -> None:
        try:
            self._set("algorithm_params", f"algo={codec} {parameters}")
        except OSError as error:
            raise HostError(
                f"zram of this kernel takes no {parameters} for {codec} (it does since 6.12): {error.strerror}; "
                "leave it out"
            ) from error

    def _set(self, name: str, value: object) -> None:
        (self.folder / name).write_text(str(value))


@contextmanager
def zram_device(
    codec: str | None, n_slots: int, mem_limit: int = 0, parameters: str = "", option: str = "-c"
) -> Iterator[ZramDevice]:
    """Add a device, and remove it whatever happens; `mem_limit` in bytes, 0 for none; the others as in `start`.

    Signals must be deferred (`workloads.host.signals`). Raises HostError without zram, root or the codec.
    """
    require_zram()
    journal = own_journal()
    # Its number is known only when it is there: until then the journal says which devices are not ours.
    adding = journal.add("adding", ",".join(zram_names()))
    try:
        device = ZramDevice(int((CONTROL / "hot_add").read_text()))
        try:
            entry = journal.add("device", device.name)
            journal.mark(entry, {**device.marks(), "size": str(n_slots * PAGE)})
        except BaseException:
            device.remove()
            raise
    finally:
        journal.remove(adding)
    try:
        device.start(codec, n_slots, mem_limit, parameters, option)
        yield device
    finally:
        device.remove()
        journal.remove(entry)


def zram_names() -> list[str]:
    """The zram devices of this host."""
    return sorted(path.name for path in Path("/sys/block").glob("zram*"))


def _patiently(control: IO[str], value: int) -> None:
    """Write to a control file, again for as long as the device is busy; nothing when it is gone."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            os.write(control.fileno(), str(value).encode())
            return
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            if error.errno != errno.EBUSY:
                raise
        time.sleep(0.01)
    wrong, remedy = f"device stayed busy for {PATIENCE_S:.0f} s", f"find who has it open and write {value} there"
    raise HostError(f"{control.name}: {wrong}; {remedy}")
