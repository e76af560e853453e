"""Sizes stored beside contents, compared with what this build's compressors make of those contents."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sim.errors import CompressorError, SpecError
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from workloads.errors import TraceError
from workloads.progress import Progress
from workloads.traces.sizes import sizes_path
from workloads.traces.trace import Trace

COMPARED = ("size", "same_filled", "zero_filled")  # times are those of some machine


def verify_sizes(trace: Trace, report: Callable[[str], AbstractContextManager[Progress]]) -> dict[str, str]:
    """Compare the sizes in the folder of a trace with contents; return codecs that could not be compared, and why.

    Raises TraceError naming the file and the first row that differs. Sizes by another version of a library may differ.
    """
    skipped: dict[str, str] = {}
    for codec in trace.sizes_codecs() if trace.content else ():
        try:
            known = COMPRESSORS.make(codec)
        except (CompressorError, SpecError):
            skipped[codec] = "this cswap has no such codec"
            continue
        given = trace.sizes(codec)
        assert trace.path is not None
        assert given is not None
        with report(f"{codec} on {trace.name}") as done:
            made = size_pages(trace, known, progress=done)
        version = given.meta.get("version")
        for name in COMPARED:
            found, right = getattr(given, name), getattr(made, name)
            differs = found != right
            if not differs.any():
                continue
            if version != known.version:
                skipped[codec] = f"made by version {version!r}, this is {known.version!r}"
                break
            row = int(differs.argmax())
            raise TraceError.at(
                sizes_path(trace.path, codec),
                f"row {row}",
                f"{name} is {found[row]}; of this page it is {right[row]}",
                "delete the file, it is not needed beside contents",
            )
    return skipped
