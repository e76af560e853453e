"""The end of a recording: what the device said of itself then, and what the trace gives in the simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocators.zsmalloc import Zsmalloc
from sim.compressors.registry import compressor
from sim.errors import UserError
from sim.frontends.zram import Zram
from sim.sizing import size_pages
from sim.validate.prediction import Prediction
from sim.validate.recorded import Report, quiet
from workloads.events import OUT, Events
from workloads.host.kernel import zsmalloc_chain
from workloads.host.mmstat import FIELDS, MmStat
from workloads.sizes import Sizes
from workloads.trace import Trace

HELD = ("orig_data_size", "compr_data_size", "mem_used_total")  # what must agree: all that the device holds
TOLERANCE = 0.005
HEADER_SLOT = 0  # mkswap writes the header there before the recording begins


@dataclass(frozen=True)
class Ending:
    """mm_stat of the device and of the simulation after the last event."""

    kernel: MmStat
    simulated: MmStat

    def deviation(self, field: str) -> float:
        """How far the simulation is off, as a share of the kernel's figure."""
        kernel, simulated = getattr(self.kernel, field), getattr(self.simulated, field)
        return (simulated - kernel) / kernel if kernel else float(simulated != kernel)

    @property
    def agrees(self) -> bool:
        """Whether what is held is within TOLERANCE: data before and after compression, and memory."""
        return all(abs(self.deviation(field)) <= TOLERANCE for field in HELD)

    def rows(self) -> list[dict[str, Any]]:
        """A row a field."""
        fields = [(field, getattr(self.kernel, field), getattr(self.simulated, field)) for field in FIELDS]
        return [
            {"field": field, "kernel": kernel, "simulated": simulated, "deviation": round(self.deviation(field), 5)}
            for field, kernel, simulated in fields
        ]


def compare_ending(trace: Trace, chain: int | None = None, report: Report = quiet) -> Ending:
    """Replay a recorded trace through the exact zram, and hold the end against the mm_stat in the trace's source.

    `chain` is the longest zspage, by default the running kernel's. The swap header that lay on the device before is
    put there first. Raises UserError for a trace that says nothing of its device.
    """
    source = trace.source
    kernel, before = (_mm_stat(trace, source.get(key)) for key in ("mm_stat", "mm_stat_before"))
    codec = compressor(str(source.get("algorithm")))
    with report(f"{codec.spec} on {trace.name}") as done:
        sizes = size_pages(trace, codec, progress=done)
    header = Sizes.given([before.compr_data_size])
    prediction = Prediction(
        max(trace.n_slots, HEADER_SLOT + 1),
        _joined(sizes, header),
        Zsmalloc(chain=zsmalloc_chain() if chain is None else chain, page_size=trace.page_size),
        Zram(zeros_apart=True),
    )
    if before.orig_data_size:
        prediction.apply(Events.of([OUT], [HEADER_SLOT], [len(sizes)]))
    done_events = 0
    with report(f"replaying {trace.name}") as done:
        for events in trace.batches():
            prediction.apply(events)
            done_events += len(events)
            done(done_events, trace.n_events)
    zeros = int(source.get("zero_pages_on_device", 0))
    return Ending(kernel, _with_zeros(prediction.mm_stat(), zeros, trace.page_size))


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
    return MmStat(**said)


def _joined(sizes: Sizes, more: Sizes) -> Sizes:
    columns = {name: np.concatenate([c, more.columns()[name]]) for name, c in sizes.columns().items()}
    return Sizes(**columns, meta=sizes.meta)
