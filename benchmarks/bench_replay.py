"""Replay of a long trace without contents: events a second and peak memory, for one allocator, from a folder on disk.

Run `python benchmarks/bench_replay.py [EVENTS]`; 10 million by default.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EVENTS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000

MAKE = """
import sys
from workloads.traces.store import save_trace
from sim.plugins import GENERATORS
save_trace(GENERATORS.find("bimodal")(events=int(sys.argv[1]), slots=200_000).trace(), sys.argv[2])
"""


def replay(folder: str) -> None:
    """Replay once to compile, then measure; prints one line."""
    from sim.plugins import ALLOCATORS, COMPRESSORS, FRONTENDS
    from sim.replay.replay import compile_for, replay
    from sim.results.density import DensityMeter
    from sim.sizing.sizing import size_pages
    from workloads import open_trace

    trace = open_trace(folder)
    sizes = size_pages(trace, COMPRESSORS.make("lz4-lib"))
    for frontend in ("raw", "zram"):
        allocator = ALLOCATORS.find("zsmalloc")()
        compile_for(FRONTENDS.make(frontend), allocator)
        meter = DensityMeter(trace.n_events, trace.page_size, trace.fullest)
        began = time.perf_counter()
        for events, outcome in replay(trace, sizes, FRONTENDS.make(frontend), allocator):
            meter.add(events, outcome)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rate = trace.n_events / seconds / 1e6
        print(
            f"{frontend}: {trace.n_events:,} events in {seconds:.2f} s ({rate:.1f} M/s with reading and metering), "
            f"peak memory so far {peak:.0f} MiB, density {meter.row()['density']:.3f}"
        )


def main() -> None:
    if len(sys.argv) > 2:
        replay(sys.argv[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "long.cswap")
        # The trace is made in a process of its own: only the replay's memory counts.
        subprocess.run([sys.executable, "-c", MAKE, str(EVENTS), path], check=True, env=os.environ)
        subprocess.run([sys.executable, __file__, str(EVENTS), path], check=True, env=os.environ)


if __name__ == "__main__":
    main()
