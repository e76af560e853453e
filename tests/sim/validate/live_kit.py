"""What the tests on zram devices of this host share."""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads.errors import HostError
from workloads.host import zram


def unavailable() -> str:
    try:
        zram.require_zram()
    except HostError as error:
        return str(error)
    return ""


needs_zram = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "zram is there")


def devices() -> set[str]:
    return {path.name for path in Path("/sys/block").glob("zram*")}
