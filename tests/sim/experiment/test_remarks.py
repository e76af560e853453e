"""What may not have been meant is said in one line, once, in the words of the place."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from sim import Experiment, run
from sim.errors import Remark, UserError
from sim.experiment.description import Memory
from sim.experiment.options import experiment_of
from sim.experiment.timing import Timing
from sim.frontends.zram import Zram
from sim.replay.replay import replay
from workloads import FREE, IN, OUT, Events, Trace
from workloads.traces.sizes import Sizes

sys.path.insert(0, str(Path(__file__).parents[1] / "cli"))
from cli_kit import refused
from cli_kit import run as command

PAGES = np.arange(4 * 4096, dtype=np.uint64).astype(np.uint8).reshape(4, 4096)
KERNEL = {"kind": "recording", "kernel": "Linux 6.18.44 x86_64"}


def trace(kinds: list[int], slots: list[int], source: dict[str, str] | None = None) -> Trace:
    page = [0 if kind == OUT else -1 for kind in kinds]
    return Trace.from_arrays("t", Events.of(kinds, slots, page), PAGES, source=source)


def said(experiment: Experiment) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(experiment, workers=1)
    return [str(one.message) for one in caught if issubclass(one.category, Remark)]


def one(traces: object, frontend: str = "zram", **settings: object) -> Experiment:
    return Experiment((traces,), (frontend,), ("lz4",), ("ideal",), **settings)  # type: ignore[arg-type]


WRITTEN = trace([OUT, IN, FREE], [0, 0, 0])


@pytest.mark.parametrize(
    ("experiment", "words"),
    [
        (one(WRITTEN), None),
        (one(WRITTEN, "zram:mem_limit=256M"), None),
        (
            one(WRITTEN, "zram:mem_limit=6144"),
            "mem_limit=6144 is bytes: 2 pages of 4096 bytes, rounded up as",
        ),
        (one(WRITTEN, "zram:mem_limit=4096"), "mem_limit=4096 is bytes: 1 page of 4096 bytes; write 256M"),
        (one(WRITTEN, f"zram:mem_limit={(1 << 30) + 1}"), "262,145 pages of 4096 bytes, rounded up as the kernel does"),
        (one(WRITTEN, "zswap"), "zswap without ram_pages has no limit"),
        (one(WRITTEN, "zswap:ram_pages=1000"), None),
        (one(WRITTEN, "zcache"), "zcache without ram_pages has no limit"),
        (one(WRITTEN, "zram:recompress=lzo,every=4"), "every=4 is more than the 3 events of t, so recompress never"),
        (one(WRITTEN, "zram:recompress=lzo,every=3"), None),
        (one(WRITTEN, memory=Memory(seed=(3,))), "seed has no effect: nothing is random without unusable or timing"),
        (one(WRITTEN, memory=Memory(unusable_order=(3,))), "unusable_order has no effect without unusable"),
        (one(WRITTEN, timing=Timing(loads=(2.0,), arrivals=("saturate",))), "loads has no effect with arrivals"),
        (one(trace([IN, OUT, IN], [1, 0, 0])), "t: 1 of 2 page-ins (50.00%) read slots never written"),
        (one(trace([OUT, FREE, IN], [0, 0, 0])), "t: 1 of 1 page-ins (100.00%) read slots freed before"),
    ],
)
def test_remarks(experiment: Experiment, words: str | None) -> None:
    found = said(experiment)
    assert len(found) == (words is not None), found
    assert words is None or words in found[0]


def test_a_sizes_only_trace_says_that_codecs_do_not_matter() -> None:
    found = said(Experiment(("bell:events=20,slots=5",), ("zram",), ("lz4", "zstd"), ("ideal",)))
    assert found == ["bell: has sizes of its own, so it runs once, as codec given, whatever compressors says"]


def test_the_command_says_them_in_its_own_words(tmp_path: Path) -> None:
    result = command("run", "bell:events=20,slots=5", "-a", "ideal", "-c", "lz4", "-c", "zstd", "--seed", "2", "--csv")
    assert result.exit_code == 0
    assert [line for line in result.stderr.splitlines() if "warning" in line] == [
        "cswap: warning: --seed has no effect: nothing is random without --unusable or --timing",
        "cswap: warning: bell: has sizes of its own, so it runs once, as codec given, whatever --compressor says",
    ]


def test_zero_pages_are_where_the_kernel_of_the_recording_keeps_them() -> None:
    sizes = Sizes.given([4096])
    apart = []
    for source in ({}, KERNEL, {**KERNEL, "kernel": "Linux 6.6.1"}):
        for frontend in (Zram(), Zram(zeros_apart=True), Zram(zeros_apart=False)):
            from sim.plugins import make_allocator

            running = replay(trace([OUT], [0], source), sizes, frontend, make_allocator("ideal"))
            apart.append(bool(running.device.rules["zeros_apart"][0]))
    assert apart == [False, True, False, True, True, False, False, True, False]
    assert Zram().on(trace([OUT], [0], KERNEL)).spec == "zram"
    assert Zram(zeros_apart=False).spec == "zram:zeros_apart=false"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--unusable", 2), "--unusable=2.0; give 0 to 1, together with --zone-pages"),
        (("--zone-pages", 9, "--unusable", 0.5, "--unusable-order", 11), "--unusable-order=11; give 1 to 10"),
        (("--zone-pages", 9, "--unusable", 0.5, "--unusable-order", 0), "--unusable-order=0; give 1 to 10"),
        (("--zone-pages", 0), "--zone-pages=0; give a number from 1 to 268435456"),
        (("--zone-pages", "4M"), "--zone-pages 4M: give a number of pages: 4M is 1024 pages of 4096 bytes"),
        (("--seed", -1), "--seed=-1; give a number of 0 or more"),
        (("--page-size", "3Q"), "--page-size 3Q: give the bytes of a page, such as 4096 or 16K"),
        (("--cpus", 4), "--cpus has no effect without --timing; give --timing too"),
        (("--page-cluster", 4), "--page-cluster has no effect without --timing; give --timing too"),
        (("--sensitivity",), "--sensitivity has no effect without --timing; give --timing too"),
        (("--timing", "--page-cluster", 99), "--page-cluster=99; give a whole number from 0 to 10"),
        (("--timing", "--max-comp-streams", 0), "--max-comp-streams=0; give a whole number from 1 to 4096"),
        (("--timing", "--arrivals", "clsed"), "--arrivals: unknown arrivals 'clsed' (did you mean closed?)"),
        (("--timing", "--mapping", "cpoy"), "unknown mapping 'cpoy' (did you mean copy?)"),
        (("--timing", "--swap-device", "nvm"), "unknown device 'nvm' (did you mean nvme?)"),
        (("-a", "ZSMALOC"), "unknown allocator 'ZSMALOC' (did you mean zsmalloc?)"),
    ],
)
def test_errors_name_the_option(words: tuple[object, ...], line: str) -> None:
    assert line in refused("run", "gcc-sample", "-c", "lz4", *words)


def test_errors_in_a_file_name_the_file_and_its_key(tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    file.write_text("[memory]\npages = [100]\nunusable = 2\n")
    with pytest.raises(UserError, match=r"e\.toml: memory: unusable=2; give 0 to 1, together with pages$"):
        Experiment.from_toml(file)
    with pytest.raises(UserError) as caught:
        experiment_of({"seed": [1]}, file, {"seed": "--seed", "unusable": "--unusable"})
    assert str(caught.value) == f"{file}: memory: unusable=2; give 0 to 1, together with pages"


def test_options_that_count_once() -> None:
    for words in (
        ("ops", "FILE", "-a", "zsmalloc", "-a", "zbud"),
        ("ops", "FILE", "--allocator", "zsmalloc", "-a", "zsmalloc"),
        ("validate", "live", "gcc", "-c", "lz4", "-c", "lzo"),
        ("import", "csv", "x", "-o", "a", "--out", "b"),
        ("trace", "strip", "x", "-o", "a", "-o", "b"),
        ("run", "gcc", "--out", "a", "--out", "b"),
        ("record", "-o", "a", "-o", "b", "--", "true"),
        ("--max-bytes", "3G", "list", "--max-bytes", "4G"),
    ):
        line = refused(*words)
        assert " takes it once" in line
        assert ": is given " in line
    assert command("list", "--json", "--json").exit_code == 0  # the same switch twice means nothing else


def test_a_recording_that_thrashed_is_told_where_time_lost_is() -> None:
    events = [kind for _ in range(12) for kind in (OUT, IN)]
    source = KERNEL | {"limit": 64 << 20}
    thrashed = trace(events, [0] * len(events), source)  # type: ignore[arg-type]
    (line,) = said(one(thrashed, machine={"ram": "65M"}))
    assert line.startswith("t: thrashed while it was recorded, 12 page-ins for each slot")
    assert not said(one(trace(events[:8], [0] * 8, source), machine={"ram": "65M"}))  # type: ignore[arg-type]
    assert not said(one(thrashed))
