"""`cswap validate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import good, refused, run

from workloads.host import zram

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


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*RECORDED], "Missing option '-c'"),
        ([*RECORDED, "-c", "nope"], "no compressor is called nope"),
        ([*RECORDED, "-c", "lz4", "--chain", "99"], "chain=99 is out of range"),
        ([*RECORDED, "-c", "lz4", "gcc"], "give either --pages, --ops and --expect, or TRACE and --device zram"),
        ([*RECORDED[:-2], "-c", "lz4"], "--expect is missing"),
        (["validate", "-c", "lz4"], "give either --pages"),
        (["validate", "gcc", "-c", "lz4"], "give either --pages"),
        (["validate", "gcc", "--device", "sda", "-c", "lz4"], "--device sda: only zram devices can be added"),
        (["validate", "nope", "--device", "zram", "-c", "lz4"], "nope: there is no such trace"),
        (["validate", "gcc", "--device", "zram", "-c", "lz4", "--every", "0"], "'--every'"),
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
    line = refused("validate", "gcc", "--device", "zram", "-c", "lz4")
    assert line == "cswap: this kernel has no zram, or it is not loaded; try `modprobe zram`\n"
