"""Another program that swaps while one is recorded: `python neighbour.py MARKER MIB`, with MARKER in hexadecimal.

Each of its pages holds the marker and is otherwise random, so that none is like another. It goes through them again and
again in a small memory cgroup of its own, gives some back unread and sends others out by itself.
"""

from __future__ import annotations

import mmap
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workloads.host.cgroup import MemoryCgroup, memory_cgroup

ROOT = Path(__file__).parents[3]
PAGE = 4096
MADV_PAGEOUT = 21
PART = 64 * PAGE


@contextmanager
def neighbour(marker: bytes, mib: int, limit: int) -> Iterator[tuple[subprocess.Popen[str], MemoryCgroup]]:
    """Run it in a cgroup of `limit` bytes, of which `relieve` must be called often. There must be swap by now."""
    words = [sys.executable, __file__, marker.hex(), str(mib)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        memory_cgroup(f"cswap-neighbour-{os.getpid()}") as cgroup,
        subprocess.Popen(words, stdin=subprocess.PIPE, text=True, env=env) as running,
    ):
        cgroup.limit(limit)
        cgroup.add(running.pid)
        assert running.stdin is not None
        print("go", file=running.stdin, flush=True)
        try:
            yield running, cgroup
        finally:
            cgroup.kill()


def main() -> None:
    """Fill the memory, and go on for ever."""
    sys.stdin.readline()
    marker, size = bytes.fromhex(sys.argv[1]), int(sys.argv[2]) << 20
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    draw = random.Random(0)
    while True:
        for at in range(0, size, PAGE):
            memory[at : at + 2048] = marker * (1024 // len(marker)) + os.urandom(1024)
            if at % PART == 0:
                advice = MADV_PAGEOUT if draw.random() < 0.7 else mmap.MADV_DONTNEED
                memory.madvise(advice, draw.randrange(size // PART) * PART, PART)


if __name__ == "__main__":
    main()
