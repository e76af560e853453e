"""The setting of one timed run: everything but the costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.errors import FieldError, meant
from sim.parameters import is_number
from sim.plugins import MAPPINGS

if TYPE_CHECKING:
    from sim.timing.mapping import Mapping

ARRIVALS = ("closed", "recorded", "saturate")
FIELDS = {"load": "loads", "page_cluster": "page_clusters", "streams": "max_comp_streams"}  # of an experiment
FACTORS = {"load": (1e-6, 1e6), "cpu_scale": (1e-3, 1e3)}  # least and most that still say something
MOST_CLUSTER = 10  # as much as the kernel's page-cluster may sensibly be: 4 MiB at a fault


@dataclass(frozen=True)
class Setting:
    """One point of the timing stage's parameters. Raises UserError for a value that makes no sense.

    `mapping`: how objects that span pages are reached (`sim.timing.mapping`). `cpus`: processors. `arrivals`:
    "recorded" (each event at its recorded time, divided by `load`), "closed" (a task's next event comes after its last
    one has ended, plus its recorded think time divided by `load`) or "saturate" (every CPU takes the next event of the
    trace as soon as it has ended one). `device`: the swap device behind the frontend (`sim.timing.devices`).
    `page_cluster` n: a page-in reads the aligned window of 2**n slots. `cpu_scale`: factor on
    measured CPU times. `streams`: compression streams, None as many as the frontend has (one per CPU). `seed`: of the
    device's service times.
    """

    mapping: str | Mapping = "copy"
    cpus: int = 2
    arrivals: str = "closed"
    load: float = 1.0
    device: str = "nvme"
    page_cluster: int = 0
    cpu_scale: float = 1.0
    streams: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        from sim.timing.devices import read_device

        for name, least, most in (("cpus", 1, 4096), ("page_cluster", 0, MOST_CLUSTER), ("streams", 1, 4096)):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
            if not whole and (name, value) != ("streams", None):
                told = f"<{FIELDS.get(name, name)}>={{!r}}; give a whole number from {least} to {most}"
                raise FieldError("timing", told, value)
        for name, ends in FACTORS.items():
            check_factor(FIELDS.get(name, name), getattr(self, name), *ends)
        if self.arrivals not in ARRIVALS:
            wrong = f"unknown arrivals {self.arrivals!r}{meant(str(self.arrivals), ARRIVALS)}"
            raise FieldError("timing", "<arrivals>: {}; known are {}", wrong, ", ".join(ARRIVALS))
        MAPPINGS.make(self.mapping)
        read_device(self.device)

    def columns(self) -> dict[str, Any]:
        """The columns of the `latency` frame that tell settings apart; a device's file without its folders."""
        return {
            "mapping": MAPPINGS.make(self.mapping).spec,
            "cpus": self.cpus,
            "arrivals": self.arrivals,
            "load": float(self.load),
            "device": self.device.rpartition("/")[2],
            "page_cluster": self.page_cluster,
        }


def check_factor(field: str, value: Any, least: float, most: float) -> None:
    """Raises FieldError for what is no number from `least` to `most`."""
    if not is_number(value) or not least <= value <= most:
        raise FieldError("timing", f"<{field}>={{!r}}; give a number from {least:g} to {most:.0f}", value)
