from __future__ import annotations

from pathlib import Path

import pytest
from reading_kit import read, sniffed

from workloads.progress import silent
from workloads.readers.input import Input
from workloads.readers.swapreplay import SwapReplay


def put(folder: Path, text: str) -> Path:
    (folder / "s.txt").write_text(text)
    return folder / "s.txt"


@pytest.mark.parametrize("text", ["8 W 900\n16 W 0\n8 R 900\n", "# of a run\n8,W,900\n16, W, 0\r\n\n8,R,900\n"])
def test_sizes_of_page_outs(tmp_path: Path, text: str) -> None:
    path = put(tmp_path, text)
    assert sniffed(SwapReplay, path)
    (batch,) = SwapReplay().read(Input(path, 4096, silent), {})
    assert (batch.kind.tolist(), batch.slot.tolist()) == ([0, 0, 1], [1, 2, 1])
    assert batch.size is not None
    assert batch.zero is not None
    assert (batch.size.tolist(), batch.zero.tolist()) == ([900, 1], [False, True])


@pytest.mark.parametrize("line", ["8 W 4420", "8 X 1", "8 W", "36028797018963968 R 1", "18446744073709551616 W 1"])
def test_a_bad_line_is_named_and_all_before_it_kept(tmp_path: Path, line: str) -> None:
    got = read(SwapReplay(), put(tmp_path, f"8 W 4419\n{line}\n8 R 1\n"))
    assert got.slot.tolist() == [1]
    assert "s.txt: line 2: " in got.error
