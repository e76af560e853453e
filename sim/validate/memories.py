"""Recordings of a program, by the memory in which they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from sim.errors import UserError
from sim.plugins import COMPRESSORS
from workloads.traces.sizes import GIVEN
from workloads.traces.source import is_size
from workloads.traces.trace import Trace

FULL = 0.985  # share of the limit in use: reclaim is under way
REMEDY = "record it with cswap record --limit, or strip it with --keep-source"


@dataclass(frozen=True)
class Recording:
    """The recordings of a program in a memory of `size` bytes: its own, or `shared` with a pool by `codec`."""

    size: int
    traces: tuple[Trace, ...]
    shared: bool
    codec: str

    def mean(self, kind: str) -> float:
        """Events of a kind, on average over the recordings."""
        return fmean(trace.counts[kind] for trace in self.traces)

    @property
    def least(self) -> int:
        """Bytes that the program had at the least: all, unless recordings say how little a pool left it."""
        told = [_told(trace, "limits", "min") for trace in self.traces if self.shared]
        return min([self.size, *(size for size in told if is_size(size))])

    @property
    def others(self) -> int | None:
        """Bytes that files and the kernel took while memory was full, on average; None if a recording does not say."""
        found = [others_of(trace) for trace in self.traces]
        known = [value for value in found if value is not None]
        return round(fmean(known)) if len(known) == len(found) else None

    @property
    def pool_peak(self) -> int | None:
        """Most pages that the pool held, on average over the recordings; None if one does not say."""
        found = [_told(trace, "mm_stat", "mem_used_max") for trace in self.traces]
        known = [value // trace.page_size for value, trace in zip(found, self.traces, strict=True) if is_size(value)]
        return round(fmean(known)) if len(known) == len(found) else None


def recordings(traces: Sequence[Trace]) -> list[Recording]:
    """Group traces by the memory in which they were recorded: the program's alone, then those shared; ascending.

    Raises UserError for a trace that does not tell it, for one of another program, and if nothing can be predicted.
    """
    groups: dict[tuple[bool, int, str], list[Trace]] = {}
    for trace in traces:
        groups.setdefault(memory_of(trace), []).append(trace)
        for word, one, other in (
            ("program", trace.source.get("command"), traces[0].source.get("command")),
            ("page size", trace.page_size, traces[0].page_size),
        ):
            if one is not None and other is not None and one != other:
                raise UserError(
                    f"{place_of(trace)}: another {word} than in {place_of(traces[0])}; compare one program's"
                )
    found = [Recording(key[1], tuple(groups[key]), key[0], key[2]) for key in sorted(groups)]
    if not list(pairs(found)):
        codecs = {group.codec for group in found if group.shared}
        sizes = f", with contents or the sizes by {' and '.join(sorted(codecs))}" if codecs else ""
        raise UserError(
            f"{place_of(traces[0])}: nothing to predict from: give a recording made with a smaller --limit than "
            f"another{sizes}"
        )
    return found


def pairs(found: Sequence[Recording]) -> Iterator[tuple[Recording, Recording]]:
    """Each memory of the program's alone, and each in which it always had more, with a pool of known sizes if any."""
    alone = [group for group in found if not group.shared]
    return (
        (smaller, larger)
        for smaller in alone
        for larger in found
        if smaller.size < larger.least and (not larger.shared or all(_sized(each, larger) for each in smaller.traces))
    )


def _sized(trace: Trace, larger: Recording) -> bool:
    codec = COMPRESSORS.make(larger.codec).spec
    return trace.content or trace.sizes(GIVEN) is not None or codec in trace.sizes_codecs()


def memory_of(trace: Trace) -> tuple[bool, int, str]:
    """Whether a pool shared it, its bytes, and the codec."""
    source = trace.source
    for shared, key in ((False, "limit"), (True, "ram")):
        size = source.get(key)
        if source.get("kind") == "recording" and is_size(size):
            return shared, size, str(source.get("algorithm")) if shared else ""
    raise UserError(f"{place_of(trace)}: does not tell in how much memory it was recorded; {REMEDY}")


def others_of(trace: Trace) -> int | None:
    """Bytes that files and the kernel took while memory was full, on average over the samples then."""
    frame = trace.memory
    if frame is None or not {"limit", "used", "anon"} <= set(frame.columns):
        return None
    full = frame[frame["used"] >= FULL * frame["limit"]]
    if full.empty:
        return None
    swapped = full["anon"] + (full["shmem"] if "shmem" in full.columns else 0)
    return max(0, round(float((full["used"] - swapped).mean())))


def _told(trace: Trace, table: str, key: str) -> Any:
    """What a table in the source says, if it is one."""
    said = trace.source.get(table)
    return said.get(key) if isinstance(said, Mapping) else None


def place_of(trace: Trace) -> str:
    """What an error calls a trace."""
    return str(trace.path or trace.name)
