"""Patterns: who writes, reads and frees which slots when. One more is a class and a line in this table."""

from __future__ import annotations

from workloads.generators.patterns.base import Pattern
from workloads.generators.patterns.discard import Discard
from workloads.generators.patterns.fork import Fork
from workloads.generators.patterns.growth import Growth
from workloads.generators.patterns.phases import Phases
from workloads.generators.patterns.queues import Fifo, Lifo
from workloads.generators.patterns.scan import Scan
from workloads.generators.patterns.zipf import Zipf

PATTERNS: dict[str, type[Pattern]] = {cls.name: cls for cls in (Zipf, Phases, Scan, Growth, Lifo, Fifo, Fork, Discard)}
