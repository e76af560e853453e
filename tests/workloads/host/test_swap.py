"""The swap header, pagemap, the cgroup's place: what needs no root."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from workloads.errors import HostError
from workloads.host import cgroup
from workloads.host.counters import memory_bytes, since, vmstat
from workloads.host.direct import SlotReader
from workloads.host.pagemap import swapped
from workloads.host.swap import header


def test_the_header_is_that_of_mkswap(tmp_path: Path) -> None:
    page = header(1000, 4096)
    assert len(page) == 4096
    assert page[-10:] == b"SWAPSPACE2"
    assert struct.unpack_from("<III", page, 1024) == (1, 999, 0)
    tool = shutil.which("mkswap")
    if tool is None:
        pytest.skip("mkswap is not installed to be compared with")
    file = tmp_path / "swap"
    file.write_bytes(bytes(1000 * 4096))
    file.chmod(0o600)
    subprocess.run([tool, "-p", "4096", "-L", "cswap", str(file)], check=True, capture_output=True)
    theirs = file.read_bytes()[:4096]
    assert page[:1036] == theirs[:1036]
    assert page[1052:] == theirs[1052:], "all but the UUID"


def test_slots_are_read_in_runs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pages = rng.integers(1, 256, (1200, 4096), np.uint8)
    pages[7] = 0
    file = Path.cwd() / f".slots-{os.getpid()}"  # on a disk: tmpfs may refuse direct I/O
    try:
        file.write_bytes(pages.tobytes())
        try:
            reader = SlotReader(file, 4096)
        except OSError as error:
            pytest.skip(f"no direct I/O here: {error}")
        slots = np.array([0, 1, 2, 6, 7, 9, *range(20, 1150), 1199])
        content, done, held = reader.read(slots)
        assert np.array_equal(content, pages[slots])
        assert (np.diff(done) >= 0).all()
        assert held.tolist() == [slot != 7 for slot in slots.tolist()]
        empty = reader.read(np.empty(0, np.int64))
        assert [len(part) for part in empty] == [0, 0, 0]
        with pytest.raises(OSError, match="could be read"):
            reader.read(np.array([1200]))
        reader.close()
    finally:
        file.unlink(missing_ok=True)


def test_nothing_of_ours_is_swapped_on_a_device_that_is_not_there() -> None:
    found = swapped([os.getpid(), 2**22 + 1], 31, 4096)
    assert list(found) == [os.getpid()], "a process that is gone is left out"
    assert found[os.getpid()].dtype == np.int64
    assert len(found[os.getpid()]) == 0


def test_counters() -> None:
    before = vmstat()
    assert {"pswpin", "pswpout", "allocstall"} <= before.keys()
    assert since(before).keys() == before.keys()
    assert memory_bytes() > 1 << 20


MOUNTS = {
    "v1": ("cgroup /c/cpu cgroup rw,cpu 0 0\ncgroup /c/memory cgroup rw,nosuid,memory 0 0\nc /u cgroup2 rw 0 0\n", 1),
    "v2": ("tmpfs /tmp tmpfs rw 0 0\ncgroup2 {unified} cgroup2 rw 0 0\n", 2),
}


@pytest.mark.parametrize("version", MOUNTS)
def test_the_memory_controller_is_found(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, number = MOUNTS[version]
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    mounts = tmp_path / "mounts"
    mounts.write_text(text.format(unified=tmp_path))
    monkeypatch.setattr(cgroup, "MOUNTS", mounts)
    assert cgroup.memory_hierarchy() == (Path("/c/memory") if number == 1 else tmp_path, number)


def test_no_memory_controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS["v2"][0].format(unified=tmp_path))
    monkeypatch.setattr(cgroup, "MOUNTS", mounts)
    with pytest.raises(HostError, match="no memory cgroup can be created"):
        cgroup.memory_hierarchy()
