"""A dictionary made of pages, for the codecs that take one (`dict=`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import zstandard

from sim.compressors.base import Pages
from sim.compressors.dictionary import LARGEST
from sim.errors import UserError
from sim.sizing.sizing import filled
from workloads.progress import Progress, silent
from workloads.traces.trace import Trace

LEAST = 256  # bytes that the trainer needs
ENOUGH = 100  # times the dictionary's size, of pages to train on, which zstd's manual says


def sampled(traces: Sequence[Trace], pages: int, seed: int = 0, progress: Progress = silent) -> Pages:
    """So many pages drawn from the unique pages of traces, each page as likely; fewer where there are fewer.

    Same-filled pages, which no codec sees, are left out. uint8[count, page_size]. Raises UserError for a trace without
    contents, and for pages of several sizes.
    """
    if len({trace.page_size for trace in traces}) > 1:
        raise UserError("the traces have pages of several sizes; give those of one size")
    found = [np.empty((0, traces[0].page_size), np.uint8)]
    done, total = 0, sum(trace.unique_pages for trace in traces)
    chosen = np.zeros(total, np.bool_)
    chosen[np.random.default_rng(seed).permutation(total)[:pages]] = True
    for trace in traces:
        if not trace.content:
            raise UserError(f"{trace.name}: has no contents to train on; give a trace with contents")
        for batch in trace.page_batches():
            kept = batch[chosen[done : done + len(batch)]]
            found.append(kept[~filled(kept)[0]])
            done += len(batch)
            progress(done, total)
    return np.concatenate(found)


def trained(pages: Pages, size: int) -> bytes:
    """A dictionary of at most `size` bytes, by ZDICT's COVER, as `zstd --train` makes it. Raises UserError."""
    if not LEAST <= size <= LARGEST:
        raise UserError(f"a dictionary of {size} bytes; give {LEAST} to {LARGEST}, such as 16K")
    try:
        return bytes(zstandard.train_dictionary(size, [page.tobytes() for page in pages]).as_bytes())
    except zstandard.ZstdError as error:
        raise UserError(f"pages to train {size} bytes on: {len(pages)} are too few, or too much alike") from error
