"""How functions are compiled: two decorators, and a cache on disk.

`compiled` marks a function that compiled code calls: it is inlined there, so that rules may be written as many small
functions over arrays of records and still run as one; called from Python it is plain Python. `entry` marks a function
that Python calls: it is compiled once for each type of its arguments, cached on disk and runs without the GIL; its
`py_func` is the same source as plain Python, and with `NUMBA_DISABLE_JIT=1` so is the function itself.

numba's own cache looks only at the file of the entry itself and goes stale when anything in another file changes. Here
compiled code is kept under a digest of every source that reaches it (`sources`). Where it cannot be kept, or what is
kept is damaged, it is compiled for this run alone.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    IndexDataCacheFile,
    NullCache,
    UserProvidedCacheLocator,
)
from numba.core.sigutils import normalize_signature
from numba.extending import register_jitable

from allocators.compiled import sources
from allocators.user_cache import cache_folder, not_kept

F = TypeVar("F", bound=Callable[..., Any])
Key = tuple[str, str]  # digests: of what it is compiled for, of the sources

_config: Any = numba.config  # numba makes its attributes when it is imported


def _cache_folder() -> Path:
    """The folder of compiled code in the user's cache. Raises OSError when it cannot be used."""
    folder = cache_folder("compiled")
    for part in folder.glob("*/*.tmp.*"):  # what numba was writing, in milliseconds, when it was killed
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > WRITTEN_S:
                part.unlink()
    return folder


WRITTEN_S = 60.0
COMPILED = "compiled code is"
_unusable: OSError | None = None
if not os.environ.get("NUMBA_CACHE_DIR"):
    try:
        _config.CACHE_DIR = str(_cache_folder())
    except OSError as error:
        _config.CACHE_DIR = ""
        _unusable = error

JIT = not _config.DISABLE_JIT


def is_kept() -> bool:
    """Whether what is compiled can be kept for the next run, as far as that is known before."""
    place = Path(_config.CACHE_DIR)
    there = next((path for path in (place, *place.absolute().parents) if path.exists()), place)
    return bool(_config.CACHE_DIR) and os.access(there, os.W_OK | os.X_OK)


# Wrappers for callers in Python, which compiled callers never need, would only take time to compile.
INLINED: Any = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: F) -> F:
    """Make a function callable from compiled code, inlined; in Python it stays what it is."""
    registered: F = register_jitable(**INLINED)(function)
    return registered


class _Place(CompileResultCacheImpl):
    """In `CACHE_DIR` or nowhere: what lies beside the sources cannot be closed to others."""

    _locator_classes = [UserProvidedCacheLocator]  # noqa: RUF012


class _Files(IndexDataCacheFile):
    """A file for each key, replaced when the sources change; numba's index of them is spoilt by two at once."""

    def load(self, key: Key | None) -> Any:
        try:
            return None if key is None else self._load_data(self._name(*key))  # type: ignore[no-untyped-call]
        except FileNotFoundError:
            return None

    def save(self, key: Key | None, data: Any) -> None:
        if key is not None:
            for stale in Path(self._cache_path).glob(self._name(key[0], "*")):
                stale.unlink(missing_ok=True)
            self._save_data(self._name(*key), data)  # type: ignore[no-untyped-call]

    def _name(self, compiled_for: str, source: str) -> str:
        return f"{self._index_name.removesuffix('.nbi')}.{compiled_for}.{source}.nbc"


class _Cache(FunctionCache):
    """numba's cache on disk, keyed by all sources; what is wrong with it costs time only."""

    _impl_class = _Place

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        self._cache_file = _Files(self._cache_path, self._impl.filename_base, None)  # type: ignore[no-untyped-call]

    def _index_key(self, sig: Any, codegen: Any) -> Key | None:
        types = normalize_signature(sig)[0]  # type: ignore[no-untyped-call]
        source = sources.digest(self._py_func, types)
        inner = [cell.cell_contents for cell in self._py_func.__closure__ or ()]
        names = [(getattr(one, "__module__", None), getattr(one, "__qualname__", one)) for one in inner]
        told = repr((numba.__version__, _config.BOUNDSCHECK, *codegen.magic_tuple(), *types, *names)).encode()
        return None if source is None else (hashlib.blake2b(told, digest_size=8).hexdigest(), source)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for this signature, or None."""
        try:
            found = super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
            args, _ = normalize_signature(sig)  # type: ignore[no-untyped-call]
            if found is None or found.signature.args == args:
                return found
        except Exception:  # whatever unpickling damaged bytes may raise
            pass
        for path in Path(self.cache_path).glob(f"{self._impl.filename_base}.*"):
            with suppress(OSError):
                path.unlink()
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep what was compiled, if that can be."""
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as error:
            not_kept(COMPILED, error)


class _NoCache(NullCache):
    def save_overload(self, sig: Any, cres: Any) -> None:
        not_kept(COMPILED, _unusable or OSError(errno.EACCES, "cannot be written", _config.CACHE_DIR))


def entry(function: F) -> F:
    """Compile a function that Python calls: cached on disk, releases the GIL."""
    decorator: Any = numba.njit(nogil=True)
    made: Any = decorator(function)
    if JIT:
        try:
            # What `cache=True` does, with a cache of our own.
            made._cache = _Cache(function)
        except (RuntimeError, OSError):  # numba found no place
            made._cache = _NoCache()
    return made


def plain(function: F) -> F:
    """The same function in plain Python."""
    found: F = getattr(function, "py_func", function)
    return found
