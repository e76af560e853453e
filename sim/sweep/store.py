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
from sim.results.saving import RESULT, naming, sync
from sim.sweep.work import Done
from workloads.errors import TraceError
from workloads.files import read_regular

CELLS, TABLE = "cells", "cells.csv"
NAME = re.compile(r"[0-9a-f]{32}\.json")
PART = ".part"
LARGEST = 4 << 30  # bytes of a cell that are read
BEFORE, AFTER = b'{"check": "%s", "cell": ', b"}\n"
PARTS = ("codecs", "run", "timed")
KINDS: dict[str, Any] = {"seconds": int | float, "error": str, "names": dict, "about": dict, "remarks": list}


class Damaged(UserError):
    """What lies in the place of a cell, and may be replaced by it."""


class Store:
    """The folder of a sweep."""

    def __init__(self, folder: Path) -> None:
        """Raises UserError for a folder that holds something else."""
        self.folder = folder
        self.cells = folder / CELLS
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: is a file; give another --out")
        for path in (self.cells, folder / RESULT):
            if path.is_symlink():
                raise UserError(f"{path}: is a symbolic link, which is not followed; remove it, or give another --out")
        if (folder / TABLE).is_dir():
            raise UserError(f"{folder / TABLE}: is a folder, where the table of cells belongs; move it away")
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
        """The cell of a digest; None if it is not there. Raises Damaged for a file that is damaged or foreign, and
        UserError for a folder, in whose place no cell can be put.
        """
        path = self._path(digest)
        if not os.path.lexists(path):
            return None
        if path.is_dir() and not path.is_symlink():
            raise UserError(f"{path}: is a folder, where a cell belongs; move it away")
        try:
            text = _checked(read_regular(path, LARGEST, "remove it"))
            told = json.loads(text, object_hook=_plain)
            if told["digest"] != digest:
                raise ValueError("it is another cell")
            return _done(told)
        except KeyError as error:
            raise Damaged(f"{path}: no cell of a sweep (it has no {error}); the cell is done again") from error
        except (ValueError, TypeError, RecursionError, TraceError) as error:
            wrong = one_line(error).removeprefix(f"{path}: ")
            raise Damaged(f"{path}: damaged, or no cell of a sweep ({wrong}); the cell is done again") from error

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


def _done(told: dict[str, Any]) -> Done:
    """A cell as it is told. Raises KeyError, and TypeError for what has another shape."""
    found: dict[str, Any] = {f.name: told[f.name] for f in fields(Done)}
    done = Done(**found | {name: Rows(**told[name]) for name in PARTS})
    for name, kind in KINDS.items():
        if not isinstance(getattr(done, name), kind):
            raise TypeError(f"another shape: {name}")
    rows = [rows for name in PARTS for rows in vars(getattr(done, name)).values()]
    whole = all(told[name].keys() == vars(Rows()).keys() for name in PARTS)
    if not whole or not all(isinstance(part, list) and all(isinstance(row, dict) for row in part) for part in rows):
        raise TypeError("another shape: its rows")
    if not all(isinstance(text, str) for text in done.remarks):
        raise TypeError("another shape: remarks")
    return done


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
