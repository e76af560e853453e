"""Dictionaries: what pages of one kind have in common, given to a codec beforehand (`dict=` of zram since 6.12).

A setting `dict=FILE` is read once and called by its digest from then on, in specs, results and stripped traces, which
so tell which dictionary it was and nothing of where it lay. `dict=DIGEST` is a dictionary that this user gave as a
file before: those are kept in the user's cache. One that is not there can still be named, which is enough for a trace
that has its sizes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from allocators.user_cache import cache_folder
from sim.compressors.base import Compressor
from sim.errors import CompressorError, one_line
from workloads.errors import TraceError
from workloads.files import read_regular

DIGEST = re.compile(r"[0-9a-f]{16}")
LARGEST = 16 << 20  # bytes of a file that are read; the kernel takes INT_MAX
FOLDER = "dictionaries"
REMEDY = "give a dictionary, such as `cswap trace dictionary` or `zstd --train` makes"
IN_SPEC = re.compile(r"(?<=[:,]dict=)[^,:+]*")

_known: dict[str, bytes] = {}


def named(text: str) -> str:
    """The digest of the dictionary that a setting means: a file, or such a digest. Raises CompressorError."""
    if not text or DIGEST.fullmatch(text):
        return text
    try:
        content = read_regular(Path(text), LARGEST, REMEDY, follow=True)
    except TraceError as error:
        raise CompressorError(one_line(error)) from error
    if not content:
        raise CompressorError(f"{text}: is empty; {REMEDY}")
    return known_from_now_on(content)


def by_digest(spec: str) -> str:
    """A spec, also one with others in it, whose dictionaries are called by their digests. Raises CompressorError."""
    return IN_SPEC.sub(lambda found: named(found[0]), spec)


def known_from_now_on(content: bytes) -> str:
    """The digest under which this dictionary is found, here and, where the cache can be used, by later runs."""
    digest = _digest(content)
    if digest not in _known:
        _known[digest] = content
        with suppress(OSError):
            _keep(cache_folder(FOLDER) / digest, content)
    return digest


def is_known(digest: str) -> bool:
    """Whether the dictionary of a digest is here."""
    if digest not in _known:
        with suppress(OSError, TraceError):
            content = read_regular(cache_folder(FOLDER) / digest, LARGEST)
            if _digest(content) == digest:
                _known[digest] = content
    return digest in _known


def content_of(digest: str, what: str) -> bytes:
    """The dictionary of a digest. Raises CompressorError naming `what` when this user never gave it."""
    if not is_known(digest):
        raise CompressorError(f"{what}: no dictionary of this digest is known here; give its file: dict=FILE")
    return _known[digest]


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _keep(path: Path, content: bytes) -> None:
    if path.exists():
        return
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(content)
        part.chmod(0o600)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


class WithDictionary(Compressor):
    """A compressor with a parameter `dict`, whose lengths are limited."""

    shortest: ClassVar[int] = 1
    longest: ClassVar[int] = LARGEST
    dict: str = ""
    """Its digest; empty without one."""

    def take_dictionary(self, given: str) -> None:
        """Note the dictionary of a setting. Raises CompressorError for one that zram would not take."""
        self.dict = named(given)
        if self.is_here and not self.shortest <= len(self.dictionary) <= self.longest:
            limits = f"{self.shortest:,} to {self.longest:,}"
            raise CompressorError(f"{given}: has {len(self.dictionary):,} bytes; {self.name} takes {limits} in zram")

    @property
    def config(self) -> Any:
        """See `Compressor.config`: the dictionary is told where there is one."""
        return {name: value for name, value in super().config.items() if name != "dict" or value}

    @property
    def is_here(self) -> bool:
        """Whether it has a dictionary that is known by more than its digest."""
        return bool(self.dict) and is_known(self.dict)

    @property
    def algorithm_params(self) -> str:
        """See `Compressor.algorithm_params`; zram reads the dictionary from the user's cache."""
        kept = f"dict={cache_folder(FOLDER) / self.dict}" if self.dictionary else ""
        return f"{super().algorithm_params} {kept}".strip()

    @property
    def dictionary(self) -> bytes:
        """Its bytes; none without one. Raises CompressorError when it is known by its digest only."""
        return content_of(self.dict, f"{self.name}:dict={self.dict}") if self.dict else b""

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self.config, self.dictionary if self.is_here else b"")


def _remade(cls: Callable[..., Compressor], config: Mapping[str, Any], content: bytes) -> Compressor:
    if content:
        known_from_now_on(content)
    return cls(**config)
