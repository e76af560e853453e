"""Traces: with lies and right digests, or with mutated bytes, before the commands that read them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from command import Wrong, command, rows, same
from mutate import mutated_bytes
from oracle import Untrue, figures
from sound import RUN, lz4_size, sound

WORDS = ("run",) * 36 + ("timing", "verify", "info", "info json", "sample", "strip", "ending", "twice")


def forged(forge_one: Callable[[Path, Path, Random], None], bare: tuple[bool, ...]) -> Callable[[Random, Path], None]:
    """Make the traces of a door whose digests are right."""

    def make(draw: Random, folder: Path) -> None:
        source = sound(draw.random() < 0.7, not draw.choice(bare))
        forge_one(source, folder / "t.cswap", draw)
        (folder / "words").write_text(draw.choice(WORDS))

    return make


def bytes_of_trace(draw: Random, folder: Path) -> None:
    """Mutate bytes of one file of a trace."""
    shutil.copytree(sound(draw.random() < 0.7, draw.random() < 0.5), folder / "t.cswap")
    file = draw.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    file.write_bytes(mutated_bytes(file.read_bytes(), draw))
    (folder / "words").write_text(draw.choice(WORDS))


def answer_trace(folder: Path) -> None:
    """Give a trace to the command that `words` says; the figures of a run must be true."""
    trace, words = folder / "t.cswap", (folder / "words").read_text()
    match words:
        case "verify":
            command("trace", "verify", trace)
            _true(trace, unique=True)
        case "info" | "info json":
            command("trace", "info", trace, *(["--json"] if "json" in words else []))
        case "sample":
            command("trace", "sample", trace, "--share", "0.5", "-o", folder / "s.cswap")
            command("trace", "verify", folder / "s.cswap")
        case "strip":
            command("trace", "strip", trace, "-c", "lz4", "-o", folder / "s.cswap")
            command("trace", "verify", folder / "s.cswap")
        case "ending":
            command("validate", "ending", trace, ok=(0, 1))
        case "timing":
            check_run(trace, rows(command("run", trace, *RUN, "--timing")))
        case "twice":
            command("run", trace, *RUN, "--out", folder / "out")
            check_run(trace, rows(command("run", trace, *RUN)))
        case _:
            check_run(trace, rows(command("run", trace, *RUN)))


def _true(trace: Path, unique: bool = False) -> dict[str, Any]:
    try:
        return figures(trace, lz4_size, unique)
    except Untrue as untrue:
        raise Wrong(f"accepted, but {untrue}") from untrue
    except Exception as error:
        raise Wrong(f"accepted, but the frames give {type(error).__name__}: {error}") from error


@cache
def _undamaged() -> dict[str, Any]:
    return figures(sound(True, True), lz4_size)


def check_run(trace: Path, found: list[dict[str, Any]]) -> None:
    row = next(row for row in found if row["frontend"] == "raw" and row["allocator"] == "ideal")
    with suppress(Wrong):  # damage where nobody looked: the figures may be those of the sound trace
        return same(row, _undamaged())
    same(row, _true(trace))
