"""The end of a recording: mm_stat of the device then, compared with the simulation's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocators.zspages.zsmalloc import Zsmalloc
from sim.errors import UserError
from sim.frontends.zram import Zram
from sim.plugins import COMPRESSORS
from sim.sizing.sizing import size_pages
from sim.validate.prediction import Prediction
from sim.validate.recorded import Report, quiet
from workloads.host.kernel import zsmalloc_chain
from workloads.host.mmstat import FIELDS, MmStat
from workloads.limits import check_slots
from workloads.traces.events import OUT, Events
from workloads.traces.sizes import Sizes
from workloads.traces.trace import Trace

HELD = ("orig_data_size", "compr_data_size", "mem_used_total")  # what must agree: all that the device holds
MAXIMA = ("mem_used_max", "huge_pages_since")  # what must agree when the program gave its pages back
TOLERANCE = 0.005
BLUR = 0.1  # share of a figure that others may have added, beyond which agreement tells little
FEW_PAGES = round(1 / TOLERANCE)  # of fewer, a single one is more than the tolerance
FOREIGN = ("page-outs of others", "page-outs of nobody known")  # what a recorder counted besides the program's
HEADER_SLOT = 0  # mkswap writes the header there before the recording begins


@dataclass(frozen=True)
class Ending:
    """mm_stat of the device and of the simulation after the last event.

    `others` is the most that pages of other programs may add to the kernel's figures; `left` how many pages of its
    own the program had on the device, `lost` how many page-outs went by without contents.
    """

    kernel: MmStat
    simulated: MmStat
    others: MmStat
    left: int
    lost: int

    def deviation(self, field: str) -> float:
        """How far the simulation is off, as a share of the kernel's figure, beyond what is others'."""
        kernel, simulated, others = (getattr(row, field) for row in (self.kernel, self.simulated, self.others))
        off = simulated - kernel
        off -= max(min(off, 0), -others)
        return off / kernel if kernel else float(off != 0)

    @property
    def held(self) -> tuple[str, ...]:
        """The fields that must agree: data and memory at the end, or the maxima if next to nothing is left."""
        return MAXIMA if self.left < FEW_PAGES else HELD

    @property
    def agrees(self) -> bool:
        """Whether the compared fields are within TOLERANCE."""
        return all(abs(self.deviation(field)) <= TOLERANCE for field in self.held)

    @property
    def blurred(self) -> tuple[str, ...]:
        """The compared fields to which others may have added more than BLUR of them."""
        return tuple(field for field in self.held if getattr(self.others, field) > BLUR * getattr(self.kernel, field))

    def rows(self) -> list[dict[str, Any]]:
        """A row per field."""
        columns = {"kernel": self.kernel, "simulated": self.simulated, "others": self.others}
        return [
            {
                "field": field,
                **{name: getattr(row, field) for name, row in columns.items()},
                "deviation": round(self.deviation(field), 5),
            }
            for field in FIELDS
        ]


def compare_ending(trace: Trace, chain: int | None = None, report: Report = quiet) -> Ending:
    """Replay a recorded trace through the exact zram, and compare the end with the mm_stat in the trace's source.

    `chain` is the longest zspage, by default the running kernel's. The swap header that lay on the device before is
    put there first; if more lay there, all of it is taken for others'. Raises UserError for a trace that says nothing
    of its device, and for a sample.
    """
    source = trace.source
    if "sample" in source:
        raise UserError(f"{trace.name}: a sample has no ending of its own; give the whole recording")
    kernel, before = (_mm_stat(trace, source.get(key)) for key in ("mm_stat", "mm_stat_before"))
    codec = COMPRESSORS.make(str(source.get("algorithm")))
    with report(f"{codec.spec} on {trace.name}") as done:
        sizes = size_pages(trace, codec, progress=done)
    pages_before = before.orig_data_size // trace.page_size
    header = pages_before == 1
    others_before = pages_before - header
    check_slots(trace.path or trace.name, trace.n_slots)
    allocator = Zsmalloc(chain=zsmalloc_chain() if chain is None else chain, page_size=trace.page_size)
    prediction = Prediction(
        max(trace.n_slots, HEADER_SLOT + 1),
        _joined(sizes, Sizes.given([min(before.compr_data_size, trace.page_size)])),
        allocator,
        Zram(zeros_apart=True),
    )
    if header:
        prediction.apply(Events.of([OUT], [HEADER_SLOT], [len(sizes)]))
    done_events = 0
    with report(f"replaying {trace.name}") as done:
        for events in trace.batches():
            prediction.apply(events)
            done_events += len(events)
            done(done_events, trace.n_events)
    zeros, others = (_count(trace, source.get(key, 0), key) for key in ("zero_pages_on_device", "pages_of_others"))
    others += others_before
    simulated = _since(before, _with_zeros(prediction.mm_stat(), zeros, trace.page_size))
    held = max(simulated.orig_data_size, kernel.orig_data_size - others * trace.page_size)
    left = held // trace.page_size - header
    ever = max(others, others_before + _passed(trace))
    return Ending(kernel, simulated, _of_others(others, ever, allocator), left, trace.counts["lost"])


def _passed(trace: Trace) -> int:
    """How many page-outs the recorder took for others'."""
    said = trace.source.get("decided")
    decided = said if isinstance(said, Mapping) else {}
    return sum(_count(trace, decided.get(key, 0), key) for key in FOREIGN)


def _of_others(others: int, ever: int, allocator: Zsmalloc) -> MmStat:
    """The most that pages of other programs can have added: `others` of them at the end, `ever` since the beginning.

    One takes a page at most, and may have begun a zspage of the longest kind in each size class. What has gone since
    may have left gaps as large, in zspages that hold the program's pages too.
    """
    there = others * allocator.page_size
    memory = (ever + min(ever, len(allocator.classes)) * allocator.chain) * allocator.page_size
    return MmStat(
        orig_data_size=there,
        compr_data_size=there,
        mem_used_total=memory,
        mem_limit=0,
        mem_used_max=memory,
        same_pages=others,
        pages_compacted=0,
        huge_pages=others,
        huge_pages_since=ever,
    )


def _since(before: MmStat, simulated: MmStat) -> MmStat:
    """What counts from the device's beginning, before the trace's, on."""
    return simulated._replace(
        mem_used_max=max(simulated.mem_used_max, before.mem_used_max),
        huge_pages_since=simulated.huge_pages_since + before.huge_pages_since,
    )


def _with_zeros(simulated: MmStat, pages: int, page_size: int) -> MmStat:
    """Swap keeps pages of zeros from the device, but not those in a large folio that is not all zeros.

    The trace does not tell the two apart; the recorder says how many of the latter lay on the device at the end.
    """
    return simulated._replace(
        orig_data_size=simulated.orig_data_size + pages * page_size, same_pages=simulated.same_pages + pages
    )


def _mm_stat(trace: Trace, said: object) -> MmStat:
    if not isinstance(said, Mapping) or set(said) != set(FIELDS):
        raise UserError(f"{trace.name}: does not say what mm_stat was at its end; give a trace that cswap record made")
    return MmStat(**{field: _count(trace, said[field], field) for field in FIELDS})


def _count(trace: Trace, said: object, key: str) -> int:
    """A count in a trace's source, which may say anything."""
    if not isinstance(said, int) or isinstance(said, bool) or not 0 <= said < 1 << 62:
        raise UserError(f"{trace.name}: says {key} {str(said)[:40]!r}, no count; give a trace that cswap record made")
    return said


def _joined(sizes: Sizes, more: Sizes) -> Sizes:
    columns = {name: np.concatenate([c, more.columns()[name]]) for name, c in sizes.columns().items()}
    return Sizes(**columns, meta=sizes.meta)
