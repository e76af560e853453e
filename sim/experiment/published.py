"""Published codec times in the runs of a trace: each table of sizes scaled once for all runs that share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.errors import remark

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sim.experiment.jobs import Job
    from sim.timing.codec_costs import CodecCost, CodecCosts
    from workloads.traces.sizes import Sizes


class Published:
    """For one trace, of whose pages each is paged out `used` times."""

    def __init__(self, page_size: int, used: npt.NDArray[np.int64]) -> None:
        self.page_size, self.used = page_size, used
        self._scaled: dict[tuple[Any, ...], Sizes] = {}

    def times(self, job: Job, costs: CodecCosts | None, cpu_scale: float) -> dict[str, Any]:
        """Fields of a timed run. A remark names codecs, also of the frontend's own, that keep their times."""
        if costs is None or not job.frontend.pools:
            return {}
        tables = [self._one(sizes, costs, cpu_scale) for sizes in (job.sizes, *job.secondary)]
        there = job.sizes.meta["codec"] in costs.entries
        told = f"{costs.path.rpartition('/')[2]} (published)"
        return {"sizes": tables[0], "secondary": tuple(tables[1:]), "published": told if there else ""}

    def ends(self, job: Job, costs: CodecCosts | None) -> Iterator[tuple[CodecCost, CodecCosts]]:
        """Both ends of each range that the run depends on, and the costs with it."""
        if costs is not None and job.frontend.pools:
            yield from costs.varied([sizes.meta["codec"] for sizes in (job.sizes, *job.secondary)])

    def _one(self, sizes: Sizes, costs: CodecCosts, cpu_scale: float) -> Sizes:
        codec = sizes.meta["codec"]
        key = (codec, cpu_scale, costs.path, *(costs.entries.get(codec, {}).values()))
        if key not in self._scaled:
            if lacking := costs.lacks(codec):
                part = "" if len(lacking) > 1 else f" {lacking[0]}"
                remark(f"<codec_costs> {costs.path}: has no{part} times of {codec}, which keeps its own")
            self._scaled[key] = costs.scaled(sizes, self.used, self.page_size, cpu_scale)
        return self._scaled[key]
