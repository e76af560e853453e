"""`cswap ops`: golden rows through the command, and every way a sequence can be wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import zstandard
from cli_kit import GOLDEN, good, refused

from allocators import Allocator, TooLarge
from allocators.compiled.batch import ALLOC, COMPACT, FREE, run_operations
from sim.plugins import ALLOCATORS, make_allocator

SPECS = {
    "xvmalloc-a4": "xvmalloc:align=4",
    "xvmalloc-a8": "xvmalloc:align=8",
    "zsmalloc-2012": "zsmalloc:era=2012",
    "zsmalloc-6.1": "zsmalloc:era=6.1",
    "zsmalloc-6.12-c4": "zsmalloc:era=6.12,chain=4",
    "zsmalloc-6.12-c8": "zsmalloc",
    "zsmalloc-6.12-c16": "zsmalloc:chain=16",
    "zbud-6.1": "zbud:era=6.1",
    "zbud-zcache": "zbud:era=zcache",
    "z3fold-6.1": "z3fold",
    "zblock-v2": "zblock:version=v2",
    "zblock-v4": "zblock:version=v4",
    "zblock-vmalloc": "zblock",
}
COLUMNS = ["ops", "live", "bytes", "pages", "failed"]


@pytest.mark.parametrize(("folder", "page_size", "most"), [("allocators", 4096, 9), ("allocators-16k", 16384, 4)])
@pytest.mark.parametrize("label", SPECS)
def test_golden_rows(label: str, folder: str, page_size: int, most: int) -> None:
    files = sorted((GOLDEN.parent / folder / "csv").glob(f"{label}.*.csv"))
    assert len(files) in (most, 0 if page_size > 4096 else most)
    for file in files:
        sequence = file.parents[1] / "ops" / f"{file.name.removeprefix(label + '.').removesuffix('.csv')}.ops.gz"
        printed = list(csv.reader(io.StringIO(good("ops", sequence, "-a", SPECS[label], "--page-size", page_size))))
        golden = list(csv.reader(file.open()))
        assert printed[0] == COLUMNS
        assert printed == [row[:5] for row in golden]


SEQUENCE = "a 7 100\na 8 5000\ns\nf 8\nc\n\nf 7\na 7 50\r\ns\n"
ROWS = "ops,live,bytes,pages,failed\n2,1,100,1,1\n6,1,50,1,1\n"


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst", "-"])
def test_plain_compressed_and_piped(tmp_path: Path, suffix: str) -> None:
    packed = {".gz": gzip.compress, ".zst": zstandard.compress}.get(suffix, bytes)(SEQUENCE.encode())
    if suffix == "-":
        assert good("ops", "-", "-a", "xvmalloc", stdin=packed) == ROWS
        return
    file = tmp_path / f"x.ops{suffix}"
    file.write_bytes(packed)
    assert good("ops", file, "-a", "xvmalloc") == ROWS


def test_json() -> None:
    rows = json.loads(good("ops", "-", "-a", "xvmalloc", "--json", stdin=SEQUENCE))
    assert [list(row.values()) for row in rows] == [[2, 1, 100, 1, 1], [6, 1, 50, 1, 1]]
    assert list(rows[0]) == COLUMNS


def test_page_size() -> None:
    printed = good("ops", "-", "-a", "ideal", "--page-size", 65536, stdin="a 1 65536\na 2 1\ns\n")
    assert printed.endswith("\n2,2,65537,2,0\n")


def test_refused_id_may_come_again() -> None:
    assert good("ops", "-", "-a", "zbud", stdin="s\na 1 4096\na 1 64\ns").endswith("0,0,0,0,0\n2,1,64,1,1\n")


class Whole(Allocator):
    """A page for each object: a user's own allocator, in plain Python."""

    name = "whole"

    def __init__(self, limit: int = 4096) -> None:
        self.limit, self.count, self.live = limit, 0, set[int]()

    def alloc(self, size: int) -> int:
        if size > self.limit:
            raise TooLarge(f"{size} bytes")
        self.live.add(self.count)
        self.count += 1
        return self.count - 1

    def free(self, handle: int) -> None:
        self.live.remove(handle)

    @property
    def pages(self) -> int:
        return len(self.live)


@pytest.fixture
def whole() -> Iterator[None]:
    ALLOCATORS.register(Whole)
    yield
    del ALLOCATORS._registered["whole"]


@pytest.mark.usefixtures("whole")
def test_users_own_allocator() -> None:
    assert good("ops", "-", "-a", "whole:limit=60", stdin=SEQUENCE).endswith("2,0,0,0,2\n6,1,50,1,2\n")
    assert "limit=4096" in refused("ops", "-", "-a", "whole:most=60", stdin=SEQUENCE)
    assert "pages of 4096 bytes only" in refused("ops", "-", "-a", "whole", "--page-size", 16384, stdin=SEQUENCE)


@pytest.mark.parametrize("spec", ["zsmalloc", "xvmalloc", "ideal"])
def test_batches_equal_single_calls(spec: str) -> None:
    rng = np.random.default_rng(0)
    n = 5000
    op = rng.choice([ALLOC, ALLOC, ALLOC, FREE, COMPACT], n).astype(np.uint8)
    key, size = np.arange(n), rng.integers(0, 5000, n)
    key[op == FREE] = rng.integers(0, n, int((op == FREE).sum()))
    handles, pages = run_operations(make_allocator(spec), op, key, size)
    single, live = make_allocator(spec), dict[int, int]()
    for i in range(n):
        if op[i] == ALLOC:
            try:
                live[int(key[i])] = single.alloc(int(size[i]))
                assert handles[i] == live[int(key[i])]
            except TooLarge:
                assert handles[i] < 0
        elif op[i] == FREE:
            handle = live.pop(int(key[i]), None)
            assert (handles[i] < 0) == (handle is None)
            if handle is not None:
                single.free(handle)
        else:
            assert handles[i] == single.compact()
        assert pages[i] == single.pages


WRONG = {
    "unknown letter": ("a 1 5\nx 2\ns\n", ":2: unknown operation 'x'; lines are"),
    "letter without space": ("a 1 5\na12 5\ns\n", ":2: unknown operation 'a12'"),
    "too few": ("a 1\ns\n", ":1: 'a 1' has 1 operands instead of 2"),
    "too many": ("a 1 5\nf 1 5\ns\n", ":2: 'f 1 5' has 2 operands instead of 1"),
    "operand of s": ("a 1 5\ns 3\n", ":2: 's 3' has 1 operands instead of 0"),
    "negative size": ("a 1 -5\ns\n", ":1: SIZE '-5' is wrong; give a whole number of 0 or more"),
    "garbage size": ("c\na 1 5.5\ns\n", ":2: SIZE '5.5' is wrong"),
    "huge size": (f"a 1 {10**18}\ns\n", ":1: SIZE '1000000000000000000' is wrong"),
    "negative ID": ("a -1 5\ns\n", ":1: ID '-1' is wrong"),
    "garbage ID": ("a 1 5\ns\nf one\n", ":3: ID 'one' is wrong"),
    "two spaces": ("a  1 5\ns\n", ":1: 'a 1 5' is malformed"),
    "no text": (b"a 1 5\n\xff\xfe\x00\ns\n", ":2: unknown operation"),
    "unknown ID": ("a 1 5\ns\nf 2\n", ":3: frees ID 2, which is not live; allocate it before"),
    "freed twice": ("a 1 5\nf 1\nf 1\ns\n", ":3: frees ID 1, which is not live"),
    "refused, freed twice": ("a 1 9999\nf 1\n\nf 1\ns\n", ":4: frees ID 1, which is not live"),
    "allocated twice": ("a 1 5\ns\na 1 6\n", ":3: allocates ID 1, which is live; free it before"),
    "no row": ("a 1 5\n", ": no line `s`"),
    "empty": ("", ": "),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("piped", [False, True])
def test_wrong_sequences(tmp_path: Path, case: str, piped: bool) -> None:
    text, message = WRONG[case]
    data = text.encode() if isinstance(text, str) else text
    file = "-" if piped else tmp_path / "x.ops"
    if not piped:
        (tmp_path / "x.ops").write_bytes(data)
    assert f"cswap: {file}{message}" in refused("ops", file, "-a", "zbud", stdin=data if piped else None)


def test_line_numbers_far_into_a_file(tmp_path: Path) -> None:
    """Past the first block, which is 4 MiB."""
    file = tmp_path / "long.ops"
    file.write_text("".join(f"a {i} 100\n" for i in range(600_000)) + "s\nq\n")
    assert ":600002: unknown operation 'q'" in refused("ops", file, "-a", "ideal")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing = refused("ops", tmp_path / "none.ops", "-a", "ideal")
    assert "none.ops: No such file or directory; give a file that exists" in missing
    cut = tmp_path / "cut.ops.gz"
    cut.write_bytes(gzip.compress(SEQUENCE.encode() * 100)[:-20])
    assert "give a complete file" in refused("ops", cut, "-a", "ideal")
    cut.write_bytes(b"a 1 5\ns\n")
    assert "cut.ops.gz" in refused("ops", cut, "-a", "ideal")
    assert str(tmp_path) in refused("ops", tmp_path, "-a", "ideal")


SPEC_ERRORS = {
    "nope": "unknown allocator 'nope'; known are zsmalloc, xvmalloc, zbud",
    "zsmalloc:": "is no KEY=VALUE",
    "": "has no name",
    "zsmalloc:era": "'era' is no KEY=VALUE",
    "zsmalloc:era=6.1,era=6.12": "era is given twice",
    "zsmalloc:colour=red": "unknown parameter colour; known are era=6.12, chain=none",
    "zsmalloc:page_size=4096": "unknown parameter page_size",
    "zsmalloc:zone=1": "unknown parameter zone",
    "zsmalloc:era=6.10": "era=6.10 is unknown",
    "zsmalloc:chain=four": "chain=four is wrong; give a whole number",
    "zsmalloc:chain=4.0": "chain=4.0 is wrong; give a whole number",
    "zsmalloc:chain=99": "chain=99 is out of range",
    "xvmalloc:align=true": "align=true is wrong; give a whole number",
    "order1:x=1": "unknown parameter x; it has no parameters",
}


@pytest.mark.parametrize("spec", SPEC_ERRORS)
def test_wrong_specs(spec: str) -> None:
    assert SPEC_ERRORS[spec] in refused("ops", "-", "-a", spec, stdin=SEQUENCE)


def test_wrong_page_size() -> None:
    assert "page_size=5000" in refused("ops", "-", "-a", "ideal", "--page-size", 5000, stdin=SEQUENCE)
