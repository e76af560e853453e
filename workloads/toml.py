"""TOML files, which may be foreign."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from workloads.errors import TraceError
from workloads.files import read_regular
from workloads.shown import shown

BYTES = 1 << 20  # of a file, at most


class NotToml(TraceError):
    """A file that is not TOML."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises OSError, NotToml, and TraceError if it is no regular file or too long."""
    path.stat()  # says by itself that there is none
    data = read_regular(path, BYTES, "give a TOML file", follow=True)
    try:
        return tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        raise NotToml(shown(" ".join(f"{path}: is not TOML: {error}; correct it there".split()))) from error
    except RecursionError as error:
        raise NotToml(f"{path}: is nested too deep; write it as plain TOML") from error
