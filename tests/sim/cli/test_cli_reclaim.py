"""`cswap import --ram`: a file of reads and writes becomes swap traffic."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trace_kit
from cli_kit import good, refused

from sim import import_trace
from sim.errors import UserError
from sim.ram.reclaim import Reclaim
from workloads import OUT, TraceError, open_trace
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.input import Head, Input

N = 600  # pages of the program


@pytest.fixture
def uses(tmp_path: Path) -> Path:
    """All pages are written, then read twice."""
    rows = [f"{kind},{(0x7F << 40) + page}" for kind in ("out", "in", "in") for page in range(N)]
    (tmp_path / "uses.csv").write_text("\n".join(["kind,slot", *rows, ""]))
    return tmp_path / "uses.csv"


def imported(file: Path, *words: object) -> dict[str, Any]:
    out = file.with_name("out.cswap")
    good("import", file, "--pages", "gcc-sample", *words, "-o", out)
    told: dict[str, Any] = json.loads(good("trace", "info", out, "--json"))
    return told


def test_page_outs_and_page_ins_are_those_of_lru(uses: Path) -> None:
    told = imported(uses, "--ram", "1M")
    assert told["source"]["reclaim"] == {
        "ram": 256,
        "policy": "lru",
        "swap cache": True,
        "slots": 1536,
        "references": 3 * N,
        "distinct pages": N,
        "faults": 3 * N,
        "dropped clean": 2 * N - 256,
        "dropped file pages": 0,
    }
    assert (told["out"], told["in"], told["free"], told["content"]) == (N, 2 * N, 0, True)
    events = trace_kit.all_events(open_trace(uses.with_name("out.cswap")))
    assert events.slot[events.kind == OUT].tolist() == list(range(1, N + 1))


def test_options_say_what_the_memory_is(uses: Path) -> None:
    told = imported(uses, "--policy", "random:seed=5", "--no-swap-cache", "--swap", "5M")
    reclaim = told["source"]["reclaim"]
    assert (reclaim["ram"], reclaim["policy"], reclaim["slots"]) == (N // 2, "random:seed=5", 1280)
    assert told["free"] == told["in"] > 0
    assert reclaim["dropped clean"] == 0
    assert told["source"]["limit"] == N // 2 * 4096  # what `cswap run --ram` wants to know


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--ram", "64M"], "uses.csv: all 600 pages of the program fit into 16384 pages of RAM"),
        (["--ram", "much"], "--ram much: give a size of at least one page"),
        (["--ram", "100"], "--ram 100: give a size of at least one page"),
        (["--policy", "fifo"], "unknown policy 'fifo'"),
        (["--ram", "1M", "--swap", "1M"], "uses.csv: all 255 slots of swap are in use"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing(words: list[str], said: str, uses: Path) -> None:
    assert said in refused("import", uses, "--pages", "gcc-sample", *words, "-o", uses.with_name("out.cswap"))
    assert list(uses.parent.iterdir()) == [uses]


class Uses(Reader):
    """A format of one byte a use: the page, whose highest bit says that it is written."""

    name = "uses"
    title = "uses of pages"
    references = True

    @classmethod
    def sniff(cls, head: Head) -> bool:
        return False

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        for block in file.blocks(100):
            page = np.frombuffer(block, np.uint8)
            yield Batch((page < 128).astype(np.uint8), (page % 128).astype(np.uint64))
        if file.path.stat().st_size % 2:
            raise TraceError.at(file.path, "end", "is odd", "make it even")


def test_a_format_of_uses_has_a_memory_of_half_its_pages(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes([*range(128, 168), *range(40)]))
    trace = import_trace(tmp_path / "a", tmp_path / "a.cswap", format=Uses(), pages="gcc-sample")
    trace_kit.check(trace)
    assert (trace.source["reclaim"]["ram"], trace.counts["out"], trace.counts["in"]) == (20, 40, 40)


def test_what_comes_before_a_fault_is_kept_if_asked_for(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(bytes([*range(128, 168), *range(40), 0]))
    with pytest.raises(TraceError, match="is odd"):
        import_trace(tmp_path / "odd", tmp_path / "odd.cswap", format=Uses())
    assert [path.name for path in tmp_path.iterdir()] == ["odd"]
    trace = import_trace(tmp_path / "odd", tmp_path / "odd.cswap", format=Uses(), pages="gcc-sample", keep_going=True)
    assert (trace.counts["out"], trace.counts["in"]) == (40, 41)
    assert "is odd" in trace.source["lost"]


def test_a_generator_needs_no_memory(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is swap traffic already"):
        import_trace("uniform", tmp_path / "u.cswap", reclaim=Reclaim(5))
