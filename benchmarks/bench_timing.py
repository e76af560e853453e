"""Timed runs end to end, from a trace on disk to latencies: operations a second and peak memory, on one core.

Run `python benchmarks/bench_timing.py [EVENTS]...`; 100,000 and 1 million by default (10 million takes minutes).
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = [int(text) for text in sys.argv[1:] if text.isdigit()] or [100_000, 1_000_000]

MAKE = """
import sys
import numpy as np
from workloads import Trace
from workloads.traces.events import OUT, Events, concat
from workloads.traces.store import save_trace
from sim.plugins import GENERATORS
events = int(sys.argv[1])
# Pages with contents, so that lz4 has times for them; the events of a long trace share them.
pages = GENERATORS.find("random")(events=40_000, slots=8_000, pages=8_000).trace()
joined = concat(list(GENERATORS.find("bimodal")(events=events, slots=min(200_000, events // 10)).trace().batches()))
page = np.where(joined.kind == OUT, joined.page % pages.unique_pages, -1).astype(np.int32)
timed = Events(joined.kind, joined.slot, page, time_ns=np.arange(len(joined)) * 10_000)
save_trace(Trace.from_arrays("long", timed, pages.page_array(0, pages.unique_pages)), sys.argv[2])
"""


def main() -> None:
    """Each size in a process of its own: only its run's memory counts."""
    for events in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "long.cswap")
            subprocess.run([sys.executable, "-c", MAKE, str(events), path], check=True)
            subprocess.run([sys.executable, __file__, "--measure", path], check=True)


def measure(path: str) -> None:
    """Time every kind of arrivals once; prints a line each."""
    from sim.plugins import COMPRESSORS, FRONTENDS, make_allocator
    from sim.sizing.sizing import size_pages
    from sim.timing.setting import ARRIVALS, Setting
    from sim.timing.simulate import simulate
    from workloads import open_sample, open_trace

    trace = open_trace(path)
    sizes = size_pages(trace, COMPRESSORS.make("lz4"))
    small = open_sample("gcc")
    simulate(
        small, size_pages(small, COMPRESSORS.make("lz4")), FRONTENDS.make("zram"), make_allocator("zsmalloc"), Setting()
    )
    for arrivals in ARRIVALS:
        began, cpu = time.perf_counter(), time.process_time()
        setting = Setting(cpus=2, arrivals=arrivals)
        timed = simulate(trace, sizes, FRONTENDS.make("zram"), make_allocator("zsmalloc"), setting)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        done = timed.counters["operations"]
        print(
            f"{arrivals}: {done:,} operations on 2 CPUs, lz4, in {cpu:.2f} s of one core ({done / cpu:,.0f} a second), "
            f"{seconds:.2f} s in all, "
            f"peak memory so far {peak:.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    measure(sys.argv[2]) if sys.argv[1:2] == ["--measure"] else main()
