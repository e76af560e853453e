"""`cswap validate`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli_kit import good, refused, run

from workloads import FREE, OUT, Events, Trace, save_trace
from workloads.host import zram
from workloads.host.mmstat import FIELDS

ZRAM = Path(__file__).parents[2] / "golden" / "zram"
PAGES, OPS, ROWS = ZRAM / "public.bin.zst", ZRAM / "public.lz4.ops.gz", ZRAM / "public.lz4.mmstat.csv"
RECORDED = ["validate", "recorded", "--pages", PAGES, "--ops", OPS, "--expect", ROWS]


def test_identical() -> None:
    assert good(*RECORDED, "-c", "lz4") == "200 of 200 rows identical\n"
    shown = {"compressor": "lz4", "rows": 200, "identical": 200, "first_difference": None}
    assert json.loads(good(*RECORDED, "-c", "lz4", "--json")) == shown


def test_different() -> None:
    result = run(*RECORDED, "-c", "lz4", "--chain", 4)
    assert (result.exit_code, result.stderr) == (1, "")
    first, second = result.stdout.splitlines()
    assert first == "0 of 200 rows identical"
    difference = "first difference: row 1 (ops_done 100), compr_data_size: kernel 165461, simulated 170765"
    assert second == difference
    result = run(*RECORDED, "-c", "lz4", "--chain", 4, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["first_difference"]["field"] == "compr_data_size"


@pytest.fixture
def incompressible(tmp_path: Path) -> Callable[..., Path]:
    """Makes a recording: 300 pages, each whole in a zspage of its own, that may be freed; and what its device said."""

    def make(*, freed: int = 0, **said: int) -> Path:
        pages = np.random.default_rng(0).integers(0, 256, (300, 4096), np.uint8)
        size = (300 - freed) * 4096
        held = {"orig_data_size": size, "compr_data_size": size, "mem_used_total": size, "mem_used_max": 300 * 4096}
        nothing = dict.fromkeys(FIELDS, 0)
        source = {"mm_stat_before": nothing, "mm_stat": {**nothing, **held, "huge_pages_since": 300, **said}}
        slots = [*range(300), *range(freed)]
        events = Events.of([OUT] * 300 + [FREE] * freed, slots, [*range(300), *[-1] * freed])
        save_trace(Trace.from_arrays("t", events, pages, source={"algorithm": "lz4", **source}), tmp_path / "t.cswap")
        return tmp_path / "t.cswap"

    return make


def test_ending(incompressible: Callable[..., Path]) -> None:
    shown = good("validate", "ending", incompressible(), "--chain", 8)
    assert shown.endswith("mem_used_total: within 0.5% of the kernel's\n")
    assert "maxima" not in shown


def test_ending_that_differs(incompressible: Callable[..., Path]) -> None:
    words = ["validate", "ending", incompressible(mem_used_total=1240000), "--chain", 8]
    result = run(*words, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["agrees"], found["left"]) == (False, 300)
    row = {"field": "mem_used_total", "kernel": 1240000, "simulated": 1228800, "others": 0, "deviation": -0.00903}
    assert found["mm_stat"][2] == row
    result = run(*words)
    assert result.exit_code == 1
    assert result.stdout.endswith(
        "if another kernel recorded it, give its CONFIG_ZSMALLOC_CHAIN_SIZE as --chain; else record it again\n"
    )


def test_ending_of_a_program_that_gave_everything_back(incompressible: Callable[..., Path]) -> None:
    shown = good("validate", "ending", incompressible(freed=299), "--chain", 8)
    said, verdict = shown.splitlines()[-2:]
    assert said.startswith("the program had given everything back (pages left: 1), so only the maxima can be compared")
    assert verdict == "mem_used_max, huge_pages_since: within 0.5% of the kernel's"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*RECORDED], "Missing option '-c'"),
        ([*RECORDED, "-c", "nope"], "unknown compressor 'nope'"),
        ([*RECORDED, "-c", "lz4", "--chain", "99"], "chain=99 is out of range"),
        ([*RECORDED, "-c", "lz4", "gcc"], "gcc"),
        ([*RECORDED[:-2], "-c", "lz4"], "Missing option '--expect'"),
        (["validate", "gcc"], "No such command 'gcc'"),
        (["validate", "live", "-c", "lz4"], "Missing argument 'TRACE'"),
        (["validate", "live", "gcc"], "Missing option '-c'"),
        (["validate", "live", "nope", "-c", "lz4"], "nope: there is no such trace"),
        (["validate", "live", "gcc", "-c", "lz4", "--every", "0"], "'--every'"),
        (["validate", "latency", "gcc", "-c", "lz4", "--repeats", "0"], "'--repeats'"),
        (["validate", "ending", "bell:events=9"], "does not say what mm_stat was at its end"),
        (
            ["validate", "ending", "gcc-sample"],
            "gcc-sample: a sample has no ending of its own; give the whole recording",
        ),
        (["validate", "ending", "gcc", "-c", "lz4"], "No such option: -c"),
        (["validate", "gcc", "--device", "zram", "-c", "lz4"], "now: cswap validate live TRACE -c SPEC\n"),
        (["validate", "gcc", "--device=zram", "-c", "lz4", "--latency"], "now: cswap validate latency TRACE -c SPEC\n"),
        (["validate", "gcc", "--ending"], "--ending is a sub-command now: cswap validate ending TRACE\n"),
        (["validate", *RECORDED[2:], "-c", "lz4"], "now: cswap validate recorded --pages BIN --ops FILE --expect CSV"),
    ],
)
def test_refused(words: list[object], message: str) -> None:
    assert message in refused(*words)


@pytest.mark.parametrize("missing", ["--pages", "--ops", "--expect"])
def test_missing_files(missing: str, tmp_path: Path) -> None:
    words = [*RECORDED, "-c", "lz4"]
    words[words.index(missing) + 1] = tmp_path / "none"
    line = refused(*words)
    assert f"{tmp_path / 'none'}: " in line


def test_without_zram(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zram, "CONTROL", tmp_path / "none")
    for mode in ("live", "latency"):
        line = refused("validate", mode, "gcc-sample", "-c", "lz4")
        assert line == "cswap: this kernel has no zram, or it is not loaded; try `modprobe zram`\n"
