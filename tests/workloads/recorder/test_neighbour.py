"""A neighbour whose pages hold secrets swaps beside a recording: none of its bytes is ever written to disk."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import killing
import numpy as np
import pytest
import zstandard
from neighbour import neighbour

from workloads import open_trace, verify
from workloads.errors import HostError
from workloads.host.cgroup import require_cgroup
from workloads.host.zram import require_zram
from workloads.recorder.backends import BACKENDS
from workloads.recorder.segments import folder_of
from workloads.traces.events import OUT

FRAME = b"\x28\xb5\x2f\xfd"  # a zstd frame begins
MOST = 8 << 20  # bytes of one
OURS = b"the program's own"
PROGRAM = """
import itertools, os, sys
memory = bytearray(96 << 20)
for turn in itertools.count():
    for at in range(0, len(memory), 4096):
        if at // 4096 % 16:
            memory[at : at + 2048] = (b"the program's own" * 121)[:2048]
            memory[at : at + 512] = os.urandom(512)
        else:
            memory[at : at + 4096] = bytes(4096)
"""


def _missing() -> str:
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(_missing()), reason=f"cannot record here: {_missing()}"),
]


@pytest.fixture(autouse=True)
def as_before(alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path / "run"))
    before = killing.host_state()
    yield
    assert killing.host_state() == before


def holds(folder: Path, words: tuple[bytes, ...]) -> set[bytes]:
    """Which of the words any file below a folder holds, as it is or decompressed; files may be half written."""
    found = set()
    paths = [Path(place, name) for place, _, names in os.walk(folder) for name in names]  # folders may go meanwhile
    for path in paths:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue
        found |= {word for word in words if word in data}
        starts = [each.start() for each in re.finditer(re.escape(FRAME), data)]
        for start, stop in itertools.pairwise([*starts, len(data)]):
            with suppress(zstandard.ZstdError):  # cut off, or no frame
                part = zstandard.ZstdDecompressor().decompressobj().decompress(data[start : max(stop, start + MOST)])
                found |= {word for word in words if word in part}
    return found


def beside(secret: bytes, out: Path, running: subprocess.Popen[str]) -> tuple[int, set[bytes]]:
    """Let the neighbour swap for a while: how often the segments were searched, and which of the words they held."""
    end = time.monotonic() + 30
    while "zram" not in Path("/proc/swaps").read_text():
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    looks, seen = 0, set()
    with neighbour(secret, 160, 48 << 20) as (other, cgroup), ThreadPoolExecutor(1) as looking:
        end = time.monotonic() + 8
        while time.monotonic() < end:
            look = looking.submit(holds, folder_of(out), (secret, OURS))
            while not look.done():
                cgroup.relieve()
                time.sleep(0.01)
            seen |= look.result()
            looks += 1
        assert other.poll() is None
    return looks, seen


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_of_a_neighbours_is_written(backend: str, tmp_path: Path) -> None:
    missing = BACKENDS[backend].missing()
    if missing:
        pytest.skip(f"{backend}: {missing}")
    out, secret = tmp_path / "x.cswap", os.urandom(16)
    words = ["record", "-o", str(out), "--limit", "40M", "--backend", backend, "--duration", "12"]
    running = subprocess.Popen(
        [sys.executable, "-m", "sim", *words, "--", sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(killing.ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        looks, seen = beside(secret, out, running)
        _, said = running.communicate(timeout=60)
    finally:
        running.terminate()
        running.wait()
    assert running.returncode == 0, said
    seen |= holds(tmp_path, (secret, OURS))
    assert seen == {OURS}, f"the program's pages only, in {looks} looks"

    verify(out)
    trace = open_trace(out)
    decided = trace.source["decided"]
    assert decided.get("page-outs of nobody known", 0) + decided.get("page-outs of others", 0) > 2_000
    used = np.unique(np.concatenate([events.page[events.kind == OUT] for events in trace.batches()]))
    assert len(used) == trace.unique_pages, "no page to which no event refers"
    assert trace.counts["out"] > 2_000
    if backend == "bpf":  # which copies each page as it is written; what tracefs catches depends on the machine
        assert trace.counts["lost"] == 0
