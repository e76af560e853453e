"""Predicted beside measured latency on a zram device of this host, written into this folder (root, idle machine).

    python results/latency-live/make.py [TRACE.cswap]...

Each trace is written to zram and read back through O_DIRECT, and swapped and faulted back, with each codec, first on an
idle machine, then beside a process that keeps another CPU busy. Traces are the four samples, those given (of which
only the name is told; they may be recordings of one's own), and two that are made here: pages of noise, which zram
stores whole, and nearly empty pages (200 bytes of noise, at the start or anywhere). `validation.csv` has a row for each
trace, codec, path, state of the machine, operation and percentile; what is there already is kept, so that a run that
was stopped goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from sim.calibration.machine import machine
from sim.experiment.inputs import open_input
from sim.plugins import COMPRESSORS
from sim.validate.latency import compare_latency
from sim.validate.swap_latency import compare_swap
from workloads import OUT, Events, Trace

HERE = Path(__file__).parent
FILE = HERE / "validation.csv"
SAMPLES = ("gcc-sample", "pandas-sample", "redis-sample", "node-sample")
CODECS = ("lz4", "lzo", "lzo-rle")
PATHS = ("direct", "swap")
STATES = ("idle", "busy")
PAGES, REPEATS = 2000, 2
KEY = ["trace", "compressor", "path", "state"]


def main(given: list[str]) -> None:
    """Measure what is not there yet, row by row."""
    traces = [open_input(name) for name in (*SAMPLES, *given)] + [noise(), nearly_empty()]
    for state, trace, codec, path in product(STATES, traces, CODECS, PATHS):
        rows = pd.read_csv(FILE).to_dict("records") if FILE.exists() else []
        key = {"trace": trace.name, "compressor": codec, "path": path, "state": state}
        if any(all(row[name] == key[name] for name in KEY) for row in rows):
            continue
        with busy(state == "busy"):
            found = measured(trace, codec, path)
        about = machine()
        rows += [
            {**key, **row, "processor": about["processor"], "kernel": about["kernel"].partition("-")[0]}
            for row in found
        ]
        part = FILE.with_suffix(".part")
        pd.DataFrame(rows).to_csv(part, index=False, float_format="%.4g")
        part.replace(FILE)
        print(*key.values(), *(f"{row['operation']} p{row['percentile']} {row['ratio']:.2f}" for row in found))


def measured(trace: Trace, codec: str, path: str) -> list[dict[str, object]]:
    """Rows of `sim.validate.latency.summary`."""
    compressor = COMPRESSORS.make(codec)
    if path == "swap":
        return compare_swap(trace, compressor, PAGES, REPEATS)[0]
    return compare_latency(trace, compressor, PAGES, REPEATS)


def tables() -> str:
    """The ratios of page-outs / page-ins as docs/calibration.md shows them: a table for each path and percentile."""
    rows = pd.read_csv(FILE)
    names = list(dict.fromkeys(rows["trace"].str.removesuffix("-sample")))
    lines = []
    for path, percentile in product(PATHS, (50, 99)):
        here = rows[(rows["path"] == path) & (rows["percentile"] == percentile)]
        lines += ["", f"| {path}, p{percentile} | " + " | ".join(names) + " |"]
        lines.append("|---" * (1 + len(names)) + "|")
        for state, codec in product(STATES, CODECS):
            mine = here[(here["state"] == state) & (here["compressor"] == codec)]
            ratio = mine.set_index([mine["trace"].str.removesuffix("-sample"), "operation"])["ratio"]
            cells = [f"{ratio[name, 'page-out']:.2f} / {ratio[name, 'page-in']:.2f}" for name in names]
            lines.append(f"| {codec}, {state} | " + " | ".join(cells) + " |")
    return "\n".join(lines[1:])


def noise(count: int = PAGES) -> Trace:
    """Pages that no codec makes smaller."""
    return of_pages("noise", np.random.default_rng(1).integers(0, 256, (count, 4096), np.uint8))


def nearly_empty(count: int = PAGES) -> Trace:
    """Zeros but for 200 bytes of noise: at the start of every other page, else anywhere."""
    rng = np.random.default_rng(2)
    pages = np.zeros((count, 4096), np.uint8)
    for i, start in enumerate(rng.integers(0, 4096 - 200, count) * (np.arange(count) % 2)):
        pages[i, start : start + 200] = rng.integers(0, 256, 200)
    return of_pages("nearly-empty", pages)


def of_pages(name: str, pages: np.ndarray) -> Trace:
    """A trace that pages each of them out once."""
    rows = np.arange(len(pages))
    return Trace.from_arrays(name, Events.of(np.full(len(pages), OUT), rows, rows), pages)


@contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """Keep a CPU at work, one that is not measured on: measurements take the last."""
    if not wanted:
        yield
        return
    worker = multiprocessing.get_context("spawn").Process(target=work, daemon=True)
    worker.start()
    try:
        yield
    finally:
        worker.kill()
        worker.join()


def work() -> None:
    """Walk through memory for good, on any CPU but the last."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus - {max(cpus)} or cpus)
    memory = np.ones(1 << 23)
    while True:
        memory.sum()


if __name__ == "__main__":
    main(sys.argv[1:])
