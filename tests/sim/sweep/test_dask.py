"""Sweeps on a real Dask cluster: a scheduler and two workers, each a process, one of which is killed in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sweep_kit import PLAIN, assert_same, stamps

from sim import Memory, run
from sim.errors import UserError
from sim.experiment.finished import Finished
from sim.sweep import dask, sweep
from sim.sweep.dask import dask_executor
from sim.sweep.joining import read_table
from workloads.host.processes import die_with_parent

ROOT = Path(__file__).parents[3]
QUIET = ("--no-dashboard",)
MANY = replace(PLAIN, memory=Memory(pages=tuple(range(30, 60, 5))))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler, and its workers."""
    folder = tmp_path_factory.mktemp("dask")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    environment["NUMBA_CACHE_DIR"] = _compiled()

    def start(program: str, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *words, *QUIET]
        return subprocess.Popen(
            command, cwd=folder, env=environment, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent
        )

    file = folder / "scheduler.json"
    processes = [start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))]
    try:
        at = ("--scheduler-file", str(file), "--no-nanny", "--nthreads", "1", "--local-directory", str(folder))
        processes += [start("dask_worker", *at) for _ in range(2)]
        _wait(file.exists)
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _compiled() -> str:
    """Where this process keeps what it compiles."""
    from allocators.compiled import jit

    return str(jit._config.CACHE_DIR)


def _wait(there: Any) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_workers_with_another_cswap_are_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "sources", lambda: "edited")
    wrong = "--dask: worker tcp://.* has another cswap, or other libraries; install the same ones there"
    with pytest.raises(UserError, match=wrong), dask_executor(cluster[0]):
        pass


def test_a_worker_that_comes_later_is_refused_too(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.sweep.executors.sources", lambda: "edited")
    wrong = "the sources of cswap are other ones here; install the same cswap on every worker"
    with dask_executor(cluster[0]) as executor, pytest.raises(UserError, match=wrong):
        sweep(PLAIN, tmp_path / "sweep", executor)
    assert stamps(tmp_path / "sweep") == {}


def test_a_killed_worker_costs_no_cell(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Last, for one worker is left."""
    address, workers = cluster
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run(replace(MANY, memory=Memory()), finished=Finished())  # sizes and times are in the cache

    def report(stage: str) -> Any:
        def progress(done: int, total: int) -> None:
            if done >= 3:
                workers[0].kill()

        return progress

    with dask_executor(address) as executor:
        swept = sweep(MANY, tmp_path / "sweep", executor, report)
    assert workers[0].wait() < 0
    rows = read_table(tmp_path / "sweep")
    assert len(rows) == len({row["digest"] for row in rows}) == len(stamps(tmp_path / "sweep")) == 12
    assert not any(row["error"] for row in rows)
    assert_same(swept, run(MANY, workers=1, finished=Finished()), without=("latency",))  # whose times they took


def test_nobody_at_the_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "PATIENCE_S", 0.3)
    for address, wrong in (
        ("tcp://127.0.0.1:1", "no scheduler answers"),
        *((address, "is no address") for address in ("nonsense", "tcp://127.0.0.1:port", "http://127.0.0.1:1", "")),
    ):
        with pytest.raises(UserError, match=f"--dask {address}: {wrong}") as error, dask_executor(address):
            pass
        assert "\n" not in str(error.value)


def test_where_dask_is_missing_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    wrong = r"--dask: distributed is not installed; pip install 'cswap\[cluster\]'"
    with pytest.raises(UserError, match=wrong), dask_executor("tcp://127.0.0.1:1"):
        pass
