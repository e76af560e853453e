"""User-facing errors, each in one line."""

from __future__ import annotations

import errno
import re
import warnings
from collections.abc import Mapping

from allocators.errors import AllocatorError
from workloads.errors import HostError, TraceError
from workloads.shown import meant as meant
from workloads.shown import shown


class UserError(ValueError):
    """An error that the user can fix; one line that says how."""


def worded(template: str, words: Mapping[str, str]) -> str:
    """A template whose fields, `<pages>`, are called by these words, or by their own."""

    def word(found: re.Match[str]) -> str:
        return words.get(found[1], found[1])

    return re.sub(r"<(\w+)>", word, template)


class FieldError(UserError):
    """A field of an experiment that makes no sense. `template` is the message, its `{}` are `values`.

    `<pages>` in it is a field, so that the message can be told in the words of whoever set it.
    """

    def __init__(self, where: str, template: str, *values: object) -> None:
        super().__init__(f"{where}: {worded(template, {}).format(*values)}")
        self.template, self.values = template, values

    @property
    def field(self) -> str:
        """The field that is wrong: the first one named."""
        return str(re.findall(r"<(\w+)>", self.template)[0])

    def told(self, words: Mapping[str, str]) -> str:
        """The message with fields called by `words`: an option instead of a key."""
        return worded(self.template, words).format(*self.values)


class Remark(UserWarning):
    """What a run or a trace says besides its figures, in one line; fields stand in it as in `FieldError`."""

    def __init__(self, template: str) -> None:
        super().__init__(worded(template, {}))
        self.template = template


def remark(template: str) -> None:
    """Warn of something that is not wrong but may not be what was meant."""
    warnings.warn(Remark(template), stacklevel=3)


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
