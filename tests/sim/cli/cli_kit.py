"""What the tests of the command share: running it in this process, or as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from sim.cli import app
from sim.experiment.runner import COMPILING

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parents[2] / "golden" / "allocators"


def run(*words: object, stdin: str | bytes | None = None) -> Result:
    """The command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words], input=stdin, prog_name="cswap")


def good(*words: object, stdin: str | bytes | None = None) -> str:
    """What a command that succeeds prints; it must say nothing on standard error."""
    result = run(*words, stdin=stdin)
    said = [line for line in result.stderr.splitlines() if COMPILING not in line]  # where that takes long
    assert (result.exit_code, said) == (0, []), result.output
    return result.stdout


def refused(*words: object, stdin: str | bytes | None = None) -> str:
    """The one line of a command that must fail, with status 2 and nothing on standard output."""
    result = run(*words, stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("cswap: ")
    return result.stderr


def process(*words: object, **settings: object) -> subprocess.Popen[str]:
    """`python -m sim` as a process, its three streams piped unless `settings` say otherwise."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, "-m", "sim", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, text=True, env=environment, **{**streams, **settings})  # type: ignore[call-overload,no-any-return]
