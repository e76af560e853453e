"""The header of a trace: all that is known without reading its events; `trace.json` on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workloads.errors import TraceError
from workloads.events import KINDS
from workloads.tally import DIGEST_BYTES, Tally

FORMAT = 1
HEADER_FILE = "trace.json"


@dataclass(frozen=True)
class Header:
    """`n_slots` is the highest slot + 1; `span_ns` first and last time or None; digests are of decoded data.

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
        """Digest of events, pages and page size in hex; the same in memory and on disk."""
        return digest_text(f"{self.page_size} {self.events_digest} {self.pages_digest}")

    def write(self, folder: Path) -> None:
        """Write `trace.json` into the folder."""
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
            "digests": {"events": self.events_digest, "pages": self.pages_digest},
            "files": self.files,
        }
        body["check"] = _check(body)
        (folder / HEADER_FILE).write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Header:
        """Read `trace.json`; TraceError when it is missing, unreadable, of another format, or was changed."""
        path = folder / HEADER_FILE
        if not path.is_file():
            raise TraceError.at(path, "file", "is missing", "give the folder NAME.cswap of a trace")
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise TraceError.at(path, "JSON", f"cannot be read ({error})", "restore the file") from error
        if not isinstance(body, dict) or body.get("format") != FORMAT:
            version = body.get("format") if isinstance(body, dict) else None
            raise TraceError.at(
                path, "format", f"is {version!r}, this cswap reads {FORMAT}", "use the release that wrote it"
            )
        check = body.pop("check", None)
        if check != _check(body):
            raise TraceError.at(path, "check", "does not match the rest of the file", "restore the file")
        try:
            return cls._from_body(body)
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError.at(path, "fields", f"missing or wrong: {error}", "restore the file") from error

    @classmethod
    def _from_body(cls, body: dict[str, Any]) -> Header:
        span = body["span_ns"]
        return cls(
            name=str(body["name"]),
            page_size=int(body["page_size"]),
            source=dict(body["source"]),
            counts={kind: int(body["counts"].get(kind, 0)) for kind in KINDS},  # older traces know fewer kinds
            n_slots=int(body["n_slots"]),
            unique_pages=int(body["unique_pages"]),
            content=bool(body["content"]),
            span_ns=None if span is None else (int(span[0]), int(span[1])),
            tasks=bool(body["tasks"]),
            events_digest=str(body["digests"]["events"]),
            pages_digest=str(body["digests"]["pages"]),
            files=dict(body["files"]),
        )


def digest_text(text: str) -> str:
    """Return the digest of a text in hex."""
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).hexdigest()


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes in hex."""
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def _check(body: dict[str, Any]) -> str:
    return digest_text(json.dumps(body, sort_keys=True))
