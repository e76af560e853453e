"""The configuration of this host's kernel."""

from __future__ import annotations

import gzip
import platform
import re
from pathlib import Path

DEFAULT_CHAIN = 8


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
