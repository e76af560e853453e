"""What blkparse prints of a blktrace."""

from __future__ import annotations

import re
from functools import cache
from typing import ClassVar

from workloads.readers.blockevents import RANGE, TIME, BlockEvents
from workloads.readers.input import Head

BEGIN = rb"[ \t]*(?:\d+,\d+) +\d+ +\d+ +"
EVENT = re.compile(BEGIN + TIME + rb" +\d+ +[A-Z]{1,2}(?: +[A-Z]+)? +\S|" + BEGIN + TIME + rb" +\d+ +[mP-U]\b")
DEVICE = re.compile(rb"[ \t]*\d+,\d*(?: |$)")
SKIPS = re.compile(rb"Skips: *\d+ forward \( *(\d+)")


class Blkparse(BlockEvents):
    """`blkparse -i NAME` in its own format, with the summary at the end or without."""

    name: ClassVar[str] = "blkparse"
    title: ClassVar[str] = "requests of a block device, as blkparse prints them"
    actions: ClassVar[tuple[bytes, ...]] = (b"Q", b"I", b"D", b"C")

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By a line of an event among the first ones."""
        return any(EVENT.match(line) for line in head.lines[:1000])

    @classmethod
    @cache
    def pattern(cls, action: bytes) -> re.Pattern[bytes]:
        """See `BlockEvents.pattern`."""
        begin = rb"[ \t]*(\d+,\d+) +\d+ +\d+ +" + TIME + rb" +(\d{1,9}) +" + action + rb" +([A-Z]+) "
        end = rb" *" + RANGE + rb"(?:\d+ )?(?:\([^\n]*\) )?\[[^\n]*\][ \t\r]*$"
        return re.compile(rb"^(?:" + begin + end + rb"|([^\n]*))", re.MULTILINE)

    @classmethod
    def damaged(cls, line: bytes, action: bytes) -> bool:
        """See `BlockEvents.damaged`."""
        if not DEVICE.match(line):
            return False
        fields = line.split(None, 7)
        if len(fields) < 6 or fields[5] != action:
            return EVENT.match(line) is None
        return len(fields) < 7 or any(letter in fields[6] for letter in (b"R", b"W", b"D")) or fields[6][:1] == b"["

    @classmethod
    def lost(cls, line: bytes) -> int:
        """See `BlockEvents.lost`."""
        found = SKIPS.match(line)
        return int(found[1]) if found else 0
