"""The kernel's own counters of swapping, to compare a recording with.

Source: /proc/vmstat; include/linux/vm_event_item.h (6.18).
"""

from __future__ import annotations

import platform
from pathlib import Path

VMSTAT = ("pswpin", "pswpout", "swpin_zero", "swpout_zero", "swap_ra", "thp_swpout", "thp_swpout_fallback")
DIRECT_RECLAIM = "allocstall"  # the machine was short of memory, not the cgroup


def vmstat() -> dict[str, int]:
    """What the whole host has swapped since it started, in pages, as far as the kernel counts it."""
    rows = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    found = {name: int(rows[name]) for name in VMSTAT if name in rows}
    found[DIRECT_RECLAIM] = sum(int(count) for name, count in rows.items() if name.startswith(DIRECT_RECLAIM))
    return found


def since(before: dict[str, int]) -> dict[str, int]:
    """What came since `before`."""
    return {name: count - before.get(name, 0) for name, count in vmstat().items()}


def kernel() -> str:
    """The kernel that runs."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def memory_bytes() -> int:
    """The memory of this host."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/meminfo has no MemTotal")
