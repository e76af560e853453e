"""The command as a whole: usage errors, faults, signals, pipes."""

from __future__ import annotations

import errno
import os
import pty
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cli_kit import GOLDEN, good, process, refused, run

import allocators.compiled.batch
import sim.cli.progress
import sim.experiment.runner
from sim.cli.progress import progress
from sim.errors import one_line

ROWS = "ops,live,bytes,pages,failed\n1,1,5,1,0\n"
HEAVY = {"numba", "numpy", "pandas", "pyarrow", "matplotlib", "simpy", "lz4", "zstandard"}


def test_version_and_help() -> None:
    assert good("--version") == f"cswap {version('cswap')}\n"
    for words in ([], ["--help"], ["-h"], ["trace"], ["import"], ["ops", "--help"]):
        assert "Usage: cswap" in good(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["opz"], "No such command 'opz'. Did you mean 'ops'? (see cswap --help)"),
        (["--opz"], "No such option: --opz (see cswap --help)"),
        (["ops", "x", "-a", "ideal", "--opz"], "No such option: --opz (see cswap ops --help)"),
        (["ops", "-a", "ideal"], "Missing argument 'FILE' (see cswap ops --help)"),
        (["ops", "x"], "Missing option '-a'"),
        (["ops", "x", "-a"], "'-a' requires an argument"),
        (["ops", "x", "y", "-a", "ideal"], "unexpected extra argument"),
        (["ops", "x", "-a", "ideal", "--page-size", "big"], "--page-size big: give the bytes of a page"),
        (["trace", "inform", "gcc"], "No such command 'inform'"),
        (["import", "xml", "x", "-o", "t.cswap"], "unknown reader 'xml'; known are csv, "),
        (["import", "csv", "x"], "x: file: is missing"),
    ],
)
def test_usage_errors(words: list[str], message: str) -> None:
    assert message in refused(*words)


def test_faults_are_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: Any) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(allocators.compiled.batch, "run_operations", fault)
    line = refused("ops", "-", "-a", "ideal", stdin="s\n")
    assert line == "cswap: fault in cswap: RuntimeError: two lines; --debug shows where\n"
    shown = run("ops", "-", "-a", "ideal", "--debug", stdin="s\n")
    assert isinstance(shown.exception, RuntimeError)


def test_errors_of_the_system() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out/x.csv")
    remedy = "the disk is full; free space or give a path on another disk"
    assert one_line(full) == f"out/x.csv: No space left on device; {remedy}"
    denied = OSError(errno.EACCES, os.strerror(errno.EACCES), "a", None, "b")
    assert one_line(denied).startswith("a and b: Permission denied; check the permissions")
    assert one_line(OSError("odd\nerror")) == "odd error"
    assert one_line(KeyError()) == "KeyError"


def test_a_process() -> None:
    out, err = (running := process("ops", "-", "-a", "ideal")).communicate("a 1 5\ns\n")
    assert (running.returncode, out, err) == (0, ROWS, "")
    out, err = (running := process("ops", "-", "-a", "nope")).communicate("")
    assert (running.returncode, out, err.count("\n")) == (2, "", 1)
    out, err = (running := process("--debug", "ops", "-", "-a", "nope")).communicate("")
    assert (running.returncode, out) == (1, "")
    assert "Traceback" in err


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, sim.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())


def test_interrupt(tmp_path: Path) -> None:
    os.mkfifo(fifo := tmp_path / "fifo")
    running = process("ops", fifo, "-a", "ideal")
    with fifo.open("w"):  # waits until the process has opened the other end, to read
        running.send_signal(signal.SIGINT)
        _, err = running.communicate()
    assert (running.returncode, err) == (130, "cswap: interrupted\n")


@pytest.mark.parametrize("lost", ["callback", "import"])
def test_an_interrupt_that_gets_lost_is_obeyed_all_the_same(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the signal comes while the interpreter calls back, or a compiled module is imported."""
    real = sim.experiment.runner.prepare

    def interrupted(*arguments: Any) -> Any:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if lost == "import":
                raise ImportError("multiarray failed to import") from None
        return real(*arguments)

    monkeypatch.setattr(sim.experiment.runner, "prepare", interrupted)
    result = run("run", "uniform:events=100", "-a", "ideal", "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "cswap: interrupted\n")
    monkeypatch.undo()
    assert good("run", "uniform:events=100", "-a", "ideal", "--json")


def test_broken_pipe_is_quiet() -> None:
    running = process("ops", "-", "-a", "ideal")
    assert running.stdin
    assert running.stdout
    assert running.stderr
    running.stdout.close()
    running.stdin.write("a 1 5\n" + "s\n" * 20_000)
    running.stdin.close()
    assert running.stderr.read() == ""
    assert running.wait() == 1


def test_progress_appears_on_a_terminal_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    master, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with progress("quick") as done:
            done(1, 2)
        monkeypatch.setattr(sim.cli.progress, "PATIENCE_S", -1.0)
        with progress("slow") as done:
            done(1, 2)
            done(0, 0)
    shown = os.read(master, 100_000).decode()
    os.close(master)
    assert "slow" in shown
    assert "quick" not in shown


def test_progress_is_silent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("silent") as done:
        done(1, 2)
    assert capsys.readouterr().err == ""


def test_full_disk() -> None:
    with open("/dev/full", "w") as full:
        running = process("ops", "-", "-a", "ideal", stdout=full)
        _, err = running.communicate("s\n")
    assert (running.returncode, err.count("\n")) == (2, 1), err
    assert "No space left on device; the disk is full" in err


def test_plain_python_gives_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    out, err = process("ops", GOLDEN / "ops" / "vii-compact-public.ops.gz", "-a", "zsmalloc").communicate()
    assert (out, err) == ((GOLDEN / "csv" / "zsmalloc-6.12-c8.vii-compact-public.csv").read_text(), "")
