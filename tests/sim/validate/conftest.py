"""The fixture of all tests on zram devices of this host."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from live_kit import unclaimed_devices

PATIENCE_S = 5.0


@pytest.fixture
def others(alone: None) -> Iterator[set[str]]:
    """The devices that were there before and must be the ones afterwards, whatever recorders come and go meanwhile."""
    before = unclaimed_devices()
    yield before
    end = time.monotonic() + PATIENCE_S  # a recorder notes the name of its device just after it is there
    while (now := unclaimed_devices()) != before and time.monotonic() < end:
        time.sleep(0.05)
    assert now == before
