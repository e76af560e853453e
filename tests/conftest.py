"""What the tests share that use the kernel of this host."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def alone() -> Iterator[None]:
    """Tests that add devices, swap, cgroups or trace instances take turns, in all processes and checkouts."""
    with (Path(tempfile.gettempdir()) / "cswap-tests-alone.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that take turns come first: so one of xdist's workers has them all, and the others need not wait."""
    items.sort(key=lambda item: "alone" not in getattr(item, "fixturenames", ()))
