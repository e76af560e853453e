"""What a sweep costs besides its cells: cells of about a second, by one process and by two.

Run `python benchmarks/bench_sweep.py`. A cell is one timed run; what is compared with one process is the sum of the
seconds of its cells, and with two the sweep by one.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from sim import Experiment, Timing
from sim.sweep import sweep
from sim.sweep.joining import read_table

TIMED = Experiment(
    ("random:events=150000,slots=8000,pages=4000",),
    allocators=("zsmalloc:chain=4..15",),
    compressors=("lz4",),
    timing=Timing(),
)
WARM = replace(TIMED, traces=("random:events=1000,slots=100,pages=50",))


def seconds(experiment: Experiment, folder: Path, workers: int) -> tuple[float, list[float]]:
    """Of the whole sweep, and of each cell."""
    began = time.perf_counter()
    sweep(experiment, folder, workers=workers)
    whole = time.perf_counter() - began
    return whole, [row["seconds"] for row in read_table(folder)]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sweep(WARM, Path(folder) / "warm", workers=1)
        one, cells = seconds(TIMED, Path(folder) / "one", 1)
        two, _ = seconds(TIMED, Path(folder) / "two", 2)
        again, _ = seconds(TIMED, Path(folder) / "two", 2)
    print(f"{len(cells)} cells of {min(cells):.2f} to {max(cells):.2f} s: {sum(cells):.2f} s")
    print(f"one process: {one:.2f} s, {one / sum(cells) - 1:.1%} more; two: {two:.2f} s, {one / two:.2f} x as fast")
    print(f"again, with nothing to do: {again:.2f} s")


if __name__ == "__main__":
    main()
