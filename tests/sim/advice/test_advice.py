"""Advice follows from the runs: it changes with the pages, the CPU and the machine, and says how sure it is."""

from __future__ import annotations

import json

import numpy as np
import pytest
from advice_kit import DENSE, HARD, MEMORY, toy

from sim.advice import Advised, advise
from sim.advice.judging import CERTAIN, LIKELY, OPEN, UNTIMED, Cost, cheapest, clear
from sim.advice.runs import Packed, Runs
from sim.advice.workloads import workload
from sim.cli.advise import HEIGHT, WIDTH, verdict
from sim.errors import UserError
from workloads import Events, Sizes, Trace

ALL = [
    *("codec", "frontend", "max_pool_percent", "vm.page-cluster", "disksize", "mem_limit"),
    *("recompression", "writeback", "compaction"),
]


@pytest.fixture(scope="module")
def roomy() -> Advised:
    return advise([toy(DENSE)], "8G")


@pytest.fixture(scope="module")
def weak() -> Advised:
    return advise([toy(DENSE, us=50)], "8G", cpu_scale=5)


def test_every_setting_has_a_value_with_evidence_and_how_sure_it_is(roomy: Advised) -> None:
    assert [one.setting for one in roomy.advice] == ALL
    for one in roomy.advice:
        assert one.value is not None
        assert any(character.isdigit() for character in one.evidence), one
        assert one.certainty in (CERTAIN, LIKELY, OPEN)
        assert one.reason
        assert one.traces == ("toy",)
        assert len(one.rows) > 0
    json.dumps(roomy.describe(), allow_nan=False)
    with pytest.raises(KeyError):
        roomy["swappiness"]


def test_the_densest_unless_it_costs_time_that_is_felt(roomy: Advised, weak: Advised) -> None:
    assert (roomy["codec"].value, roomy["codec"].certainty) == ("zstd:level=3", LIKELY)
    assert weak["codec"].value == "lz4"
    assert weak["recompression"].value == "no", "the CPU time of recompression counts"
    assert "zstd:level=3" in weak["recompression"].evidence


def test_the_pool_of_the_denser_codec_may_take_less(roomy: Advised, weak: Advised) -> None:
    dense, fast = (int(str(one["mem_limit"].value).removesuffix("M")) for one in (roomy, weak))
    assert dense < fast
    assert roomy["mem_limit"].certainty == OPEN, "a pool of few pages"


def test_what_does_not_compress_is_not_compressed() -> None:
    found = advise([toy(HARD)], "8G")
    codec = found["codec"]
    assert (codec.value, codec.certainty) == ("none", CERTAIN)
    assert [one.setting for one in found.advice] == ["codec", "vm.page-cluster"]
    assert set(found.settings) == {"sysctl", "sh"}
    assert "neither zram nor zswap" in found.settings["sh"][0]


def test_what_does_not_compress_is_left_aside_beside_what_does() -> None:
    found = advise([toy(DENSE), toy(HARD, name="hard")], "8G")
    assert found["codec"].traces == ("toy",), "a pool of its pages would take all that it lacks, and nothing swapped"
    assert found["mem_limit"].value == advise([toy(DENSE)], "8G")["mem_limit"].value
    assert "hard: does not compress" in found.remarks[1]


def test_programs_at_the_same_time_share_the_machine() -> None:
    one, other = toy(DENSE), toy(DENSE, name="other")
    both = advise([one, other], "8G", together=True)
    assert [found.trace.name for found in both.workloads] == ["toy+other"]
    assert both.workloads[0].recorded == 2 * MEMORY * 4096
    assert both["disksize"].traces == ("toy+other",)
    assert both["vm.page-cluster"].reason != "page-ins may contain readahead already"


def test_what_samples_need_together_is_not_known() -> None:
    with pytest.raises(UserError, match=r"^gcc-sample: holds some of its slots only, .*; give the whole recording, or"):
        advise([toy(DENSE), "gcc-sample"], "8G", together=True)


def test_a_replay_in_which_nothing_goes_out_is_told() -> None:
    sizes = {"lz4": Sizes.given([100])}
    small = Trace.from_arrays("small", Events.of([0], [0], [0], [0]), None, sizes, source={"limit": 1 << 20})
    found = advise([small], "8G")
    assert "small: nothing goes out in its replay, so nothing speaks for any setting." in found.remarks
    assert found["codec"].value is None, "the sizes name no compressor"


def test_what_is_felt_is_open_where_nothing_tells_how_long_it_takes() -> None:
    untimed = advise([toy(DENSE, us=0)], "8G")
    assert (untimed["codec"].certainty, untimed["codec"].reason) == (OPEN, UNTIMED)
    assert "a day" not in untimed["writeback"].evidence
    json.dumps(untimed.describe(), allow_nan=False)
    at_once = Trace.from_arrays("at once", Events.of([0, 0], [0, 1], [0, 1], [7, 7]), np.zeros((2, 4096), np.uint8))
    found = advise([at_once], "8G")
    json.dumps(found.describe(), allow_nan=False)
    assert (found["codec"].certainty, found["codec"].reason) == (OPEN, "nothing is compressed in the replay")


def test_the_verdict_fits_on_a_screen(roomy: Advised) -> None:
    lines = verdict(roomy)
    assert len(lines) <= HEIGHT
    assert max(map(len, lines)) <= WIDTH
    for setting in ALL:
        assert sum(line.startswith(setting) for line in lines) == 1


@pytest.mark.parametrize(
    ("ram", "at", "scale"),
    [(90, 90, 1.0), (200, 80, 2.5), (40, 80, 0.5)],
    ids=["something swaps there", "nothing swaps there", "less than recorded"],
)
def test_on_which_machine_it_is_replayed(ram: int, at: int, scale: float) -> None:
    trace = toy(DENSE)
    packed = {"lz4": Packed(40, 20.0, 20), "zstd:level=3": Packed(40, 10.0, 10)}
    found = workload(trace, ram * 4096, None, packed)
    hard = {"lz4": Packed(40, 40.0, 40)}
    assert workload(trace, 2**30, None, hard).at == MEMORY * 4096, "with a pool of its pages, nothing would swap"
    assert found.at == at * 4096, f"{MEMORY} pages and the largest pool"
    assert found.scale == pytest.approx(scale)
    assert found.exact == (ram == at)


def test_without_the_memory_it_was_recorded_in_figures_are_those_of_the_trace() -> None:
    trace = Trace.from_arrays("bare", Events.of([0, 1], [0, 0], [0, -1]), None, {"lz4": Sizes.given([100])})
    packed = {"given": Packed(2, 1.0, 1)}
    found = workload(trace, 2**33, None, packed)
    assert (found.at, found.scale) == (None, None)
    assert "--recorded" in found.told()
    assert workload(trace, 2**33, 2**20, packed).at == 2**20 + 4096
    sample = Trace.from_arrays(
        "part", Events.of([0], [0], [0]), None, {"lz4": Sizes.given([100])}, {"limit": 40960, "sample": {"share": 0.5}}
    )
    found = workload(sample, 6 * 4096, None, packed)
    assert (found.at, found.scale) == (None, 1.0), "half of ten pages and a pool of one"


def test_two_traces_are_judged_together_and_the_worst_decides_the_size() -> None:
    one, other = (toy(DENSE, name=name) for name in ("one", "other"))
    costs = {"fast": Cost(1.0, 100), "dense": Cost(1.005, 60), "slow": Cost(1.5, 50)}
    assert cheapest(costs, 10.0) == "dense"
    assert cheapest(costs, 0.1) == "fast"
    assert cheapest(costs | {"dense": Cost(1.005, 60, cpu_s=2.0)}, 10.0) == "fast", "the CPU has other things to do"
    assert clear(Cost(1.0, 0), Cost(1.5, 0), 10.0)
    assert not clear(Cost(1.0, 0), Cost(1.5, 0), 100.0), "not felt"
    assert not clear(Cost(100.0, 0), Cost(104.0, 0), 10.0), "page-ins are missed by as much"
    stages: list[str] = []
    kept: list[Runs] = []

    def report(stage: str) -> object:
        stages.append(stage)
        if len([name for name in stages if "replay" in name]) == 4:
            raise KeyboardInterrupt
        return lambda done, total: None

    with pytest.raises(KeyboardInterrupt):
        advise([one, other], "8G", report=report, on_runs=kept.append)  # type: ignore[arg-type]
    assert kept[0].kept() > 0, "what was finished is not lost"
    kept[0].forget()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ram": 3}, "ram=3; give a size of at least 1M"),
        ({"ram": "much"}, "give a size of at least 1M, such as 8G"),
        ({"recorded": "much"}, "recorded='much'"),
        ({"cpu_scale": 0}, "cpu_scale=0; give a number from 0.002 to 500"),
        ({"cpu_scale": 1000}, "cpu_scale=1000; give a number from 0.002 to 500"),
        ({"swap_device": "tape"}, "unknown device 'tape'"),
        ({"traces": []}, "there is no trace"),
        (
            {"traces": [Trace.from_arrays("idle", Events.of([1], [0], [-1]), None, {"lz4": Sizes.given([])})]},
            "idle: has no page-outs",
        ),
        ({"traces": [toy(DENSE), toy({"lzo": (900, 1, 1)}, name="b")]}, "toy, b: no compressor"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(given: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        advise(**{"traces": [toy(DENSE)], "ram": "8G"} | given)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
