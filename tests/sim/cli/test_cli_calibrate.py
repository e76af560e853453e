"""`cswap calibrate`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cli_kit import good, refused, run

import sim.calibration.calibrate
from sim.timing.costs import read_costs
from workloads.host import zram

TINY = ["calibrate", "-n", 8, "--processes", 1, "-c", "lz4"]


def test_a_file_of_prices_with_its_samples(tmp_path: Path) -> None:
    file = tmp_path / "host.toml"
    text = good(*TINY, "-o", file)
    assert "8 pages of gcc-sample, processes: 1;" in text
    assert f"written to {file}; raw samples in {file}.parquet" in text
    assert read_costs(file).entries["path.fault"].source.startswith("measured")
    assert "# lz4 decompress, cold pages: p50 " in file.read_text()
    samples = pd.read_parquet(f"{file}.parquet")
    assert len(samples.query("measure == 'codec'")) == 8 * 2 * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["host.toml", "host.toml.parquet"]


def test_what_was_complete_is_kept_when_interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = sim.calibration.calibrate.calibrate

    def interrupted(plan: Any, processes: int, progress: Any) -> Iterator[pd.DataFrame]:
        yield next(whole(plan, processes, progress))
        raise KeyboardInterrupt

    monkeypatch.setattr(sim.calibration.calibrate, "calibrate", interrupted)
    file = tmp_path / "host.toml"
    result = run("calibrate", "-n", 8, "--processes", 9, "-c", "lz4", "-o", file)
    assert (result.exit_code, result.stderr) == (130, "cswap: interrupted\n")
    assert "8 pages of gcc-sample, processes: 1;" in result.stdout
    assert "# processes: 1\n" in file.read_text()
    assert set(pd.read_parquet(f"{file}.parquet")["process"]) == {0}


@pytest.mark.parametrize(("load", "busy"), [(0.0, False), (10.0, True)])
def test_a_busy_machine_is_told_in_a_line_of_its_own(load: float, busy: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    lines = good(*TINY).splitlines()
    assert lines[0].endswith(f", load {load}")
    assert lines[1].startswith("the machine was not idle (load 10.0): ") is busy


def test_json() -> None:
    data = json.loads(good(*TINY, "random:events=20,slots=9,pages=9", "--json"))
    assert data["about"]["trace"] == "random"
    assert data["about"]["pages"] <= 8
    assert len(data["codecs"]) == 4
    assert data["costs"]["copy.per_kib"]["unit"] == "ns/KiB"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], "nope: there is no such trace"),
        (["-c", "nope"], "unknown compressor 'nope'"),
        (["-n", "0"], "'-n'"),
        (["--processes", "0"], "'--processes'"),
        (["--device", "sda"], "--device sda: only zram devices can be added"),
        (["-o", "/nowhere/host.toml"], "/nowhere/host.toml: there is no such folder"),
        (["-o", "/proc/host.toml"], "/proc/host.toml: cannot be written (No such file or directory); give another -o"),
        (["bell:events=50,slots=9"], "no contents"),
    ],
)
def test_refused(words: list[str], message: str) -> None:
    assert message in refused("calibrate", *words)


def test_without_zram(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zram, "CONTROL", tmp_path / "none")
    line = refused(*TINY, "--device", "zram")
    assert line == "cswap: this kernel has no zram, or it is not loaded; try `modprobe zram`\n"
