"""How kernels are compiled: two decorators and one cache folder.

`kernel` marks a function that other kernels call: compiled code inlines it, so a kernel may be written as many small
functions over arrays of records and still run as one; called from Python it is plain Python. `entry` marks a function
that Python calls: it is compiled once for each type of its arguments, cached on disk and runs without the GIL; its
`py_func` is the same source as plain Python, and with `NUMBA_DISABLE_JIT=1` so is the function itself.

numba's disk cache looks only at the file of the entry itself and goes stale when a callee in another file changes, so
kernels live in folders called `kernels`, and the cache folder is keyed by a digest of them all. Where that folder
cannot be used, or is full or damaged, kernels are compiled for this run alone.
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
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache, UserProvidedCacheLocator
from numba.core.sigutils import normalize_signature
from numba.extending import register_jitable

from allocators.user_cache import cache_folder, not_kept

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
_config: Any = numba.config  # numba makes its attributes when it is imported


def _sources_digest() -> str:
    sources = [Path(__file__), Path(__file__).with_name("borrow.py")]
    for package in ("allocators", "sim"):
        sources += sorted((_ROOT / package).rglob("kernels/*.py"))
    # numba's index does not tell code that checks every index (NUMBA_BOUNDSCHECK=1) from code that does not.
    digest = hashlib.blake2b(f"{numba.__version__} {_config.BOUNDSCHECK or 0}".encode(), digest_size=8)
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cache_folder() -> Path:
    """The folder of compiled kernels in the user's cache. Raises OSError when it cannot be used."""
    folder = cache_folder("kernels") / _sources_digest()
    folder.mkdir(mode=0o700, exist_ok=True)
    for part in folder.glob("*/*.tmp.*"):  # what numba was writing, in milliseconds, when it was killed
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > WRITTEN_S:
                part.unlink()
    return folder


WRITTEN_S = 60.0
_unusable: OSError | None = None
if not os.environ.get("NUMBA_CACHE_DIR"):
    try:
        _config.CACHE_DIR = str(_cache_folder())
    except OSError as error:
        _config.CACHE_DIR = ""
        _unusable = error

JIT = not _config.DISABLE_JIT


# Wrappers for callers in Python, which kernels never need, would only take time to compile.
INLINED: Any = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: F) -> F:
    """Make a function callable from compiled code, inlined; in Python it stays what it is."""
    registered: F = register_jitable(**INLINED)(function)
    return registered


class _Place(CompileResultCacheImpl):
    """In `CACHE_DIR` or nowhere: beside the sources numba would not see that a callee has changed."""

    _locator_classes = [UserProvidedCacheLocator]  # noqa: RUF012


class _Cache(FunctionCache):
    """numba's cache on disk; what is wrong with it costs time only."""

    _impl_class = _Place

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What was compiled for this signature, or None.

        Two processes that save at once may leave an index that names the other's code, so its signature is compared.
        """
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
            not_kept(error)


class _NoCache(NullCache):
    def save_overload(self, sig: Any, cres: Any) -> None:
        not_kept(_unusable or OSError(errno.EACCES, "cannot be written", _config.CACHE_DIR))


def entry(function: F) -> F:
    """Compile a function that Python calls: cached on disk, releases the GIL."""
    decorator: Any = numba.njit(nogil=True)
    compiled: F = decorator(function)
    if JIT:
        dispatcher: Any = compiled
        try:
            # What `cache=True` does, with a cache of our own.
            dispatcher._cache = _Cache(function)  # type: ignore[no-untyped-call]
        except (RuntimeError, OSError):  # numba found no place
            dispatcher._cache = _NoCache()
    return compiled
