"""Predicted against measured latency."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from costs_kit import free_of_charge
from live_kit import devices, needs_zram, with_device

from sim.calibration.device import COUNT, NOISE, floors
from sim.calibration.samples import Samples
from sim.errors import UserError
from sim.plugins import COMPRESSORS
from sim.timing.costs import read_costs
from sim.validate.latency import Pair, calibrated, compare_latency, predict, summary, there_and_back
from sim.validate.live_latency import Measured
from workloads import open_sample
from workloads.errors import HostError
from workloads.generators.sizes import Bell
from workloads.host import zram
from workloads.traces.events import IN, OUT
from workloads.traces.trace import Trace

ROOT = Path(__file__).parents[3]
PAGE = 4096


def test_a_page_goes_out_and_comes_back() -> None:
    events = there_and_back(np.array([2, 0, 1]))
    assert events.kind.tolist() == [OUT, OUT, OUT, IN, IN, IN]
    assert events.slot.tolist() == [0, 1, 2, 2, 0, 1]
    assert events.page.tolist() == [0, 1, 2, -1, -1, -1]


def test_the_prediction_is_codec_time_and_prices() -> None:
    n = 200
    pages = open_sample("gcc").page_array(0, n)
    back = np.arange(n)
    trace = Trace.from_arrays("there and back", there_and_back(back), pages)
    rng = np.random.default_rng(1)
    compress, decompress = rng.integers(1000, 9000, (2, n))
    size = np.where(np.arange(n) < 20, PAGE, 100).astype(np.int32)  # the first ones are kept whole
    measured = Measured(compress, compress, back, size, compress, decompress)
    costs = free_of_charge(path__page_out=300, path__page_in=400, check__miss=5)
    predicted = predict(trace, "lz4", measured, costs, chain=8)
    assert np.allclose(predicted["page-out"], (compress + 305) / 1e3)
    assert np.allclose(predicted["page-in"][20:], (decompress + 400)[20:] / 1e3)
    assert np.allclose(predicted["page-in"][:20], 0.4), "whole pages are not decompressed"


def test_direct_io_knows_no_faults_and_no_reclaim() -> None:
    samples = Samples()
    ns = np.full(9, 100.0)
    samples.add("fault", ns, PAGE, state="cold")
    samples.add("compare", ns, PAGE)
    samples.add("device", 5 * ns, PAGE, part="store")
    samples.add("device", 4 * ns, PAGE, part="load")
    costs = calibrated(samples)
    values = {name: costs.entries[f"path.{name}"].value for name in ("page_out", "page_in", "fault", "reclaim")}
    assert values == {"page_out": 400, "page_in": 400, "fault": 0, "reclaim": 0}
    assert costs.entries["alloc.hit"] == read_costs().entries["alloc.hit"]


def test_ratios_are_predicted_by_measured() -> None:
    measured = np.linspace(1, 101, 1001)
    both = ("page-out", "page-in")
    rows = summary([Pair(operation, measured, factor * measured) for operation in both for factor in (1, 2, 4)])
    found = [(row["operation"], row["percentile"]) for row in rows]
    assert found == [(operation, percentile) for operation in both for percentile in (50, 95, 99)]
    assert rows[0] == {
        "operation": "page-out",
        "percentile": 50,
        "measured_us": 51.0,
        "predicted_us": 102.0,
        "ratio": 2.0,
        "ratio_low": 1.0,
        "ratio_high": 4.0,
    }


def test_without_zram(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(zram, "CONTROL", tmp_path / "none")
    with pytest.raises(HostError, match="this kernel has no zram"):
        compare_latency(open_sample("gcc"), COMPRESSORS.make("lz4"))


def test_a_trace_without_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.validate.latency.require_zram", lambda: None)
    with pytest.raises(UserError, match="no contents; a device needs contents"):
        compare_latency(Bell(events=50, slots=9).trace(), COMPRESSORS.make("lz4"))


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_on_a_device() -> None:
    rows = compare_latency(open_sample("gcc"), COMPRESSORS.make("lzo-rle"), count=150, repeats=2)
    assert len(rows) == 6
    for row in rows:
        assert row["measured_us"] > 0.1
        assert row["predicted_us"] > 0.1
        assert 0 < row["ratio_low"] <= row["ratio"] <= row["ratio_high"]


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_floors_are_those_of_a_device() -> None:
    samples = Samples()
    with floors(samples) as measured:
        measured.measure()
        measured.measure_cold(lambda: None)
        stat = measured.device.mm_stat()
        assert (stat.same_pages, stat.orig_data_size) == (COUNT, 2 * COUNT * PAGE)
        measured.measure_once()
    frame = samples.frame()
    warm = frame[(frame["state"] == "warm") & ~frame["part"].str.contains("discard|grow")]
    assert warm["part"].value_counts().to_dict() == dict.fromkeys(
        ("store", "load", "object store", "object load"), COUNT
    )
    assert (frame["state"] == "cold").sum() == 2 * COUNT
    grown = frame.loc[frame["part"] == "grow", "number"]
    assert set(grown) <= set(range(1, 9))
    assert len(grown) > len(NOISE)


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_removed_after_a_signal(tmp_path: Path) -> None:
    words = ["latency", "gcc-sample", "-c", "lzo-rle", "--repeats", "50", "--json"]
    running, device = with_device(tmp_path, "validate", *words)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, "", "cswap: interrupted\n")
    assert device not in devices()


@pytest.mark.live
@needs_zram
@pytest.mark.usefixtures("others")
def test_command() -> None:
    words = ["validate", "latency", "gcc-sample", "-c", "lzo-rle"]
    words += ["-n", "70", "--repeats", "1", "--json"]
    done = subprocess.run([sys.executable, "-m", "sim", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    shown = json.loads(done.stdout)
    assert (shown["trace"], shown["compressor"], shown["repeats"]) == ("gcc-sample", "lzo-rle", 1)
    assert len(shown["latency"]) == 6
    assert "kernel" in shown["machine"]
