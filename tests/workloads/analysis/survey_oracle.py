"""What a survey finds, by plain dictionaries: slow and readable."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any, NamedTuple

from workloads.traces.events import COMPACT, FREE, IN, LOST, OUT, Events

SAMPLES = 500


class Content(NamedTuple):
    """What a page-out wrote."""

    event: int
    page_outs: int  # before it
    time: int
    task: int


class Naive:
    """All of it, in one loop."""

    def __init__(self, events: Events) -> None:
        n = len(events)
        held: dict[int, Content] = {}
        self.curve: list[tuple[int, int, int, int, int]] = []  # event, time, slots, page-outs, page-ins
        self.lifetimes: dict[str, list[tuple[int, int]]] = {"freed": [], "overwritten": [], "held": []}
        self.reuse: list[tuple[int, int]] = []
        read: set[Content] = set()
        self.slots: set[int] = set()
        self.pages: Counter[int] = Counter()
        tasks: dict[int, Counter[str]] = defaultdict(Counter)
        outs = ins = 0
        times = [0] * n if events.time_ns is None else events.time_ns.tolist()
        names = [0] * n if events.task is None else events.task.tolist()
        for i, (kind, slot, page) in enumerate(
            zip(events.kind.tolist(), events.slot.tolist(), events.page.tolist(), strict=True)
        ):
            mine = tasks[names[i]]
            mine["events"] += 1
            old = held.get(slot)
            if kind == IN:
                mine["page_ins"] += 1
                if old:
                    self.reuse.append((outs - old.page_outs - 1, times[i] - old.time))
                    read.add(old)
            if kind in (OUT, FREE, LOST) and old:
                end = "freed" if kind == FREE else "overwritten"
                self.lifetimes[end].append((i - old.event, times[i] - old.time))
                tasks[old.task]["live_end"] -= 1
                del held[slot]
            if kind == OUT:
                held[slot] = Content(i, outs, times[i], names[i])
                self.pages[page] += 1
                mine["live_end"] += 1
                mine["live_peak"] = max(mine["live_peak"], mine["live_end"])
            mine["frees"] += kind == FREE
            mine["page_outs"] += kind in (OUT, LOST)
            outs += kind in (OUT, LOST)
            ins += kind == IN
            if kind != COMPACT:
                self.slots.add(slot)
            self.curve.append((i, times[i], len(held), outs, ins))
        self.lifetimes["held"] = [(n - 1 - one.event, times[-1] - one.time) for one in held.values()]
        self.read_back = len(read)
        self.tasks = dict(tasks) if events.task is not None else {}

    def peak(self) -> tuple[int, int | None]:
        """Most slots, and the first event after which they are."""
        most = max((row[2] for row in self.curve), default=0)
        return most, next((row[0] for row in self.curve if row[2] == most), None) if most else None

    def mean(self) -> float | None:
        """By time, each count lasting until the next event, or by events where no time passes."""
        if not self.curve:
            return None
        lasted = self.curve[-1][1] - self.curve[0][1]
        if not lasted:
            return sum(row[2] for row in self.curve) / len(self.curve)
        pairs = zip(self.curve, self.curve[1:], strict=False)
        return sum(row[2] * (after[1] - row[1]) for row, after in pairs) / lasted

    def samples(self) -> list[tuple[int, int, int, int, int]]:
        """The rows of the curve that are kept."""
        every = max(1, len(self.curve) // SAMPLES)
        kept = {*range(every - 1, len(self.curve), every), self.peak()[1], len(self.curve) - 1}
        return [row for row in self.curve if row[0] in kept]


def rounded(value: int) -> int:
    """To 8 significant bits, downwards."""
    shift = max(0, value.bit_length() - 8)
    return value >> shift << shift


def buckets(values: list[int]) -> list[tuple[int, int]]:
    """Buckets by their least number, with counts."""
    return sorted(Counter(map(rounded, values)).items())


def percentile(values: list[int], percent: int) -> int | None:
    """By nearest rank."""
    return rounded(sorted(values)[max(1, math.ceil(len(values) * percent / 100)) - 1]) if values else None


def rows(frame: Any) -> list[tuple[Any, ...]]:
    """Of a data frame, as plain tuples."""
    return list(frame.itertuples(index=False, name=None))
