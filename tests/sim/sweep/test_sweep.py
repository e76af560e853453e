"""A sweep gives what `run` gives, repeats nothing, and goes on whatever happens to a cell or a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_kit import MANY, OTHER_SIZES, PLAIN, RANDOM, assert_same, stamps

from sim import Experiment, Machine, Memory, Result, Timing, run
from sim.errors import UserError
from sim.experiment.finished import Finished
from sim.experiment.inputs import renamed
from sim.sweep import sweep, work
from sim.sweep.joining import read_table
from sim.sweep.sweeping import Interrupted
from sim.sweep.work import Done
from workloads import IN, OUT, Events, Sizes, Trace, open_sample


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def whole(experiment: Experiment) -> Result:
    """What `run` gives, with the times of the codecs that are kept in the cache."""
    return run(experiment, workers=1, finished=Finished())


@pytest.mark.parametrize("experiment", [MANY, OTHER_SIZES], ids=["many", "other sizes"])
@pytest.mark.filterwarnings("ignore::sim.errors.Remark")
def test_it_equals_run(experiment: Experiment, tmp_path: Path) -> None:
    swept = sweep(experiment, tmp_path / "sweep")
    ran = whole(experiment)
    assert_same(swept, ran)
    assert_same(Result.load(tmp_path / "sweep"), swept)
    assert all(swept.provenance[name] == ran.provenance[name] for name in ran.provenance if name != "made")


def test_it_equals_run_with_a_clock_and_every_operation(tmp_path: Path) -> None:
    timing = Timing(cpus=(1, 2), cpu_scale=(1.0, 2.0), events=True, sensitivity=False)
    experiment = replace(PLAIN, timing=timing, allocators=("zbud",))
    assert_same(sweep(experiment, tmp_path / "sweep", workers=1), whole(experiment))


def test_it_equals_run_of_traces_together(tmp_path: Path) -> None:
    n, draw = 300, np.random.default_rng(5)
    slots, codecs = draw.permutation(n), {"lz4": Sizes.given(draw.integers(100, 3000, n))}
    events = Events.of([OUT] * n + [IN] * n, [*slots, *slots], [*range(n), *[-1] * n], range(2 * n))
    trace = Trace.from_arrays("loop", events, None, codecs, source={"limit": 1 << 20})
    machine = Machine(ram=("2500K", "3M"), together=True)
    experiment = replace(OTHER_SIZES, traces=(trace, renamed(trace, "twin")), compressors=("lz4",), machine=machine)
    swept = sweep(experiment, tmp_path / "sweep")
    assert set(swept.ram["trace"]) == {"loop+twin"}
    assert_same(swept, whole(experiment))


def test_an_extended_one_does_what_is_new(tmp_path: Path) -> None:
    sweep(replace(PLAIN, memory=Memory()), tmp_path / "sweep", workers=1)
    before = stamps(tmp_path / "sweep")
    assert len(before) == 2
    wider = replace(PLAIN, memory=Memory(pages=(None, 60)), compressors=("lz4", "lzo"))
    swept = sweep(wider, tmp_path / "sweep", workers=1)
    after = stamps(tmp_path / "sweep")
    assert len(after) == 8
    assert {name: after[name] for name in before} == before
    assert_same(swept, whole(wider))
    again = sweep(wider, tmp_path / "sweep", workers=1)
    assert stamps(tmp_path / "sweep") == after
    assert again.provenance == swept.provenance, "not joined again either"


def test_any_executor_does(tmp_path: Path) -> None:
    traces = (open_sample("redis"), RANDOM)
    experiment = replace(PLAIN, traces=traces, allocators=("zbud",), memory=Memory())
    with ThreadPoolExecutor(2) as executor:
        assert_same(sweep(experiment, tmp_path / "sweep", executor), whole(experiment))


def test_two_at_once_end_with_all_cells(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as both, ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        results = both.map(lambda executor: sweep(PLAIN, tmp_path / "sweep", executor), (one, other))
        assert [len(result.density) for result in results] == [4, 4]
    assert len(stamps(tmp_path / "sweep")) == len(list((tmp_path / "sweep" / "cells").iterdir())) == 4
    assert len(Result.load(tmp_path / "sweep").density) == 4


def test_a_failure_is_a_row_and_the_others_go_on(tmp_path: Path) -> None:
    experiment = Experiment((RANDOM,), allocators=("zblock", "zbud"), compressors=("lz4",), page_sizes=(4096, 8192))
    swept = sweep(experiment, tmp_path, workers=1)
    assert len(swept.density) == 3
    assert [row["error"][:6] for row in read_table(tmp_path)] == ["", "", "zblock", ""]
    assert [row["allocator"] for row in swept.provenance["failed"]] == ["zblock"]
    before = stamps(tmp_path)
    sweep(experiment, tmp_path, workers=1)
    assert stamps(tmp_path) == before, "not tried again"
    sweep(experiment, tmp_path, workers=1, retry=True)
    assert sum(stamps(tmp_path)[name] != when for name, when in before.items()) == 1


def test_where_all_fail_the_first_error_is_told(tmp_path: Path) -> None:
    experiment = Experiment((RANDOM,), allocators=("zblock",), compressors=("lz4",), page_sizes=(8192,))
    with pytest.raises(UserError, match="no cell succeeded: random, zram, lz4, zblock: zblock: version=vmalloc has"):
        sweep(experiment, tmp_path, workers=1)
    assert len(read_table(tmp_path)) == 1


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Have workers, which are forked, act before a cell of zbud."""
    done = work._done

    def prepare(act: Any) -> None:
        def acted(cell: Any) -> Done:
            if cell.run["allocator"] == "zbud":
                act(cell)
            return done(cell)

        monkeypatch.setattr(work, "_done", acted)

    return prepare


def test_a_killed_worker_costs_nothing_but_its_own_cell(tmp_path: Path, acting: Any) -> None:
    def kill_at_sixty(cell: Any) -> None:
        if cell.run["zone_pages"] == 60:
            os.kill(os.getpid(), signal.SIGKILL)

    acting(kill_at_sixty)
    swept = sweep(PLAIN, tmp_path, workers=2)
    assert len(swept.density) == 3
    errors = [row["error"] for row in read_table(tmp_path)]
    killed = "random, zram, lz4, zbud, 60: a worker process was killed, probably for want of memory"
    assert [error.partition(";")[0] for error in errors] == ["", killed, "", ""]


def test_a_worker_killed_once_costs_no_cell(tmp_path: Path, acting: Any) -> None:
    def kill_once(cell: Any) -> None:
        if not (tmp_path / "killed").exists():
            (tmp_path / "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    acting(kill_once)
    assert len(sweep(PLAIN, tmp_path / "sweep", workers=2).density) == 4


def test_a_cell_that_kills_every_worker_of_a_cluster_is_a_row(tmp_path: Path) -> None:
    class KilledWorker(Exception):
        """As Dask calls it."""

    class Cluster(ThreadPoolExecutor):
        def submit(self, fn: Any, cell: Any, *rest: Any) -> Any:  # type: ignore[override]
            def killed() -> Done:
                raise KilledWorker("Attempted to run task on 4 different workers")

            return super().submit(killed) if cell.run["zone_pages"] == 60 else super().submit(fn, cell, *rest)

    with Cluster(1) as executor:
        assert len(sweep(PLAIN, tmp_path, executor).density) == 2
    errors = [row["error"] for row in read_table(tmp_path) if row["error"]]
    assert [error.partition(":")[0] for error in errors] == [
        "random, zram, lz4, zbud, 60",
        "random, zram, lz4, zsmalloc, 60",
    ]
    assert all("a worker process was killed" in error for error in errors)


@pytest.mark.parametrize("error", [MemoryError(), ZeroDivisionError("of a model")])
def test_whatever_a_cell_raises_is_its_error(error: Exception, tmp_path: Path, acting: Any) -> None:
    def fail(cell: Any) -> None:
        raise error

    acting(fail)
    assert len(sweep(PLAIN, tmp_path, workers=1).density) == 2
    assert sum(bool(row["error"]) for row in read_table(tmp_path)) == 2


def test_what_was_done_before_an_interrupt_is_kept(tmp_path: Path) -> None:
    def report(stage: str) -> Any:
        def progress(done: int, total: int) -> None:
            if stage == "cells" and done >= 2:
                raise KeyboardInterrupt

        return progress

    with pytest.raises(Interrupted) as interrupted:
        sweep(PLAIN, tmp_path, report=report, workers=1)
    assert (interrupted.value.kept, interrupted.value.of) == (2, 4)
    assert len(stamps(tmp_path)) == 2
    assert len(sweep(PLAIN, tmp_path).density) == 4
