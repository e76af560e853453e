"""The setting of one timed run: everything but the prices."""

from __future__ import annotations

from dataclasses import dataclass

ARRIVALS = ("closed", "recorded", "saturate")


@dataclass(frozen=True)
class Setting:
    """One point of the timing stage's parameters.

    `mapping`: how objects that span pages are reached (`sim.timing.mapping`). `cpus`: processors. `arrivals`:
    "recorded" (each event at its recorded time, divided by `load`), "closed" (a task's next event comes after its last
    one has ended, plus its recorded think time divided by `load`) or "saturate" (every CPU takes the next event of the
    trace as soon as it has ended one). `device`: the swap device behind the frontend (`sim.timing.devices`).
    `page_cluster` n: a page-in reads the aligned window of 2**n slots. `cpu_scale`: CPU work takes so many times as
    long as measured. `streams`: compression streams, None as many as the frontend has (one a CPU). `seed`: of the
    device's service times.
    """

    mapping: str = "copy"
    cpus: int = 2
    arrivals: str = "closed"
    load: float = 1.0
    device: str = "nvme"
    page_cluster: int = 0
    cpu_scale: float = 1.0
    streams: int | None = None
    seed: int = 0
