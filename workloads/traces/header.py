"""The header of a trace: all that is known without reading its events."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workloads.errors import TraceError
from workloads.files import REMEDY
from workloads.traces import header_file
from workloads.traces.digests import digest_text
from workloads.traces.events import KINDS
from workloads.traces.header_file import FORMAT, HEADER_FILE
from workloads.traces.tally import Tally


@dataclass(frozen=True)
class Header:
    """`n_slots` is the highest slot + 1; `span_ns` first and last time or None; digests are of decoded data.
    `slots_digest` is there when the slots were numbered anew and what they were called is kept, `memory_digest` when
    there are samples of the program's memory.

    `files` gives for each file of the folder the digest of its bytes: it finds damage even where the
    decoded data are the same. Empty for a trace in memory.
    """

    name: str
    page_size: int
    source: dict[str, Any]
    counts: dict[str, int]
    n_slots: int
    unique_pages: int
    content: bool
    span_ns: tuple[int, int] | None
    tasks: bool
    events_digest: str
    pages_digest: str
    slots_digest: str | None = None
    memory_digest: str | None = None
    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, tally: Tally, **rest: Any) -> Header:
        """Build a header from a tally of the events and the fields it does not know."""
        return cls(
            counts=dict(tally.counts),
            n_slots=tally.n_slots,
            span_ns=tally.span,
            tasks="task" in tally.columns,
            events_digest=tally.digest(),
            **rest,
        )

    @property
    def digest(self) -> str:
        """Digest of events, pages, original slots, memory and page size in hex; the same in memory and on disk."""
        parts = (self.page_size, self.events_digest, self.pages_digest, self.slots_digest, self.memory_digest)
        return digest_text(" ".join(str(part) for part in parts if part is not None))

    def check(self, tally: Tally, events_digest: str | None) -> None:
        """Raise TraceError unless all events, as they were counted and digested, are what the header promises.

        Without a digest only the counts are compared.
        """
        found = {
            "counts": tally.counts,
            "n_slots": tally.n_slots,
            "span_ns": tally.span,
            "tasks": "task" in tally.columns,
            "events_digest": self.events_digest if events_digest is None else events_digest,
        }
        for name, value in found.items():
            said = getattr(self, name)
            if value != said:
                raise TraceError.at(tally.file, name, f"is {value}, {HEADER_FILE} says {said}", REMEDY)

    def write(self, folder: Path) -> None:
        """Write `trace.json` into the folder; TraceError when a reader would refuse it."""
        optional = {"slots": self.slots_digest, "memory": self.memory_digest}
        there = {name: digest for name, digest in optional.items() if digest is not None}
        body = {
            "format": FORMAT,
            "name": self.name,
            "page_size": self.page_size,
            "source": self.source,
            "counts": self.counts,
            "n_slots": self.n_slots,
            "unique_pages": self.unique_pages,
            "content": self.content,
            "span_ns": list(self.span_ns) if self.span_ns else None,
            "tasks": self.tasks,
            "digests": {"events": self.events_digest, "pages": self.pages_digest, **there},
            "files": self.files,
        }
        header_file.write(folder / HEADER_FILE, body)

    @classmethod
    def read(cls, folder: Path) -> Header:
        """Read `trace.json`; TraceError when it is missing, unreadable, of another format, changed, or not sound."""
        body = header_file.read(folder / HEADER_FILE)
        counts = {kind: getattr(body.counts, f"{kind}_", 0) for kind in KINDS}
        return cls(
            name=body.name,
            page_size=body.page_size,
            source=body.source,
            counts=counts,
            n_slots=body.n_slots,
            unique_pages=body.unique_pages,
            content=body.content,
            span_ns=body.span_ns,
            tasks=body.tasks,
            events_digest=body.digests.events,
            pages_digest=body.digests.pages,
            slots_digest=body.digests.slots,
            memory_digest=body.digests.memory,
            files=body.files,
        )
