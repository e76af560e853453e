"""The fixture of all tests on zram devices of this host."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_kit import devices


@pytest.fixture
def others() -> Iterator[set[str]]:
    """The devices that were there before and must be the ones afterwards; one test at a time in all processes."""
    with open(Path(tempfile.gettempdir()) / "cswap-tests-zram.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = devices()
        yield before
        assert devices() == before
