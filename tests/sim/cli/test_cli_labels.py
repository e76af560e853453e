"""What is printed says where codec times were taken, and with which factor the CPUs were slowed down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import good

from sim import Result
from sim.machine import processor

TIMED = ("-c", "lz4", "-a", "zsmalloc", "--timing")


@pytest.mark.parametrize(
    ("trace", "said"),
    [("gcc-sample", f"this machine ({processor()})"), ("gcc", "the machine of the trace (Linux 6.18")],
)
def test_codec_times_name_their_machine(trace: str, said: str, tmp_path: Path) -> None:
    text = good("run", trace, *TIMED, "--out", tmp_path / "out")
    assert f"codec times of {said}" in text
    result = Result.load(tmp_path / "out")
    timed = result.latency[result.latency["operation"] != "codec"]
    assert all(told.startswith(said) for told in timed["codec_times"])
    codec = result.latency[result.latency["operation"] == "codec"]
    assert set(codec["codec_times"]) == {f"this machine ({processor()})"}, "of the sample's pages"
    assert result.provenance["codec_times"][trace]["lz4"].startswith(said)


def test_cpu_scale_stands_in_every_place(tmp_path: Path) -> None:
    text = good("run", "gcc-sample", *TIMED, "--cpu-scale", 8, "--out", tmp_path / "out")
    assert "cpu_scale 8)" in text
    (row,) = json.loads(good("run", "gcc-sample", *TIMED, "--cpu-scale", 8, "--json"))
    assert {latency["cpu_scale"] for latency in row["latency"]} == {8.0}
    latency = Result.load(tmp_path / "out").latency
    assert set(latency["cpu_scale"].dropna()) == {8.0}
    (row,) = json.loads(good("run", "gcc-sample", *TIMED, "--json"))
    assert "cpu_scale" not in row["latency"][0]
