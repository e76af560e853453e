"""The kernels as plain Python (NUMBA_DISABLE_JIT=1) give the same streams, and touch nothing outside their arrays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from codec_kit import EXACT, PAGE, golden_pages, samples

from sim.plugins import COMPRESSORS

PLAIN = """
import sys
from sim.errors import CodecError
from sim.plugins import COMPRESSORS
pages = sys.stdin.buffer.read()
codec = COMPRESSORS.make(sys.argv[1])
for at in range(0, len(pages), 4096):
    page = pages[at : at + 4096]
    stream = codec.compress(page)
    assert codec.decompress(stream, 4096) == page
    for damaged in (stream[: len(stream) // 2], stream[:9] + bytes([stream[9] ^ 0x55]) + stream[10:]):
        try:
            codec.decompress(damaged, 4096)
        except CodecError:
            pass
    print(stream.hex())
"""


DICTIONARY = Path(__file__).parents[2] / "golden" / "zram-parameters" / "trained.dict"


@pytest.mark.parametrize("name", [*EXACT, "lz4hc", f"lz4:dict={DICTIONARY}", f"lz4hc:level=2,dict={DICTIONARY}"])
def test_streams_are_the_same(name: str) -> None:
    pages = [page.tobytes() for page in golden_pages()[:80:10]] + list(samples(PAGE).values())
    plain = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", PLAIN, name],
        input=b"".join(pages),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        check=False,
    )
    assert plain.returncode == 0, plain.stderr.decode()
    codec = COMPRESSORS.make(name)
    assert plain.stdout.decode().split() == [codec.compress(page).hex() for page in pages]
