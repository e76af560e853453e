"""Whether the pages of a trace on disk are those that its header promises."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from sim.sizing.kept import keep, recall
from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.progress import Progress
from workloads.traces.digests import digest_file
from workloads.traces.parquet import PAGES_FILE
from workloads.traces.trace import Trace
from workloads.traces.verification import verify_pages


def contents_digest(trace: Trace) -> str:
    """Digest in hex of the bytes of `pages.parquet`, computed now, not taken from the header.

    Raises TraceError when the header says otherwise.
    """
    assert trace.path is not None
    file = trace.path / PAGES_FILE
    at = file.stat()
    found = _digest(file, at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns)
    if trace.header.files.get(PAGES_FILE, found) != found:
        raise TraceError.at(file, "bytes", "were changed since they were written", REMEDY)
    return found


@lru_cache(maxsize=64)
def _digest(file: Path, *changes: int) -> str:
    """Once for all codecs of a run; a file that changed meanwhile is another one."""
    return digest_file(file)


def check_contents(trace: Trace, progress: Progress) -> None:
    """Decode all pages and compare their digest with the header's; done once for the same bytes and the same header.

    `progress` is called with pages done and pages in all. Raises TraceError naming `pages.parquet`.
    """
    assert trace.path is not None
    fields: dict[str, str | int] = {
        "kept": "pages checked",
        "file": contents_digest(trace),
        "pages": trace.pages_digest,
        "unique_pages": trace.unique_pages,
        "page_size": trace.page_size,
    }
    if recall(fields) is None:
        verify_pages(trace, trace.path / PAGES_FILE, lambda done: progress(done, trace.unique_pages))
        keep(fields, {})
