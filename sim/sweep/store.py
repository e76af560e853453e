"""The cells of a sweep on disk: `DIR/cells/DIGEST.json`, each written once and put there whole.

A file holds what the cell is, how long it took, and its rows (`sim.sweep.work.Done`). Its name is the digest of the
cell's description; `check` is one of its own text. Two sweeps may write to one folder at once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import re
import secrets
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from sim.errors import UserError, one_line
from sim.experiment.jobs import Rows
from sim.results.saving import naming, sync
from sim.sweep.work import Done
from workloads.errors import TraceError
from workloads.files import read_regular

CELLS, TABLE = "cells", "cells.csv"
NAME = re.compile(r"[0-9a-f]{32}\.json")
PART = ".part"
LARGEST = 4 << 30  # bytes of a cell that are read
BEFORE, AFTER = b'{"check": "%s", "cell": ', b"}\n"
PARTS = ("codecs", "run", "timed")


class Store:
    """The folder of a sweep."""

    def __init__(self, folder: Path) -> None:
        """Raises UserError for a folder that holds something else."""
        self.folder = folder
        self.cells = folder / CELLS
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is a file; give another --out")
        if folder.is_dir() and not self.cells.is_dir():
            strangers = sorted(path.name for path in folder.iterdir())
            if strangers:
                raise UserError(
                    f"{folder}: holds other files, such as {strangers[0]}, and no sweep; "
                    "give an empty or a new folder as --out"
                )

    def make(self) -> None:
        """Make the folder, if there is none. Raises OSError."""
        with naming(self.cells):
            self.cells.mkdir(parents=True, exist_ok=True)

    def strangers(self) -> list[Path]:
        """What lies among the cells and is none; temporary files of those who write do not count."""
        return sorted(p for p in self.cells.iterdir() if not NAME.fullmatch(p.name) and not p.name.endswith(PART))

    def read(self, digest: str) -> Done | None:
        """The cell of a digest; None if it is not there. Raises UserError for a file that is damaged or foreign."""
        path = self._path(digest)
        if not os.path.lexists(path):
            return None
        try:
            text = _checked(read_regular(path, LARGEST, "remove it"))
            told = json.loads(text, object_hook=_plain)
            if told["digest"] != digest:
                raise ValueError("it is another cell")
            found: dict[str, Any] = {f.name: told[f.name] for f in fields(Done)}
            return Done(**found | {name: Rows(**told[name]) for name in PARTS})
        except (ValueError, TypeError, KeyError, RecursionError, TraceError) as error:
            wrong = one_line(error).removeprefix(f"{path}: ")
            raise UserError(f"{path}: damaged, or no cell of a sweep ({wrong}); the cell is done again") from error

    def write(self, digest: str, experiment: dict[str, Any], done: Done) -> None:
        """Put a cell there, whole, in the place of what may be there. Raises OSError naming the file."""
        path = self._path(digest)
        told = {"digest": digest, "experiment": experiment}
        told |= vars(done) | {name: vars(getattr(done, name)) for name in PARTS}
        text = json.dumps(_json(told), allow_nan=False).encode()
        part = path.with_name(f".{digest}.{secrets.token_hex(8)}{PART}")
        with naming(path):
            try:
                with part.open("xb") as file:
                    file.write(BEFORE % _digest(text) + text + AFTER)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(path)
                sync(self.cells)
            finally:
                part.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self.cells / f"{digest}.json"


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()


def _checked(data: bytes) -> bytes:
    """The cell's part of a file. Raises ValueError if it is not what was written."""
    start = len(BEFORE % _digest(b""))
    text = data[start : -len(AFTER)]
    if data != BEFORE % _digest(text) + text + AFTER:
        raise ValueError("its check does not match its text")
    return text


def _json(value: Any) -> Any:
    """The same of what JSON has: whole arrays as their bytes, numbers that are none by name."""
    match value:
        case dict():
            return {key: _json(part) for key, part in value.items()}
        case list() | tuple():
            return [_json(part) for part in value]
        case np.ndarray():
            return {"array": [value.dtype.str, base64.b64encode(value.tobytes()).decode()]}
        case np.generic():
            return _json(value.item())
        case float() if not math.isfinite(value):
            return {"number": str(value)}
    return value


def _plain(told: dict[str, Any]) -> Any:
    """What `_json` made an object of."""
    match told:
        case {"number": str(text), **rest} if not rest:
            return float(text)
        case {"array": [str(kind), str(text)], **rest} if not rest:
            return np.frombuffer(base64.b64decode(text), np.dtype(kind))
    return told
