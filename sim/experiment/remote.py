"""Traces elsewhere: a URL of a folder NAME.cswap is copied into the user's cache once, and opened there.

Any file system that fsspec knows will do. What comes from there is a stranger's: only files by the names of the trace
format are asked for, the folder they are put in is named by the digest of `trace.json`, all of them together are
limited in size, and every file must have the digest that `trace.json` says. Sizes of a trace without pages have none
there: they are read once before they are kept, for that URL alone.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from allocators.user_cache import cache_folder
from sim.errors import UserError, one_line
from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.limits import OPTION, lifted_to
from workloads.traces.digests import digest_file, digest_text
from workloads.traces.header_file import BYTES, HEADER_FILE, read
from workloads.traces.sizes import LONGEST, SIZES, is_codec
from workloads.traces.trace import Trace

URL = re.compile(r"[a-z][a-z0-9+.-]*(::[a-z][a-z0-9+.-]*)*://.+", re.IGNORECASE | re.DOTALL)
FOLDER = "traces"
PART = ".part"
LARGEST = 64 << 30  # bytes of all files of a trace, unless more are allowed
MOST_CODECS = 100
BLOCK = 1 << 20
DAY_S, DAYS = 86_400, 30  # after which a copy that nobody used is removed
GIVE = "give the URL of a folder NAME.cswap"


def is_url(text: str) -> bool:
    """Whether a text is a URL, and not a path."""
    return URL.fullmatch(text) is not None


def fetched(url: str) -> Path:
    """The copy of a trace in the cache, made now if there is none. Raises UserError, TraceError, OSError."""
    try:
        import fsspec
    except ImportError as error:
        raise UserError(f"{url}: fsspec is not installed; pip install 'cswap[cluster]'") from error
    with _theirs(url):
        files, root = fsspec.core.url_to_fs(url.rstrip("/"))
    return _copied(url, files, root)


@contextmanager
def _theirs(url: str) -> Iterator[None]:
    """What goes wrong on the other side, whatever the libraries of all those file systems raise, is a UserError."""
    try:
        yield
    except Exception as error:
        wrong = "there is none" if isinstance(error, FileNotFoundError) else one_line(error)
        raise UserError(f"{url}: cannot be read ({wrong}); {GIVE}") from error


def _copied(url: str, files: Any, root: str) -> Path:
    home = cache_folder(FOLDER)
    _expire(home)
    left = lifted_to() or LARGEST
    part = Path(tempfile.mkdtemp(PART, dir=home))
    try:
        _copy(files, f"{root}/{HEADER_FILE}", part / HEADER_FILE, BYTES, url)
        with _named(part, url):
            body = read(part / HEADER_FILE)
        header = (part / HEADER_FILE).read_text()
        # Sizes without pages have no digest in the header: nobody's may stand for those of another place.
        place = home / digest_text(header if body.content else f"{url.rstrip('/')}\n{header}")
        if place.is_dir():
            os.utime(place)
            return place
        for name, digest in body.files.items():
            left -= _copy(files, f"{root}/{name}", part / name, left, url)
            if digest_file(part / name) != digest:
                raise TraceError.at(f"{url}/{name}", "bytes", f"are not those that {HEADER_FILE} tells of", REMEDY)
        if not body.content:
            for codec in _codecs(files, f"{root}/{SIZES}"):
                (part / SIZES).mkdir(exist_ok=True)
                name = f"{SIZES}/{codec}.parquet"
                left -= _copy(files, f"{root}/{name}", part / name, left, url)
            with _named(part, url):
                trace = Trace.open(part)
                for codec in trace.sizes_codecs():
                    trace.sizes(codec)
        try:
            part.rename(place)
        except OSError:  # another process was quicker
            if not place.is_dir():
                raise
        return place
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _named(part: Path, url: str) -> Iterator[None]:
    """What is wrong with a copy is so with what it is of."""
    try:
        yield
    except TraceError as error:
        raise TraceError(str(error).replace(str(part), url)) from error


def _copy(files: Any, source: str, target: Path, most: int, url: str) -> int:
    """Copy one file, of so many bytes at most; its bytes."""
    size = 0
    with target.open("xb") as ours, ExitStack() as open_there:
        with _theirs(url):
            theirs = open_there.enter_context(files.open(source, "rb"))
        while True:
            with _theirs(url):
                block = theirs.read(BLOCK)
            if not block:
                return size
            size += len(block)
            if size > most:
                wrong = f"is larger than {most:,} bytes"
                remedy = REMEDY if target.name == HEADER_FILE else f"if that is expected, allow more with {OPTION}"
                raise TraceError.at(url, target.name, wrong, remedy)
            ours.write(block)


def _codecs(files: Any, folder: str) -> list[str]:
    """The codecs of whose sizes there are files, as far as the names are those of codecs."""
    try:
        names = [unquote(str(name).rpartition("/")[2]) for name in files.ls(folder, detail=False)]
    except Exception:  # no such folder, or a server that lists none
        return []
    codecs = {name.removesuffix(".parquet") for name in names if name.endswith(".parquet")}
    return [codec for codec in sorted(codecs) if len(codec) <= LONGEST and is_codec(codec)][:MOST_CODECS]


def _expire(home: Path) -> None:
    """Remove copies that nobody used for a while, and what killed processes left."""
    for path in home.iterdir():
        with suppress(OSError):
            days = (time.time() - path.stat().st_mtime) / DAY_S
            if days > (1 if path.name.endswith(PART) else DAYS):
                shutil.rmtree(path, ignore_errors=True)
