"""The file of a report: written beside its place and put there in one step."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from sim.errors import UserError
from sim.results.saving import naming

MARK = '<meta name="generator" content="cswap report">'  # in the head of every page of ours
HEAD = 1000  # characters at most before its end


def check_place(file: Path, force: bool = False) -> Path:
    """The file without links in its path, if a report may be written there: nothing is, or a report, or `force`.

    Raises UserError for anything else that is there.
    """
    file = Path(os.path.realpath(file))
    if not file.parent.is_dir():
        raise UserError(f"{file.parent}: is no folder; give -o a file in a folder that exists")
    try:
        kind = file.lstat().st_mode
    except FileNotFoundError:
        return file
    if not stat.S_ISREG(kind):
        raise UserError(f"{file}: is {'a folder' if stat.S_ISDIR(kind) else 'no regular file'}; give -o another file")
    if not force and not _is_ours(file):
        raise UserError(f"{file}: is no report of cswap; give -o another file, or --force to replace it")
    return file


def write_page(text: str, file: str | Path, *, force: bool = False) -> Path:
    """Write a page, whole or not at all, over nothing or an older report; anything else only with `force`.

    Raises UserError, OSError naming the file.
    """
    file = check_place(Path(file), force)
    part = file.with_name(f".{secrets.token_hex(8)}.report.part")
    with naming(file):
        try:
            part.write_text(text, encoding="utf-8", errors="backslashreplace")
            if file.exists():
                part.chmod(stat.S_IMODE(file.stat().st_mode))
            os.replace(part, file)
        finally:
            part.unlink(missing_ok=True)
    return file


def _is_ours(file: Path) -> bool:
    with naming(file), file.open(encoding="utf-8", errors="replace") as text:
        return MARK in text.read(HEAD)
