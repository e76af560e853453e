"""User-facing errors, each in one line."""

from __future__ import annotations

import errno

from allocators.errors import AllocatorError
from workloads.errors import HostError, TraceError
from workloads.shown import meant as meant
from workloads.shown import shown


class UserError(ValueError):
    """An error that the user can fix; one line that says how."""


class CompressorError(ValueError):
    """A name, parameter or page size of a compressor that makes no sense; one line that says what to do instead."""


class CodecError(ValueError):
    """A stream that does not decompress, or to something else than what was compressed."""


class SpecError(UserError):
    """A name, or a spec `name:key=value,...`, that makes no sense; one line that names what there is."""


# What the command line reports without a traceback; everything else is a fault of cswap's own.
USER_ERRORS: tuple[type[Exception], ...] = (
    UserError,
    AllocatorError,
    CompressorError,
    CodecError,
    HostError,
    TraceError,
    OSError,
)

_REMEDIES = {
    errno.ENOENT: "give a file that exists",
    errno.ENOTDIR: "a part of the path is a file; give another path",
    errno.EISDIR: "give a file, not a folder",
    errno.EEXIST: "remove it or give another name",
    errno.EACCES: "check the permissions, or give another path",
    errno.EPERM: "check the permissions, or give another path",
    errno.EROFS: "the disk is read-only; give another path",
    errno.ENOSPC: "the disk is full; free space or give a path on another disk",
    errno.EDQUOT: "your quota is used up; free space or give a path on another disk",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EBADF: "give it a file, a pipe or a terminal",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
}


def one_line(error: BaseException) -> str:
    """The message of an error in one line, with nothing in it that a terminal obeys.

    For an OSError: the file, what is wrong and the remedy.
    """
    text = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        places = [str(name) for name in (error.filename, error.filename2) if name is not None]
        remedy = _REMEDIES.get(error.errno or 0, "")
        text = ": ".join([" and ".join(places), error.strerror] if places else [error.strerror])
        text += f"; {remedy}" if remedy else ""
    return shown(" ".join(text.split()))
