"""Simulated against zram devices of this host, and that none is left behind. Skipped without root or zram."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from live_kit import devices, needs_zram, with_device

import sim.validate.live
from sim.errors import UserError
from sim.plugins import COMPRESSORS
from sim.validate.live import compare_live
from workloads import open_sample
from workloads.errors import HostError
from workloads.generators.pages import RandomPages
from workloads.host import kernel, zram
from workloads.host.cleanup import cleanup
from workloads.host.zram import ZramDevice
from workloads.traces.events import COMPACT, OUT, Events
from workloads.traces.trace import Trace


def mixed(events: int, slots: int = 500) -> Trace:
    """Overwrites, reads, discards and compactions of compressible, incompressible and same-filled pages."""
    rng = np.random.default_rng(1)
    content = RandomPages(events=1, pages=800, spread=0.28).trace().page_batches()
    same = np.repeat(np.arange(50, dtype=np.uint64)[:, None], 512, axis=1).view(np.uint8)
    pages = np.concatenate([*content, same])
    kind = rng.choice(4, events, p=[0.6, 0.15, 0.249, 0.001])
    slot = np.where(kind == COMPACT, 0, rng.integers(0, slots, events))
    return Trace.from_arrays(
        "mixed", Events.of(kind, slot, np.where(kind == OUT, rng.integers(0, len(pages), events), -1)), pages
    )


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("codec", ["lz4", "lzo", "lzo-rle"])
def test_identical(codec: str) -> None:
    try:
        found = compare_live(mixed(10_000), COMPRESSORS.make(codec), every=50)
    except HostError as error:
        if f"has no {codec}" in str(error):
            pytest.skip(str(error))
        raise
    assert found.summary() == {"rows": 200, "identical": 200, "first_difference": None}


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_identical_on_a_sample() -> None:
    sample = open_sample("gcc")
    found = compare_live(sample, COMPRESSORS.make("lzo-rle"))
    assert found.identical == found.rows == -(-sample.n_events // 1000), "a row each thousand events"


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_identical_beyond_a_memory_limit() -> None:
    found = compare_live(mixed(3000), COMPRESSORS.make("lzo-rle"), every=1, mem_limit=500_001)
    assert (found.rows, found.identical) == (3000, 3000)


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_another_chain_differs() -> None:
    chain = 4 if kernel.zsmalloc_chain() != 4 else 8
    assert not compare_live(mixed(1000), COMPRESSORS.make("lzo-rle"), chain=chain).equal


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_removed_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def corrupt(device: ZramDevice, slot: int, into: bytearray) -> None:
        into[:] = b"x" * len(into)

    monkeypatch.setattr(sim.validate.live.ZramDevice, "read", corrupt)
    with pytest.raises(UserError, match="reads back other contents than were written"):
        compare_live(mixed(1000), COMPRESSORS.make("lzo-rle"))


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_a_codec_the_kernel_has_not() -> None:
    with pytest.raises(HostError, match=r"zram of this kernel has no lz4-lib .*; give -c .*lzo"):
        compare_live(mixed(100), COMPRESSORS.make("lz4-lib"))


def validating(run: Path) -> tuple[subprocess.Popen[str], str]:
    """`cswap validate live` with a long trace, once its device is there; and that device, which it notes in `run`."""
    trace = "random:events=300000,slots=2000,pages=300"
    return with_device(run, "validate", "live", trace, "-c", "lzo-rle", "--every", "1")


@pytest.mark.live
@needs_zram
def test_what_a_killed_one_leaves_is_found_again(
    others: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, device = validating(tmp_path)
    time.sleep(0.3)
    running.kill()
    running.communicate(timeout=60)
    assert device in devices() - others
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path))
    removed, kept = cleanup()
    assert ([(entry.what, entry.name) for entry in removed], kept) == ([("device", device)], 0)
    assert device not in devices()


@pytest.mark.live
@needs_zram
@pytest.mark.parametrize("delay", [0.0, 0.3])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_removed_after_a_signal(
    number: signal.Signals, status: int, delay: float, others: set[str], tmp_path: Path
) -> None:
    running, device = validating(tmp_path)
    assert device not in others
    time.sleep(delay)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (status, "")
    assert err == ("cswap: interrupted\n" if number == signal.SIGINT else "")
    assert device not in devices()


def test_without_zram(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zram, "CONTROL", tmp_path / "none")
    with pytest.raises(HostError, match="this kernel has no zram, or it is not loaded; try `modprobe zram`"):
        compare_live(mixed(10), COMPRESSORS.make("lz4"))


def test_without_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zram, "CONTROL", tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(HostError, match="needs root and a writable"):
        compare_live(mixed(10), COMPRESSORS.make("lz4"))


def test_traces_that_no_device_can_replay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zram, "CONTROL", tmp_path)
    monkeypatch.setattr(os, "access", lambda *_: True)
    large = RandomPages(events=10, page_size=8192).trace()
    with pytest.raises(UserError, match="8192-byte pages in 10 slots; a device needs contents, in pages of 4096 bytes"):
        compare_live(large, COMPRESSORS.make("lz4"))
