"""`cswap validate`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from cli_kit import good, refused, run

from workloads import OUT, Events, Trace, save_trace
from workloads.host import zram
from workloads.host.mmstat import FIELDS

ZRAM = Path(__file__).parents[2] / "golden" / "zram"
PAGES, OPS, ROWS = ZRAM / "public.bin.zst", ZRAM / "public.lz4.ops.gz", ZRAM / "public.lz4.mmstat.csv"
RECORDED = ["validate", "--pages", PAGES, "--ops", OPS, "--expect", ROWS]


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


def test_ending(tmp_path: Path) -> None:
    """Three pages that do not compress, each whole in a zspage of its own."""
    pages = np.random.default_rng(0).integers(0, 256, (3, 4096), np.uint8)
    held = {**dict.fromkeys(FIELDS, 0), "orig_data_size": 12288, "compr_data_size": 12288, "mem_used_total": 12288}
    for name, memory in (("same", 12288), ("other", 12400)):
        said = {"mm_stat_before": dict.fromkeys(FIELDS, 0), "mm_stat": held | {"mem_used_total": memory}}
        events = Events.of([OUT] * 3, [1, 2, 3], range(3))
        trace = Trace.from_arrays(name, events, pages, source={"algorithm": "lz4", **said})
        save_trace(trace, tmp_path / f"{name}.cswap")
    shown = good("validate", tmp_path / "same.cswap", "--ending", "--chain", 8)
    assert shown.endswith("mem_used_total: within 0.5% of the kernel's\n")
    result = run("validate", tmp_path / "other.cswap", "--ending", "--chain", 8, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["agrees"] is False
    row = {"field": "mem_used_total", "kernel": 12400, "simulated": 12288, "deviation": -0.00903}
    assert found["mm_stat"][2] == row


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*RECORDED], "-c is missing; give the codec"),
        ([*RECORDED, "-c", "nope"], "no compressor is called nope"),
        ([*RECORDED, "-c", "lz4", "--chain", "99"], "chain=99 is out of range"),
        ([*RECORDED, "-c", "lz4", "gcc"], "give either --pages, --ops and --expect, or TRACE and --device zram"),
        ([*RECORDED[:-2], "-c", "lz4"], "--expect is missing"),
        (["validate", "-c", "lz4"], "give either --pages"),
        (["validate", "gcc", "-c", "lz4"], "give either --pages"),
        (["validate", "gcc", "--device", "sda", "-c", "lz4"], "--device sda: only zram devices can be added"),
        (["validate", "nope", "--device", "zram", "-c", "lz4"], "nope: there is no such trace"),
        (["validate", "gcc", "-c", "lz4", "--latency"], "--latency measures on a device of this host; give TRACE and"),
        (["validate", "gcc", "--device", "sda", "-c", "lz4", "--latency"], "--device sda: only zram devices can be"),
        (["validate", "gcc", "--device", "zram", "-c", "lz4", "--latency", "--repeats", "0"], "'--repeats'"),
        ([*RECORDED, "-c", "lz4", "--latency"], "give TRACE and --device zram"),
        (["validate", "gcc", "--device", "zram", "-c", "lz4", "--every", "0"], "'--every'"),
        (["validate", "bell:events=9", "--ending"], "does not say what mm_stat was at its end"),
        (["validate", "gcc", "--ending", "-c", "lz4"], "--ending: give TRACE and nothing besides"),
        (["validate", "--ending"], "--ending: give TRACE and nothing besides"),
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
    for words in ([], ["--latency"]):
        line = refused("validate", "gcc", "--device", "zram", "-c", "lz4", *words)
        assert line == "cswap: this kernel has no zram, or it is not loaded; try `modprobe zram`\n"
