"""What the tests that swap on this host share."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def live_swap() -> Iterator[None]:
    """Tests that add a swap device take turns: each wants the highest priority for its own."""
    with (Path(tempfile.gettempdir()) / "cswap-live-swap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
