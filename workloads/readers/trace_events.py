"""Block events of the kernel's tracing, as ftrace, trace-cmd report and perf script print them."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar

from workloads.readers.blockevents import RANGE, TIME, BlockEvents
from workloads.readers.input import Head

NAMES = (b"block_bio_queue", b"block_rq_insert", b"block_rq_issue", b"block_rq_complete")
BEGIN = rb"[^\n]{1,60}?[- ](\d{1,9})(?:/\d+)? +(?:\([ \d-]+\) +)?\[\d+\] +(?:\S{3,6} +)?"
EVENT = re.compile(BEGIN + TIME + rb": +(?:block:|vmscan:)?(?:block_|mm_vmscan_write_)\w+: ")
CUT = re.compile(rb"[^\n]{1,60}?[- ]\d+ +\[\d+\](?![^\n]*\d: *\S)")
LOST = re.compile(rb"CPU:\d+ \[(?:LOST )?(\d+) EVENTS|.*PERF_RECORD_LOST lost (\d+)")


class TraceEvents(BlockEvents):
    """Lines of `block_bio_queue`, or of `block_rq_insert`, `block_rq_issue` or `block_rq_complete`."""

    name: ClassVar[str] = "trace-events"
    title: ClassVar[str] = "block events, as ftrace, trace-cmd report and perf script print them"
    actions: ClassVar[tuple[bytes, ...]] = NAMES

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By a line of an event among the first ones."""
        return any(EVENT.match(line) for line in head.lines[:1000])

    @classmethod
    @cache
    def pattern(cls, action: bytes) -> re.Pattern[bytes]:
        """See `BlockEvents.pattern`."""
        head = BEGIN.replace(rb"(\d{1,9})", rb"(?P<pid>\d{1,9})")
        begin = head + TIME + rb": +(?:block:)?" + action + rb": +(\d+,\d+) ([A-Z]+) "
        end = rb"(?:(?:\d+ )?\([^)\n]*\) )?" + RANGE + rb"(?:\S+ )?\[[^\n]*\][ \t\r]*$"
        return re.compile(rb"^(?:" + begin + end + rb"|([^\n]*))", re.MULTILINE)

    @classmethod
    def rows(cls, found: list[tuple[bytes, ...]]) -> list[tuple[bytes, ...]]:
        """The groups in the order of `Line`."""
        return [(d, s, f, t, *rest) for t, s, f, d, *rest in found]

    @classmethod
    def damaged(cls, line: bytes, action: bytes) -> bool:
        """See `BlockEvents.damaged`."""
        return action + b":" in line or CUT.match(line) is not None

    @classmethod
    def lost(cls, line: bytes) -> int:
        """See `BlockEvents.lost`."""
        found = LOST.match(line)
        return int(found[1] or found[2]) if found else 0

    def remedy(self) -> str:
        """See `BlockEvents.remedy`."""
        return "record block:block_bio_queue; mm_vmscan_write_folio carries no slot"
