from __future__ import annotations

import mmap
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from reading_kit import read, sniffed

from workloads.readers.importing import import_file
from workloads.readers.memory import Memory

PAGE = mmap.PAGESIZE
PROGRAM = f"""
import mmap
map = mmap.mmap(-1, 50 * {PAGE}, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(40):
    map[page * {PAGE}:(page + 1) * {PAGE}] = (b"page %d of a process; " % page * {PAGE})[:{PAGE}]
assert not map[45 * {PAGE}]
print(flush=True)
input()
"""


@pytest.mark.parametrize("path", ["/proc/{}/mem", "/proc/{}"])
def test_anonymous_pages_of_a_process_that_runs(path: str) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=-1, stdout=-1) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        place = Path(path.format(process.pid))
        assert sniffed(Memory, place)
        found = read(Memory(), place, PAGE)
        process.stdin.close()
    if "ptrace_scope" in found.error:
        pytest.skip("this process may not read the memory of its children")
    pages = dict(zip(found.slot.tolist(), found.pages, strict=True))
    texts = [(b"page %d of a process; " % number * PAGE)[:PAGE] for number in range(40)]
    first = next(slot for slot, page in pages.items() if page.tobytes() == texts[0])
    assert [pages[first + number].tobytes() for number in range(40)] == texts
    assert first + 45 not in pages, "never written"
    assert (np.diff(found.slot.astype(np.int64)) > 0).all()
    assert not found.error


def test_what_is_no_process(tmp_path: Path) -> None:
    assert not sniffed(Memory, tmp_path)
    assert "is no memory of a process; give /proc/PID/mem" in read(Memory(), tmp_path, PAGE).error
    assert "cannot be read (No such file or directory)" in read(Memory(), Path("/proc/4194305/mem"), PAGE).error
    assert "is 64, not this machine's" in read(Memory(), Path("/proc/self/mem"), 64).error


def test_a_trace_of_a_process_is_as_private_as_its_memory(tmp_path: Path) -> None:
    out = import_file(Path("/proc/self"), tmp_path / "t.cswap", Memory(), page_size=PAGE).path
    assert out is not None
    assert out.stat().st_mode & 0o077 == 0
