"""Costs and swap devices: what ships, what a user's file may say, and what is refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.errors import UserError
from sim.timing.costs import read_costs
from sim.timing.devices import device_profiles, read_device
from sim.timing.sensitivity import variants
from sim.timing.setting import Setting

GOOD = 'value = 1, source = "mine"'


def test_every_shipped_price_has_a_source() -> None:
    costs = read_costs()
    assert all(len(cost.source) > 15 for cost in costs.entries.values())
    assert all(cost.source.startswith(("assumed", "measured", "published")) for cost in costs.entries.values())
    assert all(cost.low is not None and cost.high is not None for cost in costs.assumed())
    assert all(len(device.source) > 30 for device in device_profiles().values())


def test_cycles_are_turned_into_time() -> None:
    costs = read_costs()
    assert costs.ns("map.copy") == pytest.approx(560 / 3.0)
    assert costs.with_value("cpu.ghz", 1.0).ns("map.copy") == 560


def test_a_users_prices_replace_the_shipped_ones(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[alloc]\nhit = { value = 99.5, source = "measured by me" }\n')
    costs, shipped = read_costs(file), read_costs()
    assert costs.ns("alloc.hit") == 99.5
    assert costs.entries["alloc.hit"].unit == "ns"
    assert [p.name for p in costs.assumed()] == [p.name for p in shipped.assumed() if p.name != "alloc.hit"]
    assert costs.digest() != shipped.digest() == read_costs().digest()
    assert costs.describe()["file"] == str(file)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"[alloc]\nhitt = {{ {GOOD} }}", "unknown cost alloc.hitt"),
        (f"hit = {{ {GOOD} }}", "unknown cost hit.value"),
        ("[alloc]\nhit = 3", "alloc.hit: is not a cost"),
        ("[alloc]\nhit = { value = 3 }", "alloc.hit: source is missing"),
        ('[alloc]\nhit = { source = "x" }', "alloc.hit: value is missing"),
        (f"[alloc]\nhit = {{ {GOOD}, cost = 1 }}", "alloc.hit: unknown key cost"),
        ('[alloc]\nhit = { value = -1, source = "x" }', "alloc.hit: value=-1 is wrong"),
        ('[alloc]\nhit = { value = "a", source = "x" }', "alloc.hit: value='a' is wrong"),
        ('[alloc]\nhit = { value = nan, source = "x" }', "alloc.hit: value=nan is wrong"),
        (f'[alloc]\nhit = {{ {GOOD}, unit = "pages" }}', "alloc.hit: unit='pages' is wrong"),
        ('[alloc]\nhit = { value = 1, source = "assumed" }', "alloc.hit: is assumed; give low and high"),
        ('[cpu]\nghz = { value = 0, source = "x" }', "cpu.ghz: value=0 is wrong"),
        ("[alloc", "is not TOML: "),
    ],
)
def test_a_wrong_price_is_told_with_file_and_name(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UserError) as error:
        read_costs(file)
    assert said in str(error.value)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value).strip()


DEVICE = """
[own]
queue_depth = 4
read = { distribution = "exponential", mean_us = 10.0 }
write = { distribution = "constant", mean_us = 20 }
page_us = 1
source = "mine"
"""


def test_a_device_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(DEVICE)
    device = read_device(f"{file}:own")
    assert (device.name, device.queue_depth, device.write.mean_us) == ("own", 4, 20)
    assert Setting(device=f"{file}:own").device == f"{file}:own"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("queue_depth = 4", "queue_depth = 0", "queue_depth=0 is wrong"),
        ("queue_depth = 4", "", "queue_depth is missing"),
        ("page_us = 1", "page_us = -1", "page_us=-1 is wrong"),
        ("page_us = 1", "page_us = 1\nspeed = 3", "unknown key speed"),
        ('"exponential"', '"normal"', "read: distribution='normal' is unknown"),
        ("mean_us = 10.0", "median_us = 10.0", "read: exponential has mean_us"),
        ("mean_us = 20", "mean_us = 0", "write: mean_us are wrong"),
    ],
)
def test_a_wrong_device_is_told_with_file_and_name(old: str, new: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(DEVICE.replace(old, new))
    with pytest.raises(UserError) as error:
        read_device(f"{file}:own")
    assert said in str(error.value)
    assert f"{file}: own" in str(error.value)


@pytest.mark.parametrize("name", list(device_profiles()))
def test_service_times_have_their_mean_and_percentile(name: str) -> None:
    for service in (read_device(name).read, read_device(name).write):
        drawn = service.draw(np.random.default_rng(1), 200_000) / 1e3
        assert drawn.mean() == pytest.approx(service.mean_us, rel=0.03)
        assert (drawn > 0).all()
        if service.distribution == "lognormal":
            assert np.median(drawn) == pytest.approx(service.values[0], rel=0.03)
            assert np.percentile(drawn, 99) == pytest.approx(service.values[1], rel=0.05)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"cpus": 0}, "cpus=0; give a whole number from 1"),
        ({"cpus": 1.5}, "cpus=1.5"),
        ({"cpus": True}, "cpus=True"),
        ({"load": 0}, "loads=0; give a number from 1e-06 to 1000000"),
        ({"load": 1e300}, "loads=1e\\+300"),
        ({"cpu_scale": -1}, "cpu_scale=-1"),
        ({"cpu_scale": float("nan")}, "cpu_scale=nan"),
        ({"cpu_scale": 1e-300}, "cpu_scale=1e-300; give a number from 0.001 to 1000"),
        ({"cpu_scale": 10**400}, "; give a number from 0.001 to 1000"),
        ({"page_cluster": -1}, "page_clusters=-1"),
        ({"streams": 0}, "streams=0"),
        ({"arrivals": "poisson"}, "unknown arrivals 'poisson'; known are closed, recorded, saturate"),
        ({"mapping": "mmap"}, "known are pte, pte-global, copy"),
        ({"device": "tape"}, "unknown device 'tape'; known are nvme, sata-ssd, emmc, hdd"),
        ({"device": "/nowhere.toml:x"}, "nowhere.toml"),
    ],
)
def test_a_setting_that_makes_no_sense(setting: dict[str, object], said: str) -> None:
    with pytest.raises((UserError, OSError), match=said):
        Setting(**setting)  # type: ignore[arg-type]


def test_only_costs_in_use_are_varied() -> None:
    def varied(frontend: str, *codecs: str) -> set[str]:
        return {cost.name for cost, _ in variants(read_costs(), Setting(mapping="copy"), frontend, codecs)}

    assert varied("zswap", "lz4", "zstd:level=3") - varied("zswap", "lz4") == {
        "codec.zstd_compress",
        "codec.zstd_decompress",
    }
    assert varied("zswap", "lz4") - varied("zram", "lz4") == {"lines.zswap_tree"}
    assert {"lines.page", "alloc.order1", "path.fault"} <= varied("zram", "lz4")
    assert not any(name.startswith("map.") for name in varied("zram", "lz4"))
