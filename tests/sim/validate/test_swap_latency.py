"""Predicted against measured faults and reclaim."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from costs_kit import free_of_charge
from live_kit import ROOT, devices, unavailable, with_device

from sim.calibration.calibrate import sample_pages
from sim.calibration.samples import Samples
from sim.calibration.swap import SWAP, swap_costs
from sim.plugins import COMPRESSORS
from sim.timing.lines import FOOTPRINTS
from sim.validate import swap_latency
from sim.validate.latency import simulated
from sim.validate.live_swap import FLOORS, Memory, Swapped, measure_swapped
from sim.validate.swap_latency import add_floors, as_trace, compare_swap, predicted, predicted_pairs
from workloads import open_sample
from workloads.errors import HostError
from workloads.host.cgroup import memory_hierarchy, require_cgroup
from workloads.host.zram_swap import swap_device
from workloads.traces.events import FREE, IN, OUT

PAGE = 4096


def unswappable() -> str:
    try:
        require_cgroup()
    except HostError as error:
        return str(error)
    return unavailable()


needs_swap = pytest.mark.skipif(bool(unswappable()), reason=unswappable() or "zram and memory cgroups are there")


def swapped(n: int = 90, seed: int = 3) -> Swapped:
    """As a process might measure it: codec and 1000 ns, floors 3000 ns out and 2500 ns in."""
    rng = np.random.default_rng(seed)
    rows = n + FLOORS
    compress, decompress = rng.integers(1000, 9000, (2, n))
    write, read = np.full(rows, 3000), np.full(rows, 2500)
    write[:n], read[:n] = compress + 1000, decompress + 1000
    out, into = rng.permutation(rows), rng.permutation(rows)
    slot = np.empty(rows, np.int64)
    slot[out] = 7 + np.arange(rows)
    size = rng.integers(40, 3000, n).astype(np.int32)
    return Swapped(out, into, slot, write, read, np.ones(rows, np.bool_), size, compress, decompress)


def test_a_page_is_freed_when_it_comes_in() -> None:
    given = swapped()
    trace, sizes = as_trace(given, "lz4")
    rows = len(given.out)
    assert trace.n_events == 3 * rows
    kind = np.concatenate([events.kind for events in trace.batches(4096)])
    assert (kind[:rows] == OUT).all()
    assert (kind[rows::2] == IN).all()
    assert (kind[rows + 1 :: 2] == FREE).all()
    assert sizes.same_filled.sum() == FLOORS


def test_a_fault_costs_codec_path_and_free() -> None:
    given = swapped()
    trace, sizes = as_trace(given, "lz4")
    costs = free_of_charge(
        path__page_out=300, path__reclaim=70, path__page_in=400, path__fault=600, check__same_filled=9
    )
    n = len(given.size)
    found = predicted(trace, sizes, given, costs, chain=8)
    assert np.allclose(found["page-out"][:n], (given.compress + 370) / 1e3)
    assert np.allclose(found["page-in"][:n], (given.decompress + 1000) / 1e3)
    assert np.allclose(found["page-out"][n:], 0.379)
    freeing = predicted(trace, sizes, given, costs.with_value("alloc.free", 50), chain=8)
    assert np.allclose(freeing["page-in"][:n] - found["page-in"][:n], 0.05)
    assert np.allclose(freeing["page-in"][n:], 1.0), "a same-filled page has no object"
    far = costs
    for name in FOOTPRINTS:
        far = far.with_value(f"memory.{name}", 40)
    events = simulated(trace, sizes, far, chain=8)
    assert (events["memory_us"][events["operation"] == "page-in"] > 0).all()
    alone = events["total_us"][events["operation"] == "page-in"]
    waiting = predicted(trace, sizes, given, far, chain=8)["page-in"][given.into]
    assert np.allclose(waiting, alone), "lines that the page-in has read are there for the free"


def test_fault_and_reclaim_are_what_same_filled_pages_take_without_the_model() -> None:
    given, samples = swapped(), Samples()
    add_floors(samples, given)
    found = swap_costs(samples.frame(), {"page-out": 800.0, "page-in": 700.0})
    assert {cost.name: (cost.value, cost.unit) for cost in found} == {
        "path.reclaim": (2200, "ns"),
        "path.fault": (1800, "ns"),
    }
    assert all(cost.source.startswith("measured:") for cost in found)
    below = swap_costs(samples.frame(), {"page-out": 9000.0, "page-in": 9000.0})
    assert [cost.value for cost in below] == [0, 0]
    empty = Samples()
    empty.add("clock", np.ones(1))
    assert swap_costs(empty.frame(), {}) == []


def test_pages_of_the_trace_do_not_move_the_prediction() -> None:
    given = swapped()
    slower = given._replace(write=given.write + 5000 * (np.arange(len(given.write)) < len(given.size)))
    ours = []
    for measured in (given, slower):
        samples = Samples()
        add_floors(samples, measured)
        ours.append(predicted_pairs(measured, "lz4", samples, 8)[0])
    assert np.array_equal(ours[0].predicted, ours[1].predicted)
    assert np.allclose(ours[1].measured - ours[0].measured, 5)


def test_work_put_off_is_in_the_tail() -> None:
    given = swapped(n=2000)
    late = given._replace(read=given.read + 2800 * ((np.arange(len(given.read)) - len(given.size)) % 31 == 0))
    late.read[: len(given.size)] = given.read[: len(given.size)]
    found = []
    for measured in (given, late):
        samples = Samples()
        add_floors(samples, measured)
        found.append([pair.predicted for pair in predicted_pairs(measured, "lz4", samples, 8)])
    assert np.array_equal(found[0][0], found[1][0]), "page-outs are none the later"
    later = found[1][1] - found[0][1]
    assert np.median(later) == 0
    assert later[later > 0] == pytest.approx(2.8)
    assert (later > 0).mean() == pytest.approx(1 / 31, abs=0.015)


def test_rows_that_did_not_go_through_swap_are_left_out() -> None:
    given, samples = swapped(), Samples()
    given.valid[[4, 5, len(given.size)]] = False
    given.slot[4] = -1
    add_floors(samples, given)
    assert (samples.frame()["measure"] == SWAP).sum() == 2 * (FLOORS - 1)
    for pair in predicted_pairs(given, "lz4", samples, 8):
        assert len(pair.measured) == len(pair.predicted) == len(given.size) - 2


def test_memory_that_is_not_swapped_is_no_result() -> None:
    """Without swap MADV_PAGEOUT does nothing, and no touch is a fault."""
    pages = open_sample("gcc").page_array(0, 70)
    found = measure_swapped(np.array(pages), COMPRESSORS.make("lzo-rle"), number=31, seed=1)
    assert not found.valid.any()
    assert (found.slot == -1).all()
    assert sorted(found.out.tolist()) == sorted(found.into.tolist()) == list(range(70 + FLOORS))
    assert found.out.tolist() != found.into.tolist()
    assert min(found.size.min(), found.compress.min(), found.decompress.min()) > 0


def test_too_many_pages_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given = swapped()
    given.valid[:3] = False
    monkeypatch.setattr(swap_latency, "require_zram", lambda: None)
    monkeypatch.setattr(swap_latency, "require_cgroup", lambda: None)
    monkeypatch.setattr(swap_latency, "_floors", lambda seed: Samples())
    monkeypatch.setattr(swap_latency, "_measured", lambda *given_: given)
    with pytest.raises(HostError, match=r"3 of 90 pages did not go out .*page-cluster=0"):
        compare_swap(open_sample("gcc"), COMPRESSORS.make("lz4"), count=90, repeats=1)


@pytest.mark.live
@needs_swap
@pytest.mark.usefixtures("others")
def test_a_fault_frees_the_object() -> None:
    pages = sample_pages(open_sample("gcc"), 64)
    with swap_device("lzo-rle", 2048) as swap:
        before = swap.mm_stat().orig_data_size
        memory = Memory(pages, swap.number)
        rows = np.arange(64)
        memory.page_out(rows)
        assert (memory.slots(rows) >= 0).all()
        assert swap.mm_stat().orig_data_size - before == 64 * PAGE
        _, faults = memory.touch(rows)
        assert faults == 64
        assert swap.mm_stat().orig_data_size == before
        assert np.array_equal(memory.pages, pages)


@pytest.mark.live
@needs_swap
@pytest.mark.usefixtures("others")
def test_command(tmp_path: Path) -> None:
    words = ["validate", "latency", "gcc-sample", "-c", "lzo-rle", "--swap", "-n", "150", "--repeats", "1", "--json"]
    run = {**os.environ, "CSWAP_RUN": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "sim", *words], cwd=ROOT, env=run, capture_output=True, text=True, check=True
    )
    shown = json.loads(done.stdout)
    assert (shown["path"], shown["repeats"]) == ("swap", 1)
    assert shown["left_out"] <= 4
    assert len(shown["latency"]) == 6
    for row in shown["latency"]:
        assert min(row["measured_us"], row["predicted_us"]) > 0.5
        assert row["ratio"] == pytest.approx(row["predicted_us"] / row["measured_us"])


@pytest.mark.live
@needs_swap
@pytest.mark.usefixtures("others")
def test_removed_after_a_signal(tmp_path: Path) -> None:
    words = ["latency", "gcc-sample", "-c", "lzo-rle", "--swap", "--repeats", "50", "--json"]
    running, device = with_device(tmp_path, "validate", *words)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (130, "", "cswap: interrupted\n")
    assert device not in devices()
    assert not list(memory_hierarchy()[0].glob(f"cswap-{running.pid}-*"))
    assert not list(tmp_path.glob("*.journal"))
