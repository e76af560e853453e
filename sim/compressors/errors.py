"""What a compressor raises."""

from __future__ import annotations


class CompressorError(ValueError):
    """A name, parameter or page size that makes no sense; one line that says what to do instead."""


class CodecError(ValueError):
    """A stream that does not decompress, or to something else than what was compressed."""
