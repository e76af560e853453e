"""How kernels are compiled: two decorators and one cache folder.

`kernel` marks a function that other kernels call: compiled code inlines it, so a kernel may be written as many small
functions over arrays of records and still run as one; called from Python it is plain Python. `entry` marks a function
that Python calls: it is compiled once for each type of its arguments, cached on disk and runs without the GIL; its
`py_func` is the same source as plain Python, and with `NUMBA_DISABLE_JIT=1` so is the function itself.

numba's disk cache looks only at the file of the entry itself and goes stale when a callee in another file changes, so
kernels live in folders called `kernels`, and the cache folder is keyed by a digest of them all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba
import platformdirs
from numba.extending import register_jitable

F = TypeVar("F", bound=Callable[..., Any])

_ROOT = Path(__file__).resolve().parent.parent
_config: Any = numba.config  # numba makes its attributes when it is imported


def _sources_digest() -> str:
    sources = [Path(__file__), Path(__file__).with_name("borrow.py")]
    for package in ("allocators", "sim"):
        sources += sorted((_ROOT / package).rglob("kernels/*.py"))
    digest = hashlib.blake2b(numba.__version__.encode(), digest_size=8)
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _cache_folder() -> str:
    """A writable folder for compiled kernels: the user's cache, else a temporary one."""
    folder = Path(platformdirs.user_cache_dir("cswap")) / "kernels" / _sources_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return str(folder)
    except OSError:
        pass
    return tempfile.mkdtemp(prefix="cswap-kernels-")


if not os.environ.get("NUMBA_CACHE_DIR"):
    _config.CACHE_DIR = _cache_folder()

JIT = not _config.DISABLE_JIT


# Wrappers for callers in Python, which kernels never need, would only take time to compile.
INLINED: Any = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def kernel(function: F) -> F:
    """Make a function callable from compiled code, inlined; in Python it stays what it is."""
    registered: F = register_jitable(**INLINED)(function)
    return registered


def entry(function: F) -> F:
    """Compile a function that Python calls: cached on disk, releases the GIL."""
    decorator: Any = numba.njit(cache=True, nogil=True)
    compiled: F = decorator(function)
    return compiled
