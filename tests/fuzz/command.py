"""The command in this process, and what is wrong with any answer of it."""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from sim.cli import app


class Wrong(Exception):
    """An answer that no input may get."""


class Refused(Exception):
    """The right answer to most inputs: one line, exit status 2."""


def command(*words: object, ok: tuple[int, ...] = (0,)) -> str:
    """What a command prints; Refused with its one line; Wrong for anything else."""
    status: Any = 0
    with CliRunner().isolation() as (out, err, _):
        try:
            _built().main([str(word) for word in words], prog_name="cswap")
        except SystemExit as end:
            status = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            printed, line = (stream.getvalue().decode(errors="replace") for stream in (out, err))
    said = printed + line
    if controls := set(re.findall(r"[^\n\t\x20-\x7e\x85\xa0-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]", said)):
        raise Wrong(f"control characters reach the terminal: {controls}")
    if status in ok:
        return printed
    if status != 2 or line.count("\n") != 1 or not line.startswith("cswap: "):
        raise Wrong(f"exit {status}: {line[:300]!r}")
    if "fault in cswap" in line or "out of memory" in line:
        raise Wrong(line.strip()[:300])
    if len(line) > 2000:
        raise Wrong(f"a line of {len(line)} characters: {line[:200]!r}")
    if printed:
        raise Wrong(f"refused after printing {printed[:100]!r}")
    raise Refused(line.strip())


@cache
def _built() -> Any:
    """The command line, built once: `CliRunner.invoke` builds it each time, which takes as long as a case."""
    return get_command(app)


def rows(text: str) -> list[dict[str, Any]]:
    """JSON that a command printed; Wrong when it is none."""

    def constant(name: str) -> float:
        raise Wrong(f"prints {name}, which is no JSON")

    found: list[dict[str, Any]] = json.loads(text, parse_constant=constant)
    return found


def same(found: dict[str, Any], true: dict[str, Any]) -> None:
    """Wrong unless the figures found are the true ones."""
    for name, value in true.items():
        got = found.get(name)
        if got != value and not (
            isinstance(got, float) and isinstance(value, float) and abs(got - value) <= 1e-12 * abs(value)
        ):
            raise Wrong(f"{name} is {got}, in truth {value}")


def tree(folder: Path) -> set[str]:
    """All names below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
