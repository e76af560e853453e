"""Events of the block layer as ftrace, trace-cmd and perf print them."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar

from workloads.readers.blockevents import END, RANGE, TIME, BlockEvents
from workloads.readers.input import Head

# ftrace has NAME-PID [CPU] FLAGS TIME:, perhaps (TGID); trace-cmd no flags before 3.2, perhaps BUFFER: in front; perf
# NAME PID or NAME PID/TID, perhaps no CPU, and the event's system in front of it. Names may hold anything.
GAP = rb"[ \t]{1,40}"
BEGIN = rb"[^\n]{0,99}?[- \t](\d{1,10})(?:/\d+)?" + GAP + rb"(?:\([ \d-]{1,20}\)" + GAP + rb")?"
BEGIN += rb"(?:\[\d+\]" + GAP + rb")?(?:[^\s:\[]{1,8}" + GAP + rb")?" + TIME + rb":" + GAP
BEGIN += rb"(?:\d+" + GAP + rb")?"
EVENT = re.compile(BEGIN + rb"\w+:")
CUT = re.compile(rb"[^\n]{0,99}?[- \t]\d+[ \t]{1,40}\[\d{3,}\](?![^\n]*\d:[ \t]*\S)")
LOST = re.compile(rb"[ \t]*CPU:\d+ \[(?:LOST )?(\d+) EVENTS(?: DROPPED)?\]|.*?\bPERF_RECORD_LOST\b.*?\b(\d+)[ \t]*$")
WRITTEN = re.compile(rb"# entries-in-buffer/entries-written: (\d+)/(\d+)")
LOOKED = 1000  # lines that the format is told by


class TraceEvents(BlockEvents):
    """Text of tracefs' `trace` or `trace_pipe`, of `trace-cmd report`, of `perf script`, with `block_bio_queue`, or,
    for devices that have requests, `block_rq_issue`, `block_rq_insert` or `block_rq_complete`.

    Requests may be issued without having been inserted into a scheduler's queue. No event of Linux tells a swap slot:
    those of swap itself (`mm_vmscan_write_folio`) tell pages, which cannot pair a page-in with its page-out.
    """

    name: ClassVar[str] = "trace-events"
    title: ClassVar[str] = "requests of a block device, as ftrace, trace-cmd or perf print them"
    actions: ClassVar[tuple[bytes, ...]] = (
        b"block_bio_queue",
        b"block_rq_issue",
        b"block_rq_insert",
        b"block_rq_complete",
    )
    nothing: ClassVar[tuple[str, str]] = (
        "there are no reads or writes of a block device; events of swap itself tell no slots",
        "record block:block_bio_queue of the swap device (perf record -e, trace-cmd record -e, or tracefs)",
    )
    device_at: ClassVar[int] = 3
    task_at: ClassVar[int] = 0

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By a line of any event, or the header of a tracer."""
        lines = head.lines[:LOOKED]
        return lines[:1] == [b"# tracer: nop"] or any(EVENT.match(line) for line in lines)

    @classmethod
    @cache
    def pattern(cls, action: bytes) -> re.Pattern[bytes]:
        """See `BlockEvents.pattern`."""
        bytes_and_command = rb"" if action == b"block_bio_queue" else rb"(?:\d+ )?\([^\n)]{0,99}\) "
        request = rb"(\d{1,4},\d{1,7}) ([A-Z]{1,8}) " + bytes_and_command + RANGE + rb"(?:[\w,-]+ )?" + END
        return re.compile(
            rb"^(?:(?>" + BEGIN + rb")(?:block:)?" + action + rb":" + GAP + request + rb"|([^\n]*))", re.MULTILINE
        )

    @classmethod
    def damaged(cls, line: bytes, action: bytes) -> bool:
        """See `BlockEvents.damaged`."""
        return not line.startswith(b"#") and (action + b":" in line or CUT.match(line) is not None)

    @classmethod
    def lost(cls, line: bytes) -> int:
        """See `BlockEvents.lost`: those of a line, or of a buffer that was overwritten."""
        if line.startswith(b"#"):
            buffer = WRITTEN.match(line)
            return max(int(buffer[2]) - int(buffer[1]), 0) if buffer else 0
        found = LOST.match(line) if b"LOST" in line or b"DROPPED" in line else None
        return int(found[1] or found[2]) if found else 0
