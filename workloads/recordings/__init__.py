"""The recordings that are shipped: the whole swap traffic of four programs, without the contents of the pages.

Each carries the sizes of its pages by the codecs lz4, lzo, lzo-rle and zstd:level=3. The sample of the same name
(`workloads.samples`) has some of its slots, with contents; `pages_of_sample` says which pages those are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.shown import meant
from workloads.traces.disk import open_trace
from workloads.traces.sampling import sampled_pages
from workloads.traces.trace import Trace

FOLDER = Path(__file__).parent


def recording_names() -> list[str]:
    """Return the names of the recordings, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.cswap"))


def open_recording(name: str) -> Trace:
    """Open a recording by name; TraceError when there is none of that name."""
    if name not in recording_names():
        known = ", ".join(recording_names())
        raise TraceError.at(
            "recordings", name, f"there is no such recording{meant(name, recording_names())}", f"use one of {known}"
        )
    return open_trace(FOLDER / f"{name}.cswap")


def pages_of_sample(recording: Trace, sample: Trace) -> npt.NDArray[np.int64]:
    """Return the number in `recording` of every unique page of `sample`, by sampling its events again.

    Raises TraceError when the sample is not one of that recording.
    """
    about = sample.source.get("sample", {})
    pages = sampled_pages(recording, about.get("share", 1), about.get("seed", 0))
    if len(pages) != sample.unique_pages or about.get("of", {}).get("unique_pages") != recording.unique_pages:
        raise TraceError.at(
            sample.path or sample.name, "sample", f"is not one of {recording.name}", "use a sample of this recording"
        )
    return pages
