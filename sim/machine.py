"""The machine this runs on."""

from __future__ import annotations

import platform


def processor() -> str:
    """The processor's model name, from /proc/cpuinfo."""
    try:
        with open("/proc/cpuinfo") as lines:
            models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        models = []
    return models[0] if models else platform.processor() or platform.machine()
