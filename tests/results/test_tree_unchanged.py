"""Nothing is ever written into the package or the checkout, whatever is run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = ("run", "random:events=300,slots=40,pages=30", "-a", "zbud")
COMMANDS = (
    ("run", "gcc-sample", "-c", "lz4", "-c", "lzo", "-a", "zsmalloc", "-a", "zbud", "--timing"),
    ("run", "gcc", "-c", "lz4", "-a", "ideal"),
    GENERATED,
    ("trace", "verify", "workloads/samples/gcc.cswap"),
    ("trace", "info", "workloads/recordings/gcc.cswap"),
    ("classes", "gcc-sample", "-a", "zsmalloc"),
    ("list",),
)


def tree() -> dict[str, tuple[int, int]]:
    """Time of change and size of every file of the packages and of the results, and the folders."""
    found = {}
    for top in ("sim", "allocators", "workloads", "results", "docs"):
        for path in (ROOT / top).rglob("*"):
            if "__pycache__" not in path.parts:  # Python's own
                at = path.stat()
                found[str(path)] = (at.st_mtime_ns if path.is_file() else 0, at.st_size if path.is_file() else 0)
    return found | {str(path): (0, 0) for path in ROOT.iterdir()}


@pytest.mark.parametrize("cache", ["writable", "closed"])
def test_commands_leave_the_checkout_alone(cache: str, tmp_path: Path) -> None:
    """Also where the user's cache cannot be used, and in the checkout itself."""
    place = tmp_path / "cache"
    if cache == "closed":
        place.write_text("no folder")
    before = tree()
    environment = {**os.environ, "XDG_CACHE_HOME": str(place), "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    for words in COMMANDS if cache == "writable" else (GENERATED,):
        done = subprocess.run(
            [sys.executable, "-m", "sim", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert tree() == before
