"""libbpf, loaded at run time through ctypes: what the recorder calls of it, each with its signature.

Source: libbpf 1.0's API (libbpf.h, bpf.h), kept by its soname `libbpf.so.1`. A call that fails raises HostError
with the library's first warning.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import Any

from workloads.errors import HostError

SONAME = "libbpf.so.1"
_DEBUG = 2  # level of the messages that are not worth keeping

_Print = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_POINTER, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "libbpf_set_print": (_POINTER, (_Print,)),
    "bpf_object__open_mem": (_POINTER, (_TEXT, ctypes.c_size_t, _POINTER)),
    "bpf_object__load": (_INT, (_POINTER,)),
    "bpf_object__close": (None, (_POINTER,)),
    "bpf_object__find_program_by_name": (_POINTER, (_POINTER, _TEXT)),
    "bpf_object__find_map_by_name": (_POINTER, (_POINTER, _TEXT)),
    "bpf_program__set_autoload": (_INT, (_POINTER, ctypes.c_bool)),
    "bpf_program__attach": (_POINTER, (_POINTER,)),
    "bpf_link__destroy": (_INT, (_POINTER,)),
    "bpf_map__set_max_entries": (_INT, (_POINTER, ctypes.c_uint32)),
    "bpf_map__fd": (_INT, (_POINTER,)),
    "bpf_program__fd": (_INT, (_POINTER,)),
    "bpf_prog_test_run_opts": (_INT, (_INT, _POINTER)),
}


class RunOptions(ctypes.Structure):
    """`struct bpf_test_run_opts`: nothing is passed to the program, which is run once."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("data", _POINTER * 2),
        ("data_sizes", ctypes.c_uint32 * 2),
        ("context", _POINTER * 2),
        ("context_sizes", ctypes.c_uint32 * 2),
        ("result", ctypes.c_uint32),
        ("repeat", _INT),
        ("duration", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("cpu", ctypes.c_uint32),
        ("batch_size", ctypes.c_uint32),
    )


class Libbpf:
    """The library's functions as attributes; use `libbpf()`, for what it prints goes to the instance made last."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(SONAME, use_errno=True)
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(self._library, name)
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise HostError(f"libbpf is missing ({error}); install libbpf1") from error
        self._vsnprintf = ctypes.CDLL(None).vsnprintf  # a va_list is passed by its address on x86-64 and arm64
        self._said: list[str] = []
        self._callback = _Print(self._listen)  # kept: the library holds only its address
        self._library.libbpf_set_print(self._callback)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def check(self, result: int | None, what: str) -> int:
        """Return a pointer or a number that is not an error. Raises HostError otherwise."""
        said, self._said = self._said, []
        if result is None or result < 0:
            reason = os.strerror(ctypes.get_errno() if result is None else -result)
            raise HostError(f"{what}: {': '.join([*said[:1], reason])}")
        return result

    def _listen(self, level: int, text: bytes, arguments: int) -> int:
        if level < _DEBUG:
            line = ctypes.create_string_buffer(512)
            self._vsnprintf(line, len(line), text, ctypes.c_void_p(arguments))
            self._said.append(" ".join(line.value.decode(errors="replace").removeprefix("libbpf: ").split()))
        return 0


@cache
def libbpf() -> Libbpf:
    """The library. Raises HostError where it is not installed."""
    return Libbpf()
