"""`cswap run --out` as a process: nothing is lost where it cannot print, is killed, or loses a worker."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alive import alive
from cli_kit import ROOT, process, refused, run

import sim.cli.tables
import sim.experiment.runner
from sim import Experiment, Result
from sim.experiment.jobs import Job
from sim.experiment.runner import COMPILING, Unfinished

WORDS = ("run", "bell:events=600,slots=90", "-a", "zbud", "-c", "lz4")
KILLS = 4


@pytest.mark.parametrize("words", [(), ("--json",), ("--csv",)])
def test_a_full_or_closed_standard_output(words: tuple[str, ...], tmp_path: Path) -> None:
    for i, closing in enumerate((">/dev/full", ">&-")):
        out = tmp_path / str(i)
        command = f'exec "$@" {closing}'
        answer = subprocess.run(
            ["sh", "-c", command, "sh", sys.executable, "-m", "sim", *WORDS, *words, "--out", out],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        (said,) = [line for line in answer.stderr.splitlines() if COMPILING not in line]
        assert answer.returncode == 2
        assert said.startswith("cswap: standard output: ")
        assert f"the result is whole in {out}" in said
        assert (out / "density.png").exists()
        assert len(Result.load(out).density) == 1


def test_nobody_reads(tmp_path: Path) -> None:
    running = process(*WORDS, "--out", tmp_path / "out")
    assert running.stdout
    assert running.stderr
    running.stdout.close()
    said = [line for line in running.stderr if COMPILING not in line]
    assert (said, running.wait()) == ([], 1)
    assert len(Result.load(tmp_path / "out").density) == 1


def test_tables_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(result: Result) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(sim.cli.tables, "print_result", fault)
    answer = run(*WORDS, "--out", tmp_path / "out")
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)
    assert len(Result.load(tmp_path / "out").density) == 1


def test_what_cannot_be_written_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Result, folder: Path, plots: bool = False) -> Path:
        raise OSError(28, os.strerror(28), "out/density.csv")

    monkeypatch.setattr(Result, "save", full)
    answer = run(*WORDS, "--out", tmp_path / "out")
    assert answer.exit_code == 2
    assert "zbud" in answer.stdout
    assert "written to" not in answer.stdout
    assert answer.stderr.startswith("cswap: out/density.csv: No space left on device; the disk is full")


def workers_of(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def test_killed_it_leaves_the_older_result_and_no_worker(tmp_path: Path) -> None:
    out, draw = tmp_path / "out", random.Random(3)
    assert run(*WORDS, "--out", out).exit_code == 0
    sizes = {path.name: path.stat().st_size for path in out.iterdir()}
    seen = 0
    for _ in range(KILLS):
        several = ("-a", "ideal", "-a", "kmalloc", "-a", "xvmalloc")
        running = process(
            "run", "random:events=400000,slots=8000,pages=800", *WORDS[2:], *several, "--out", out, "--force"
        )
        deadline = time.monotonic() + 60
        while not (workers := workers_of(running.pid)) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(draw.uniform(0, 0.5))
        workers = workers_of(running.pid) if running.poll() is None else []
        running.kill()
        running.communicate()
        seen += len(workers)
        time.sleep(0.2)
        assert not [pid for pid in workers if alive(pid)]
        if (Result.load(out).density["trace"] == "bell").all():
            assert {path.name: path.stat().st_size for path in out.iterdir()} == sizes
    assert seen, "no worker was seen"
    assert run(*WORDS, "--out", out, "--force").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def killed_at(allocator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker that comes to this allocator is killed, as the kernel does when there is no memory."""
    run_job = Job.run

    def fatal(self: Job, *given: object) -> object:
        if self.allocator.spec == allocator:
            time.sleep(1)  # the others are done by then
            os.kill(os.getpid(), signal.SIGKILL)
        return run_job(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Job, "run", fatal)


def test_a_worker_that_is_killed_is_told_with_its_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    killed_at("ideal", monkeypatch)
    experiment = Experiment((WORDS[1],), allocators=("zbud", "ideal", "kmalloc"), compressors=("lz4",))
    with pytest.raises(Unfinished, match="bell, zram, given, ideal: a worker process was killed") as caught:
        sim.experiment.runner.run(experiment, workers=2)
    assert caught.value.result.density["allocator"].tolist() == ["zbud", "kmalloc"]
    monkeypatch.setattr("sim.experiment.runner.processors", lambda: 2)
    answer = run(*WORDS, "-a", "ideal", "-a", "kmalloc", "--out", tmp_path / "out")
    assert (answer.exit_code, answer.stderr.count("\n")) == (2, 1)
    assert "ideal: a worker process was killed, probably for want of memory" in answer.stderr
    assert "zbud" in answer.stdout
    saved = Result.load(tmp_path / "out")
    assert saved.provenance["complete"] is False
    assert saved.density["allocator"].tolist() == ["zbud", "kmalloc"]


def test_interrupted_it_leaves_a_complete_result_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert run(*WORDS, "--out", out).exit_code == 0
    part = Result.load(out)
    part.provenance["complete"] = False
    monkeypatch.setattr(sim.experiment.runner, "run", lambda *_, **__: part)
    answer = run(*WORDS, "--out", out, "--force")
    assert answer.exit_code == 130
    assert f"written to {out}.partial: " in answer.stdout
    said = f"{out}: holds a complete result and is left as it is; the runs that were finished are in {out}.partial"
    assert answer.stderr == f"cswap: {said}\ncswap: interrupted\n"
    assert Result.load(out).provenance["complete"]
    assert len(Result.load(tmp_path / "out.partial").density) == 1


@pytest.mark.parametrize("place", ["/proc", "/sys"])
def test_a_place_where_no_folder_can_be_made_is_told_before_the_work(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Job, "run", lambda *given: pytest.fail("worked first"))
    said = refused(*WORDS, "--out", f"{place}/cswap/x")
    assert said.startswith(f"cswap: {place}: ")
    assert "exists" not in said
