"""TOML files of settings, which may be foreign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.errors import UserError
from workloads import toml


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file. Raises OSError, UserError if it is not TOML, TraceError if no regular file or too long."""
    try:
        return toml.read_toml(path)
    except toml.NotToml as error:
        raise UserError(str(error)) from error
