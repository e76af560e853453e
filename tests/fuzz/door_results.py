"""Result folders: their pictures are drawn again, and they are compared with the sound one."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random

import pandas as pd
from command import Wrong, command
from lies import WRITABLE
from mutate import mutated_bytes, mutated_column, mutated_json
from sound import sound


@cache
def sound_result() -> Path:
    """A sound result folder, made once."""
    place = Path(tempfile.mkdtemp(prefix="result-")) / "r"
    command(
        "run", sound(True, True), "-a", "zsmalloc", "-a", "zbud", "-c", "lz4", "--timing", "--events", "--out", place
    )
    return place


def make_result(draw: Random, folder: Path) -> None:
    """Mutate a file of a result: its bytes, or the values of a frame; with the digests made right, or not."""
    shutil.copytree(sound_result(), folder / "r", ignore=shutil.ignore_patterns("*.png", "*.csv"))
    mark = folder / "r" / "provenance.json"
    file = draw.choice(sorted((folder / "r").iterdir()))
    if file == mark:
        body = mutated_json(json.loads(file.read_text()), draw)
        file.write_bytes(json.dumps(body).encode("utf-8", "surrogatepass"))
    elif draw.random() < 0.3:
        file.write_bytes(mutated_bytes(file.read_bytes(), draw))
    else:
        frame = pd.read_parquet(file)
        name = draw.choice(list(frame.columns))
        if frame[name].dtype.kind in "iufb" and draw.random() < 0.8:
            frame[name] = mutated_column(frame[name].to_numpy(), draw)
        else:
            lacking = (frame.drop(columns=name), frame.iloc[:0], frame.assign(**{name: None}))
            frame = draw.choice((frame.assign(**{name: draw.choice(WRITABLE)}), *lacking))
        frame.to_parquet(file, index=False)
    if file != mark and draw.random() < 0.8:
        body = json.loads(mark.read_text())
        body.get("files", {})[file.name] = hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        mark.write_text(json.dumps(body))


def answer_result(folder: Path) -> None:
    """Draw it."""
    command("plot", folder / "r")


def answer_compared(folder: Path) -> None:
    """Compare it, in one direction or the other: 1 says that something is worse."""
    sides = sound_result(), folder / "r"
    for a, b in (sides, sides[::-1]):
        told = json.loads(command("compare", a, b, "--json", ok=(0, 1)))
        if not isinstance(told, list | dict):
            raise Wrong(f"prints {type(told).__name__}")
