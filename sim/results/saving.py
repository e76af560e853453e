"""A result's folder: written beside its place, and put there in one step, so that it is whole whatever happens.

A process that is killed leaves the older result or the new one, and maybe a hidden folder `.NAME.XXXXXXXX.result.part`
beside it. Its lock tells whether somebody still writes there; the next one who writes to the place removes it if not.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sim.errors import UserError

MARK = "provenance.json"  # what makes a folder a result; its last file
BEGUN = f".{MARK}"  # of a result that is under way in its own folder
RESULT = "result"  # of a sweep's folder, the part that is a result
FRAMES = ("density", "timeline", "latency", "counters")
ON_DEMAND = (  # with rows only; the last as Parquet only
    *("sizes", "classes", "ram", "timing", "sensitivity", "mm_stat"),
    "events",
)
PICTURES = (
    *("density", "timeline", "sizes", "classes", "ram", "ram-worth", "memory"),
    *("latency-parts", "latency-load", "latency-cpus", "latency"),
)
SWEPT = re.compile(r"density-by-\w+\.png")
OURS = {MARK, *(f"{name}.{end}" for name in (*FRAMES, *ON_DEMAND) for end in ("csv", "parquet"))}
PART, ASIDE = ".result.part", ".result.old"
RENAME_EXCHANGE, AT_FDCWD = 2, -100  # renameat2(2)


def check_folder(folder: Path) -> Path:
    """The folder without links in its path, if a result may be written there: nothing, an empty one, an older result.

    Raises UserError naming a file that is not a result's, and OSError or another UserError if nothing can be
    written.
    """
    folder = Path(os.path.realpath(folder))
    if folder.exists():
        if not folder.is_dir():
            raise UserError(f"{folder}: is a file; give another --out")
        held = {path.name for path in folder.iterdir() if not re.fullmatch(_hidden(folder.name), path.name)}
        strangers = sorted(name for name in held if not _is_ours(folder / name))
        strangers = strangers or sorted(held if not held & {MARK, BEGUN} else ())
        if strangers or (MARK in held and provenance_in(folder) is None):
            name = strangers[0] if strangers else f"a {MARK} that is not cswap's"
            raise UserError(f"{folder}: holds other files, such as {name}; give an empty or a new folder as --out")
        if MARK in held and not _replaceable(folder):
            wrong = "holds a result, and cannot be replaced in one step (it is a mount point, or you are in it)"
            raise UserError(f"{folder}: {wrong}; give a new folder as --out")
    above = next(path for path in (folder, *folder.parents) if path.exists())
    above = above.parent if above == folder and _replaceable(folder) else above
    if not os.access(above, os.W_OK | os.X_OK) or not above.is_dir():
        raise OSError(errno.EACCES, "nothing can be written there", str(above))
    _try(above, folder.name)
    return folder


def _try(home: Path, name: str) -> None:
    """Make a folder as `part_of` does, and remove it: what permissions do not tell, /proc does."""
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=PART, dir=home))
    except FileNotFoundError as error:
        raise UserError(f"{home}: no folder can be made there; give another folder as --out") from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(home)) from error
    with suppress(FileNotFoundError):  # taken for a dead one's
        part.rmdir()


def result_in(folder: Path) -> Path:
    """The folder of a result: the one given, or, of a sweep, that in which its cells were joined."""
    inner = folder / RESULT
    return inner if not (folder / MARK).exists() and (inner / MARK).exists() else folder


def provenance_in(folder: Path) -> dict[str, Any] | None:
    """What the provenance of a result says; None if there is none, or it is not one of cswap's."""
    mark = folder / MARK
    try:
        about = json.loads(mark.read_text()) if stat.S_ISREG(mark.lstat().st_mode) else None
    except (ValueError, RecursionError, OSError):
        return None
    ours = isinstance(about, dict) and "complete" in about and ("files" in about or "experiment" in about)
    return about if ours else None


@contextmanager
def part_of(folder: Path) -> Iterator[Path]:
    """A private folder to write into, on the file system of `folder`; removed in the end, with what is still in it."""
    beside = _replaceable(folder)
    home = folder.parent if beside else folder
    home.mkdir(parents=True, exist_ok=True)
    _clear(home, folder)
    while True:
        with naming(folder):
            part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=PART, dir=home))
        lock = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks: then nobody removes what he cannot lock
            fcntl.flock(lock, fcntl.LOCK_EX)
        if part.exists():  # not taken for a dead one's before it was locked
            break
        os.close(lock)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(lock)


def publish(part: Path, folder: Path) -> None:
    """Put the finished `part` in the place of `folder`, which is nothing, empty, or an older result."""
    check_folder(folder)
    for path in (*part.iterdir(), part):
        sync(path)
    if part.parent == folder:
        _fill(part, folder)
        return
    swapped = False
    while not swapped:  # again, if another process has just put its own there
        with _locked(folder) as there:
            if swapped := _swapped(part, folder, there):
                sync(folder.parent)
                _keep_strangers(part, folder)
    _clear(folder.parent, folder)


def remove_unfinished(folder: Path) -> None:
    """Remove an unfinished result, if the folder holds one and nothing else."""
    about = provenance_in(folder)
    if about is not None and not about["complete"] and all(map(_is_ours, folder.iterdir())):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the system name `path`; those of a full disk name no file by themselves."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error


def is_picture(path: Path) -> bool:
    """Whether a file is named as a picture of a result."""
    return path.suffix == ".png" and (path.stem in PICTURES or SWEPT.fullmatch(path.name) is not None)


def _is_ours(path: Path) -> bool:
    """Whether a file is named as one of a result, or as those that earlier releases left half written."""
    name = path.name.removeprefix(".").removesuffix(".part") if path.name.startswith(".") else path.name
    return (name in OURS or is_picture(path.with_name(name))) and stat.S_ISREG(path.lstat().st_mode)


def _replaceable(folder: Path) -> bool:
    """Whether another folder can take its place: no mount point, nor where this process is, nor in a fixed place."""
    here = Path.cwd()
    return not (os.path.ismount(folder) or folder in (here, *here.parents)) and (
        not folder.exists() or os.access(folder.parent, os.W_OK | os.X_OK)
    )


def _hidden(name: str, ends: tuple[str, ...] = (PART, ASIDE)) -> str:
    return rf"\.{re.escape(name)}\.[a-z0-9_]{{8}}({'|'.join(map(re.escape, ends))})"


def _clear(home: Path, folder: Path) -> None:
    """Remove what killed processes left, and put back an older result that one had moved aside."""
    for path in home.iterdir():
        if re.fullmatch(_hidden(folder.name, (ASIDE,)), path.name):
            if folder.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(folder)
        elif re.fullmatch(_hidden(folder.name, (PART,)), path.name):
            with suppress(OSError):  # locked: in use
                lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(lock)


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Hold what is in the place, so that nobody takes it for a dead one's once it is aside; whether something is."""
    there, same = True, False
    while there and not same:
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            there = False
            continue
        with suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            same = os.path.samestat(os.fstat(lock), folder.stat())
        if not same:  # replaced while we waited
            os.close(lock)
    try:
        yield there
    finally:
        if there:
            os.close(lock)


def _keep_strangers(part: Path, folder: Path) -> None:
    """Move what somebody else put into the older result, now `part`, into the one that took its place."""
    with suppress(FileNotFoundError):  # nothing was there before
        for path in [path for path in part.iterdir() if not _is_ours(path)]:
            path.rename(folder / path.name)


def _swapped(part: Path, folder: Path, there: bool) -> bool:
    """Try to put one in the place of the other, which nobody else changes if something is `there`."""
    try:
        older = folder.stat()
        part.chmod(stat.S_IMODE(older.st_mode))
        with suppress(PermissionError):
            os.chown(part, older.st_uid, older.st_gid)
    except FileNotFoundError:
        part.chmod(0o777 & ~_umask())
    try:
        part.rename(folder)  # nothing was there, or an empty folder
        return True
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    if not there:
        return False
    try:
        _exchange(part, folder)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
        with suppress(FileNotFoundError):  # this file system cannot: two steps, and `_clear` mends it after the first
            aside = part.with_name(part.name.removesuffix(PART) + ASIDE)
            folder.rename(aside)
        return False
    return True


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def _fill(part: Path, folder: Path) -> None:
    """Move the files into a folder that cannot be exchanged, and so holds no result, the provenance last."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        check_folder(folder)  # nor was another process quicker
        (folder / BEGUN).touch()
        for path in [path for path in folder.iterdir() if path.name != BEGUN and _is_ours(path)]:  # of a killed one
            path.unlink()
        for path in sorted(part.iterdir(), key=lambda path: path.name == MARK):
            path.rename(folder / path.name)
        sync(folder)
        (folder / BEGUN).unlink()
    finally:
        os.close(lock)


def sync(path: Path) -> None:
    """Have a file or a folder on the disk itself."""
    with naming(path):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
