"""P11 and P14, what pages are: runs of zeros, for which lzo-rle was made, and pages of one repeated word.

- lzo_rle.csv (P11): bytes by lzo and lzo-rle of the pages of all samples, by their share of zero bytes, and of the page
  that grows most.
- lzo_rle_speed.csv (P11): how many times as fast as lzo lzo-rle is on these, measured (`make.py lzo_rle_speed`, on no
  other call): one process, each page once a run, 16 pages by one and then by the other; of five runs the median, least
  and most. Both are compiled from Python here, so this is the algorithms' difference and not that of the kernel's code.
- same_filled.csv (P14): page-outs of zeros and of another repeated word, in percent, by recording.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sim.compressors.lzo import Lzo
from sim.compressors.lzo_rle import LzoRle
from sim.experiment.inputs import open_input
from workloads import open_sample
from workloads.traces.events import OUT

TRACES = ("gcc", "pandas", "redis", "node")
GROUPS = (0, 25, 50, 75, 90, 100)  # percent of zero bytes
RUNS = 5
TOGETHER = 16  # pages


def lzo_rle() -> pd.DataFrame:
    """Pages and bytes by share of zeros, and what lzo-rle adds in percent."""
    zeros, pages = samples()
    sizes = np.array([[len(codec.compress(page.tobytes())) for codec in (Lzo(), LzoRle())] for page in pages])
    rows = []
    for name, of in groups(zeros).items():
        lzo, rle = sizes[of].sum(axis=0).tolist()
        worst = (100 * (sizes[of, 1] / sizes[of, 0] - 1)).max()
        rows.append(
            {"zeros": name, "pages": int(of.sum()), "lzo": lzo, "lzo_rle": rle}
            | {"more_percent": 100 * (rle / lzo - 1), "worst_page_percent": worst}
        )
    return pd.DataFrame(rows)


def samples() -> tuple[Any, Any]:
    """Percent of zero bytes and bytes of all pages of the samples that are not same-filled."""
    arrays = [open_sample(name) for name in TRACES]
    pages = np.concatenate([trace.page_array(0, trace.unique_pages) for trace in arrays])
    words = pages.view(np.uint64)
    pages = pages[(words != words[:, :1]).any(axis=1)]
    return 100 * (pages == 0).mean(axis=1), pages


def groups(zeros: Any) -> dict[str, Any]:
    named = {f"{low} to {high} %": (zeros >= low) & (zeros < high) for low, high in pairwise(GROUPS)}
    return named | {"all": np.ones(len(zeros), bool)}


def lzo_rle_speed() -> pd.DataFrame:
    """How many times as fast lzo-rle is, by share of zeros: median, least and most of the runs."""
    zeros, pages = samples()
    taken = np.array([timed(pages, np.random.default_rng(run)) for run in range(RUNS + 1)])[1:]  # the first warms up
    rows = []
    for name, of in groups(zeros).items():
        row: dict[str, Any] = {"zeros": name, "pages": int(of.sum())}
        for what, ns in (("compress", taken[..., 0]), ("decompress", taken[..., 1]), ("both", taken.sum(axis=-1))):
            typical = np.median(ns[:, of], axis=1)
            faster = typical[:, 0] / typical[:, 1]
            row |= {what: np.median(faster), f"{what}_least": faster.min(), f"{what}_most": faster.max()}
        rows.append(row)
    return pd.DataFrame(rows)


def timed(pages: Any, rng: np.random.Generator) -> Any:
    """ns of each page in lzo and lzo-rle, to compress and to decompress: int64[pages, 2, 2]."""
    codecs = (Lzo(), LzoRle())
    ns = np.zeros((len(pages), 2, 2), np.int64)
    order = rng.permutation(len(pages))
    for turn, start in enumerate(range(0, len(pages), TOGETHER)):
        some = order[start : start + TOGETHER]
        for which in (0, 1) if turn % 2 else (1, 0):
            _, ns[some, which, 0], ns[some, which, 1] = codecs[which].measure(pages[some])
    return ns


def same_filled() -> pd.DataFrame:
    """Percent of the page-outs that are of zeros, and of another word; a row a recording."""
    rows = []
    for name in TRACES:
        trace = open_input(name)
        sizes = trace.sizes("lzo")
        assert sizes is not None
        events = next(trace.batches(trace.n_events))
        page = events.page[(events.kind == OUT) & (events.page >= 0)]
        zero, same = sizes.zero_filled[page], sizes.same_filled[page]
        rows.append(
            {"trace": name, "page_outs": len(page), "zero_percent": 100 * zero.mean()}
            | {"other_percent": 100 * (same & ~zero).mean()}
        )
    return pd.DataFrame(rows)
