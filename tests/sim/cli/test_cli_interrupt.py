"""Ctrl-C and kills: the prompt is back at once, finished runs are kept, and the same command goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from cli_kit import ROOT, process, refused, run

import sim.experiment.runner
from allocators.user_cache import cache_folder
from sim import Result
from sim.experiment.runner import COMPILING

TIMED = ("run", "uniform:events=120000,slots=30000", "-a", "zbud", "-a", "ideal", "--timing", "--cpus", 1, "--cpus", 2)
RUNS = 6
PROMPT_S = 10.0  # 2 on a quiet machine; what is broken off would take longer than this
WORDS = ("run", "bell:events=600,slots=90", "-a", "zbud", "-a", "ideal")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are kept, apart from those of others; compiled code is shared with them."""
    compiled, place = cache_folder("compiled"), tmp_path / "cache" / "cswap"
    place.mkdir(parents=True)
    (place / "compiled").symlink_to(compiled)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return place / "runs"


def kept(cache: Path) -> int:
    return len(list(cache.glob("[0-9a-f]" * 32))) if cache.exists() else 0


def until(condition: Any, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while not condition() and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def rows_of(out: Path) -> list[dict[str, Any]]:
    result = Result.load(out)
    assert result.provenance["complete"]
    return [frame.to_dict("records") for frame in (result.density.fillna(-1), result.latency.fillna(-1))]  # type: ignore[return-value]


@pytest.mark.slow
@pytest.mark.parametrize("stop", ["ctrl-c", "interrupt", "kill"])
def test_the_same_command_goes_on(stop: str, cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = process(*TIMED, "--out", out, start_new_session=True)
    until(lambda: kept(cache) >= 3, running)
    assert running.poll() is None, "it was quicker than this test"
    began = time.monotonic()
    if stop == "ctrl-c":  # the terminal sends it to all processes
        os.killpg(running.pid, signal.SIGINT)
    else:
        running.send_signal({"interrupt": signal.SIGINT, "kill": signal.SIGKILL}[stop])
    _, err = running.communicate()
    took = time.monotonic() - began
    assert took < PROMPT_S
    said = re.search(
        rf"cswap: interrupted; (\d) of {RUNS} runs are kept, and the same command goes on from there\n$", err
    )
    if stop == "kill":
        assert not out.exists()
    else:
        assert running.returncode == 130
        assert said, err
        assert int(said[1]) == kept(cache)
        assert not Result.load(out).provenance["complete"]
        assert not list(out.glob("*.png"))
    assert (there := kept(cache)) >= 3
    again = process(*TIMED, "--out", out)
    _, err = again.communicate()
    assert again.returncode == 0, err
    lines = [line for line in err.splitlines() if COMPILING not in line]  # where that takes long
    assert lines in ([], [f"cswap: {there} of {RUNS} runs found, made earlier"]), "said where it saves a second"
    assert kept(cache) == 0, "of a complete result nothing is kept"
    whole = process(*TIMED, "--out", tmp_path / "whole")
    assert whole.wait() == 0
    assert rows_of(out) == rows_of(tmp_path / "whole")


SLOW = """
import sys, time
from sim.__main__ import main
from sim.compressors.base import Compressor
from sim.plugins import register

@register
class Slow(Compressor):
    name, version, parallel = "slow", "1", {parallel!r}
    def compress(self, page): time.sleep(0.02); return bytes(page)
    def decompress(self, data, size): return data

main()
"""


@pytest.mark.parametrize("parallel", ["threads", "processes"])
def test_ctrl_c_while_pages_are_sized(parallel: str, tmp_path: Path) -> None:
    """A chunk of pages takes 20 seconds; in threads, in processes, and the first in this one."""
    (tmp_path / "slow.py").write_text(SLOW.format(parallel=parallel))
    words = ["run", "random:events=9000,slots=3000,pages=3000", "-c", "slow", "-a", "ideal"]
    running = subprocess.Popen(
        [sys.executable, tmp_path / "slow.py", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    time.sleep(4)
    began = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate()
    assert time.monotonic() - began < PROMPT_S
    assert (running.returncode, err) == (130, "cswap: interrupted\n")


def test_ctrl_c_while_the_result_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def broken_off(self: Result) -> Any:
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(Result, "plot_timeline", broken_off)
        answer = run(*WORDS, "--out", tmp_path / "out")
    said = "cswap: interrupted; 2 of 2 runs are kept, and the same command goes on from there\n"
    assert answer.exit_code == 130
    assert answer.stderr.endswith(said)
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]
    monkeypatch.setattr(sim.experiment.runner, "_results", None)  # nothing is left to do
    assert run(*WORDS, "--out", tmp_path / "out").exit_code == 0
    assert Result.load(tmp_path / "out").provenance["complete"]
    assert kept(cache) == 0


def test_ctrl_c_before_a_run_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.experiment.runner, "_results", lambda *given: signal.raise_signal(signal.SIGINT))
    answer = run(*WORDS, "--out", tmp_path / "out")
    assert (answer.exit_code, answer.stderr) == (130, "cswap: interrupted; of 2 runs none was finished\n")


@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_what_is_shown_of_an_unfinished_run_says_so(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    results = sim.experiment.runner._results

    def broken_off(*given: Any) -> Any:
        yield next(results(*given))
        raise KeyboardInterrupt

    monkeypatch.setattr(sim.experiment.runner, "_results", broken_off)
    answer = run(*WORDS, *filter(None, [form]))
    assert answer.exit_code == 130
    if form == "--json":
        assert [row["complete"] for row in json.loads(answer.stdout)] == [False]
    elif form == "--csv":
        head, row = answer.stdout.splitlines()
        assert (head.split(",")[-1], row.split(",")[-1]) == ("complete", "False")
    else:
        assert answer.stdout.endswith("\nUnfinished: the run was broken off; only what was finished by then is here.\n")
    monkeypatch.undo()
    told = run(*WORDS, *filter(None, [form])).stdout
    assert "nfinished" not in told
    assert "complete" not in told


def test_ctrl_c_when_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setattr("sim.cli.summary.print_summary", lambda result: signal.raise_signal(signal.SIGINT))
    answer = run(*WORDS, "--out", tmp_path / "out")
    assert answer.exit_code == 130
    assert answer.stderr.endswith(f"cswap: interrupted; the result is whole in {tmp_path / 'out'}\n")
    assert kept(cache) == 0


def test_an_older_result_is_replaced_on_request(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(*WORDS, "--timing", "--out", out).exit_code == 0
    assert (out / "latency-parts.png").exists()
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    said = refused(*WORDS, "--out", out)
    assert said == f"cswap: {out}: holds a result; give --force to replace it whole, or another folder as --out\n"
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert run(*WORDS, "--out", out, "--force").exit_code == 0
    assert not list(out.glob("latency-*.png")), "no picture of the older one"


def test_an_unfinished_result_is_replaced_by_the_same_experiment(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(*WORDS, "--out", out).exit_code == 0
    part = Result.load(out)
    part.provenance["complete"] = False
    for path in out.iterdir():
        path.unlink()
    part.save(out)
    said = refused(*WORDS, "-a", "kmalloc", "--out", out)
    assert "holds the unfinished result of another experiment" in said
    assert run(*WORDS, "--out", out).exit_code == 0
    part.save(out)
    assert (tmp_path / "out.partial").exists()
    assert run(*WORDS, "--out", out, "--force").exit_code == 0
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out"]
