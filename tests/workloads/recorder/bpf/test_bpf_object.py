"""The shipped object is made of the shipped sources."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from workloads.recorder.bpf.control import Control
from workloads.recorder.bpf.loaded import OBJECT
from workloads.recorder.bpf.ring import EVENT, POOL_PAGES, RING_BYTES

SOURCES = sorted(path for path in OBJECT.parent.iterdir() if path.suffix in (".c", ".h"))
SHARED = (OBJECT.parent / "shared.h").read_text()
ROOT = Path(__file__).parents[4]


def test_the_object_carries_the_digest_of_its_source() -> None:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()
    assert f"{digest} clang ".encode() in OBJECT.read_bytes()


def test_nobodys_folders_are_in_the_object() -> None:
    assert str(ROOT).encode() not in OBJECT.read_bytes()


def _fields(struct: str) -> list[tuple[str, int]]:
    """Names and bytes of the fields of a struct of the source."""
    body = re.search(rf"struct {struct} {{\n(.*?)\n}};", SHARED, re.DOTALL)
    assert body
    fields = re.findall(r"__u(\d+) (\w+)(?:\[(\d+)\])?;", body[1])
    return [(name, int(bits) // 8 * int(length or 1)) for bits, name, length in fields]


def test_python_mirrors_the_structs_of_the_source() -> None:
    assert _fields("control") == [(name, getattr(Control, name).size) for name, _ in Control._fields_]
    event = [(name, EVENT[name].itemsize) for name in EVENT.names or ()]
    assert event[:2] == [("length", 4), ("offset", 4)]  # of the ring itself
    assert _fields("event") == event[2:]


def test_python_mirrors_the_sizes_of_the_source() -> None:
    assert f"#define POOL_PAGES {POOL_PAGES} " in SHARED
    assert f"#define RING_BYTES ({RING_BYTES >> 20} << 20)" in SHARED


@pytest.mark.skipif(
    not all(map(shutil.which, ("clang", "llvm-strip", "make"))) or not Path("/usr/include/bpf/bpf_helpers.h").exists(),
    reason="building the programs needs make, clang, llvm and libbpf's headers",
)
def test_the_source_builds_and_gives_the_same_object_with_the_same_compiler(tmp_path: Path) -> None:
    folder = tmp_path / OBJECT.parent.relative_to(ROOT)
    folder.mkdir(parents=True)
    for path in SOURCES:
        shutil.copy(path, folder)
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(["make", "bpf"], cwd=tmp_path, check=True, capture_output=True)
    built = (folder / OBJECT.name).read_bytes()
    compiler = rb"[0-9a-f]{64} clang ([^\0]+)"
    ours, shipped = re.search(compiler, built), re.search(compiler, OBJECT.read_bytes())
    assert ours
    assert shipped
    if ours[1] != shipped[1]:
        pytest.skip(f"the object was built by clang {shipped[1].decode()}, here is {ours[1].decode()}")
    assert built == OBJECT.read_bytes()
