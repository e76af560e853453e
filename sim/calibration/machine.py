"""The machine and its state, as far as it reports them: what times depend on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

from sim.machine import processor

CPU = Path("/sys/devices/system/cpu")
UNKNOWN = "not visible"
BUSY = 0.5  # other runnable processes, from which on times are not this machine's best


def machine() -> dict[str, Any]:
    """JSON-safe: processor, cores, kernel, governor, turbo, hypervisor, the processes that want to run now."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "governor": _read(CPU / "cpu0/cpufreq/scaling_governor"),
        "turbo": _turbo(),
        "hypervisor": _hypervisor(),
        "load": round(os.getloadavg()[0], 2),
    }


def describe(about: dict[str, Any]) -> str:
    """The machine in a line."""
    return (
        f"{about['processor']}, kernel {about['kernel']}, governor {about['governor']}, turbo {about['turbo']}, "
        f"load {about['load']}"
    )


def not_idle(about: dict[str, Any]) -> str:
    """What there is to say of a machine that was busy; nothing of an idle one."""
    if about["load"] <= BUSY:
        return ""
    return (
        f"the machine was not idle (load {about['load']}): the times may include other work; "
        "try again when nothing else runs"
    )


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return UNKNOWN


def _turbo() -> str:
    off = _read(CPU / "intel_pstate/no_turbo")
    on = _read(CPU / "cpufreq/boost")
    if UNKNOWN in (off, on) and off == on:
        return UNKNOWN
    return "on" if off == "0" or on == "1" else "off"


def _hypervisor() -> bool:
    return "hypervisor" in _read(Path("/proc/cpuinfo")).partition("\n\n")[0].split()
