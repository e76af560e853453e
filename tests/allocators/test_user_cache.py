"""Compiled code is kept for the next run; where it cannot be, that costs time and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from allocators.compiled.jit import JIT

if not JIT:
    pytest.skip("nothing is compiled with NUMBA_DISABLE_JIT=1", allow_module_level=True)

TWICE = """
from allocators.compiled.jit import entry

@entry
def twice(number):
    return 2 * number

print(twice(21), twice(0.5))
print(sum(twice.stats.cache_hits.values()))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "twice.py"
    path.write_text(TWICE)
    return path


def ran(script: Path, cache: object, **more: str) -> tuple[list[str], str]:
    """Lines on stdout, and stderr; nothing may be left in the folder for temporary files."""
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(script.parent / "tmp"), "XDG_CACHE_HOME": str(cache)}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONDONTWRITEBYTECODE": "1", **more}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    assert list((script.parent / "tmp").iterdir()) == []
    return done.stdout.splitlines(), done.stderr


def test_what_was_compiled_is_loaded_by_the_next_run(script: Path, tmp_path: Path) -> None:
    assert ran(script, tmp_path / "cache") == (["42 1.0", "0"], "")
    assert ran(script, tmp_path / "cache") == (["42 1.0", "2"], "")
    assert (tmp_path / "cache" / "cswap").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("cut", [0, 100])
def test_a_damaged_cache_is_compiled_anew(script: Path, tmp_path: Path, cut: int) -> None:
    ran(script, tmp_path / "cache")
    files = list((tmp_path / "cache").rglob("*.nbc"))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:cut])
    assert ran(script, tmp_path / "cache") == (["42 1.0", "0"], "")
    assert ran(script, tmp_path / "cache") == (["42 1.0", "2"], "")


def test_code_of_another_signature_is_not_run(script: Path, tmp_path: Path) -> None:
    ran(script, tmp_path / "cache")
    one, other = (tmp_path / "cache").rglob("*.nbc")
    one.write_bytes(other.read_bytes())  # an error of the disk's, or of a user's
    lines, said = ran(script, tmp_path / "cache")
    assert (lines[0], said) == ("42 1.0", "")


def test_what_a_kill_left_is_removed(script: Path, tmp_path: Path) -> None:
    ran(script, tmp_path / "cache")
    kept, _ = (tmp_path / "cache").rglob("*.nbc")
    old, new = (kept.with_name(f"{kept.name}.tmp.{name}") for name in ("0123", "4567"))
    old.write_bytes(b"half")
    new.write_bytes(b"half, being written")
    os.utime(old, (0, 0))
    ran(script, tmp_path / "cache")
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize("cache", ["/proc/cswap", "/dev/null"])
def test_a_cache_that_cannot_be_made_is_told_in_one_line(script: Path, cache: str) -> None:
    lines, said = ran(script, cache)
    assert lines == ["42 1.0", "0"]
    assert said.startswith(f"cswap: sizes, finished runs and compiled code are not kept: {cache}")
    assert said.endswith("; set XDG_CACHE_HOME to a folder that you can write to\n")
    assert said.count("\n") == 1


def test_numbas_own_folder_is_used_where_it_is_given(script: Path, tmp_path: Path) -> None:
    for hits in ("0", "2"):
        lines, said = ran(script, "/proc/cswap", NUMBA_CACHE_DIR=str(tmp_path / "numba"))
        assert (lines[1], said) == (hits, "")


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 KiB, which numba's first file fills."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "cswap-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_as_numba_writes_is_told_in_one_line(script: Path, small: Path) -> None:
    lines, said = ran(script, small)
    assert lines == ["42 1.0", "0"]
    assert said.startswith("cswap: compiled code is not kept: ")
    assert "No space left on device; results are correct" in said
    assert said.endswith("; free space, or set XDG_CACHE_HOME to a folder that has room\n")
    assert said.count("\n") == 1
    assert list(small.rglob("*.tmp.*")) == []


def test_a_folder_of_another_user_is_not_run_from(script: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a folder of another user")
    (tmp_path / "cache").mkdir()
    os.chown(tmp_path / "cache", 12345, 12345)
    lines, said = ran(script, tmp_path / "cache")
    assert lines == ["42 1.0", "0"]
    assert "belongs to another user" in said
    assert list((tmp_path / "cache").iterdir()) == []
