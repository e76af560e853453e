"""What a calibration measures, and the costs it makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.calibration.calibrate import Plan, calibrate, sample_pages
from sim.calibration.codecs import measure_codecs
from sim.calibration.costs import measured_costs, scatter, to_toml
from sim.calibration.machine import machine
from sim.calibration.samples import COLUMNS, Samples
from sim.calibration.summary import codec_rows
from sim.errors import SpecError, UserError
from sim.plugins import COMPRESSORS
from sim.timing.costs import read_costs
from sim.timing.lines import FOOTPRINTS
from workloads import Events, Trace, open_sample

PAGE = 4096


def test_every_codec_meets_every_page_once_cold_and_once_warm() -> None:
    pages = open_sample("gcc").page_array(0, 150)
    samples = Samples()
    seen: list[int] = []
    codecs = [COMPRESSORS.make("lz4"), COMPRESSORS.make("zstd")]
    measure_codecs(samples, codecs, pages, np.random.default_rng(1), seen.append)
    frame = samples.frame(process=7)
    assert list(frame) == list(COLUMNS)
    assert set(frame["process"]) == {7}
    assert frame["ns"].min() > 0
    assert seen == [1, 2, 3, 4, 5, 6]
    for _, group in frame.groupby(["item", "part", "state"]):
        assert sorted(group["number"]) == list(range(150))
    assert len(frame) == 150 * 2 * 2 * 2
    rows = codec_rows(frame)
    assert [(row["codec"], row["part"], row["pages"]) for row in rows][:3] == [
        ("lz4", "compress", "cold"),
        ("lz4", "compress", "warm"),
        ("lz4", "decompress", "cold"),
    ]
    assert all(row["count"] == 150 and 0 < row["p50_us"] <= row["p95_us"] <= row["p99_us"] for row in rows)


def test_new_processes_measure(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    plan = Plan(("lz4",), open_sample("gcc").page_array(0, 20), zram=False, seed=0)
    frames = list(calibrate(plan, 2, lambda done, total: told.append((done, total))))
    assert [frame["process"].unique().tolist() for frame in frames] == [[0], [1]]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    frame = pd.concat(frames)
    assert {"clock", "copy", "compare", "fault", "miss", "codec"} <= set(frame["measure"])
    assert sorted(set(frame.loc[frame["measure"] == "miss", "number"])) == [size >> 10 for size in FOOTPRINTS.values()]
    file = tmp_path / "host.toml"
    file.write_text(to_toml(measured_costs(frame), ["a host", ""]))
    costs, shipped = read_costs(file), read_costs()
    copies = ("copy.start", "copy.per_kib", "copy.cold_start", "copy.cold_per_kib", "memory.read_per_kib")
    for name in (*copies, *(f"memory.{miss}" for miss in FOOTPRINTS), "check.same_filled", "path.fault"):
        assert costs.entries[name].source.startswith("measured: ")
        assert costs.entries[name].unit == shipped.entries[name].unit
    assert costs.entries["path.page_out"] == shipped.entries["path.page_out"], "needs a device"


def test_a_fault_of_the_other_process_is_told_here() -> None:
    plan = Plan(("nope",), open_sample("gcc").page_array(0, 2), zram=False, seed=0)
    with pytest.raises(SpecError, match="unknown compressor 'nope'"):
        list(calibrate(plan, 1))


def made(process: int, factor: float) -> pd.DataFrame:
    """Samples whose costs are known."""
    samples = Samples()
    ns = factor * np.ones(5)
    samples.add("chain", 10_000 / ns, 40_000, part="cycles")
    samples.add("compare", 100 * ns, PAGE, state="warm")
    samples.add("compare", 700 * ns, PAGE, state="cold")
    samples.add("device", 500 * ns, PAGE, part="store")
    samples.add("device", 400 * ns, PAGE, part="load")
    samples.add("fault", 1000 * ns, PAGE, state="cold")
    for size in (64, 1024, 4096):
        samples.add("copy", (50 + 80 * size / 1024) * ns, size, state="cold")
        samples.add("copy", ns, size, state="warm")
    return samples.frame(process)


def test_prices_are_the_medians_of_the_processes() -> None:
    found = {cost.name: cost for cost in measured_costs(pd.concat([made(0, 1), made(1, 2), made(2, 1.5)]))}
    assert {name: cost.value for name, cost in found.items()} == {
        "cpu.ghz": 6.0,
        "path.page_out": 600.0,
        "path.page_in": 600.0,
        "path.fault": 1500.0,
        "check.same_filled": 1050.0,
        "copy.start": 75.0,
        "copy.per_kib": 120.0,
    }
    assert found["path.fault"].source.endswith("; 3 processes: 1000 to 2000")
    assert [cost.name for cost in measured_costs(made(0, 1).query("measure == 'fault'"))] == ["path.fault"]


def test_what_the_pool_does_is_left_when_the_way_and_the_codec_are_not() -> None:
    samples, ns = Samples(), np.ones(5)
    samples.add("compare", 100 * ns, PAGE)
    for part, took in {"store": 1000, "load": 800, "object store": 1400, "object load": 950}.items():
        samples.add("device", took * ns, PAGE, part=part)
        samples.add("device", 9999 * ns, PAGE, part=part, state="cold")
    samples.add("device", 700 * ns, PAGE, part="object discard")
    samples.add("device", 550 * ns, PAGE, part="discard")
    for pages in range(1, 9):
        samples.add("device", (650 + 150 * pages) * ns, pages, part="grow")
    found = {cost.name: cost.value for cost in measured_costs(samples.frame())}
    assert found == pytest.approx(
        {"path.page_out": 900, "path.page_in": 800, "path.object": 150}
        | {"alloc.hit": 350, "alloc.free": 150, "alloc.grow": 300, "alloc.page": 150}
    )


def test_floors_out_of_the_caches_tell_how_the_way_scatters() -> None:
    samples = Samples()
    samples.add("device", np.array([5.0, 1.0, 2.0]), PAGE, part="object load", state="cold")
    samples.add("device", np.array([700.0]), PAGE, part="object load")
    assert scatter(samples.frame(), "object load").tolist() == [3, -1, 0]
    assert scatter(samples.frame(), "object store").tolist() == [0], "not measured"


def test_pages_of_a_trace() -> None:
    pages = np.zeros((4, PAGE), np.uint8)
    pages[1:, 0] = (1, 2, 3)
    trace = Trace.from_arrays("four", Events.of(np.zeros(4), np.arange(4), np.arange(4)), pages)
    assert sample_pages(trace, 10).tolist() == pages[1:].tolist()
    assert len(sample_pages(trace, 2)) == 2
    zeros = Trace.from_arrays("zeros", Events.of([0], [0], [0]), pages[:1])
    with pytest.raises(UserError, match="zeros: only same-filled pages"):
        sample_pages(zeros, 10)


def test_the_machine_says_what_it_is() -> None:
    about = machine()
    assert about["cores"] >= 1
    assert about["turbo"] in ("on", "off", "not visible")
    assert isinstance(about["hypervisor"], bool)
