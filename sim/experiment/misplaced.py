"""What a user may give as a trace that is none: what it is, and the command for it."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path

from sim.errors import UserError, meant
from workloads.traces.header_file import HEADER_FILE
from workloads.traces.parquet import EVENTS_FILE, PAGES_FILE, SLOTS_FILE
from workloads.traces.rawpages import CODECS

TRACE = ".cswap"
PACKED = tuple(CODECS)
FIRST = 1 << 12  # bytes looked at
PARTS = (HEADER_FILE, EVENTS_FILE, PAGES_FILE, SLOTS_FILE)


def traces_in(folder: Path) -> list[Path]:
    """The traces of a folder that is none itself, sorted; of links, those to folders."""
    return sorted(path for path in folder.glob(f"*{TRACE}") if (path / HEADER_FILE).is_file())


def explained(path: Path) -> UserError:
    """Why an existing path is no trace, and what to do with it."""
    quoted = shlex.quote(str(path))
    out = shlex.quote(_stem(path) + TRACE)
    if path.is_dir():
        return UserError(f"{path}: {_folder(path)}")
    if not stat.S_ISREG(path.stat().st_mode):
        return UserError(f"{path}: is no regular file; give a folder NAME{TRACE}")
    if path.name in PARTS and (path.parent / HEADER_FILE).is_file():
        return UserError(f"{path}: is a part of a trace; give the folder {path.absolute().parent}")
    if path.suffix == ".toml":
        return UserError(f"{path}: is no trace and no recipe; give an experiment as --experiment {quoted}")
    if path.suffix in (".csv", ".tsv") and path.stat().st_size == 0:
        return UserError(f"{path}: is empty; give a folder NAME{TRACE}")
    if path.suffix == ".parquet":
        return UserError(
            f"{path}: is a Parquet file, not a trace; read it with pandas and make one by Trace.from_dataframe, "
            f"or write it as CSV for `cswap import csv`"
        )
    if _is_csv(path):
        return UserError(
            f"{path}: is CSV, not a trace; make one with `cswap import csv {quoted} --pages PAGES -o {out}` "
            "(without --pages if it has a column size)"
        )
    if _is_operations(path):
        return UserError(f"{path}: is a sequence of allocations, not a trace; use `cswap ops {quoted} -a SPEC`")
    return UserError(
        f"{path}: is a file, not a trace; if it is a dump, a core, a block trace..., make one with "
        f"`cswap import {quoted} -o {out}`"
    )


def similar(text: str) -> str:
    """` (did you mean PATH?)`, if there is a trace beside where this one should be whose name is close."""
    path = Path(text)
    try:
        near = [str(path.with_name(other.name)) for other in traces_in(path.parent)] if path.name else []
    except OSError:
        return ""
    return meant(text, near)


def _folder(path: Path) -> str:
    if (path / "provenance.json").is_file():
        return "is a result, not a trace; redraw it with `cswap plot`, repeat it with `cswap run --rerun`"
    if (path / "recording.json").is_file() or (path / "000001.cswap").exists():
        return "is an unfinished recording; rescue it with `cswap trace recover`"
    if any((path / name).exists() for name in PARTS):
        return f"has no {HEADER_FILE}, so it is a damaged trace; restore the folder from a good copy"
    return f"holds no trace; give a folder NAME{TRACE}, or one with such folders in it"


def _stem(path: Path) -> str:
    name = path.name
    for suffix in PACKED:
        name = name.removesuffix(suffix)
    return name.rpartition(".")[0] or name


def _head(path: Path) -> bytes:
    """The first bytes, unpacked; nothing of what cannot be read."""
    from workloads.errors import TraceError
    from workloads.readers.stream import lines

    try:
        if path.suffix in PACKED:
            return next(iter(lines(path, lambda _: None)), b"")[:FIRST]
        with path.open("rb") as file:
            return file.read(FIRST)
    except (OSError, TraceError):
        return b""


def _is_csv(path: Path) -> bool:
    head = _head(path)
    first = head.split(b"\n")[0]
    named = _bare(path).suffix in (".csv", ".tsv")
    return named or (b"," in first and b"\0" not in head and b"kind" in first)


def _is_operations(path: Path) -> bool:
    first = _head(path).split(b"\n")[0].split()
    return len(first) == 3 and first[0] == b"a" and first[1].isdigit() and first[2].isdigit()


def _bare(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in PACKED else path
