"""Result folders, whose pictures are drawn again."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from random import Random

import pandas as pd
from command import command
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
    """Mutate a file of a result: its bytes, or the values of a frame."""
    shutil.copytree(sound_result(), folder / "r", ignore=shutil.ignore_patterns("*.png", "*.csv"))
    file = draw.choice(sorted((folder / "r").iterdir()))
    if file.suffix == ".json":
        body = mutated_json(json.loads(file.read_text()), draw)
        file.write_bytes(json.dumps(body).encode("utf-8", "surrogatepass"))
    elif draw.random() < 0.3:
        file.write_bytes(mutated_bytes(file.read_bytes(), draw))
    else:
        frame = pd.read_parquet(file)
        name = draw.choice(list(frame.columns))
        if frame[name].dtype.kind in "iufb":
            frame[name] = mutated_column(frame[name].to_numpy(), draw)
        elif draw.random() < 0.5:
            frame[name] = draw.choice(WRITABLE)
        else:
            frame = frame.drop(columns=name) if draw.random() < 0.5 else frame.iloc[:0]
        frame.to_parquet(file, index=False)


def answer_result(folder: Path) -> None:
    """Draw it."""
    command("plot", folder / "r")
