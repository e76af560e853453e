"""What is compressed with xz, for which pyarrow has no codec."""

from __future__ import annotations

import lzma
from typing import Any

MEMORY = 1 << 27  # bytes that a decoder may take: `xz -9` needs 65 MiB
STEP = 1 << 20


class Xz:
    """A stream of one `.xz` file, of any number of xz streams."""

    def __init__(self, raw: Any) -> None:
        """`raw` has `read(size)`."""
        self._raw = raw
        self._decoder: lzma.LZMADecompressor | None = None
        self._left = b""  # behind the end of a stream

    def read(self, size: int) -> bytes:
        """Return the next bytes, `size` unless the file ends. Raises OSError for what is damaged or incomplete."""
        parts, wanted = [], size
        while wanted:
            try:
                part = self._some(wanted)
            except lzma.LZMAError as error:
                raise OSError(str(error)) from error
            if part is None:
                break
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def _some(self, most: int) -> bytes | None:
        """Up to so many bytes, None at the end."""
        if self._decoder is None:
            data = (self._left or self._raw.read(STEP)).lstrip(b"\0")  # streams are padded
            self._left = b""
            if not data:
                return None if not self._raw.read(1) else b""
            self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
        elif self._decoder.needs_input:
            data = self._raw.read(STEP)
            if not data:
                raise OSError("the compressed data end too early")
        else:
            data = b""
        part = self._decoder.decompress(data, most)
        if self._decoder.eof:
            self._left, self._decoder = self._decoder.unused_data, None
        return part
