"""What this host's kernel has: zram, root's right to add a device, the chain size that zsmalloc was built with."""

from __future__ import annotations

import gzip
import os
import platform
import re
from pathlib import Path

from sim.errors import UserError

CONTROL = Path("/sys/class/zram-control")
DEFAULT_CHAIN = 8


def require_zram() -> None:
    """Raise UserError unless this process can add zram devices, and remove them."""
    if not CONTROL.is_dir():
        raise UserError("this kernel has no zram, or it is not loaded; try `modprobe zram`")
    if not (os.access(CONTROL / "hot_add", os.R_OK) and os.access(CONTROL / "hot_remove", os.W_OK)):
        raise UserError("adding and removing a zram device needs root and a writable /sys; run as root")


def zsmalloc_chain() -> int:
    """CONFIG_ZSMALLOC_CHAIN_SIZE of the running kernel; its default, 8, if no configuration is to be found."""
    for path in (Path("/proc/config.gz"), Path(f"/boot/config-{platform.release()}")):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        text = gzip.decompress(data) if path.suffix == ".gz" else data
        found = re.search(rb"^CONFIG_ZSMALLOC_CHAIN_SIZE=(\d+)$", text, re.MULTILINE)
        if found:
            return int(found[1])
    return DEFAULT_CHAIN
