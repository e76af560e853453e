"""The closed loop beside the open replay, in one run: events a second, and a curve of 13 sizes by two codecs.

Run `python benchmarks/bench_ram.py`. The trace is the recording gcc; the curve is that of a trace twice as long.
"""

import time
from collections.abc import Iterable
from typing import Any

from sim.plugins import COMPRESSORS, FRONTENDS, POLICIES, make_allocator
from sim.ram.closed import Capacity, closed_replay
from sim.replay.replay import replay
from sim.sizing.sizing import size_pages
from workloads import open_recording
from workloads.traces.together import together

REPEATS = 5
MIB_PAGES = 256


def seconds(running: Iterable[Any]) -> float:
    began = time.perf_counter()
    for _ in running:
        pass
    return time.perf_counter() - began


def main() -> None:
    trace = open_recording("gcc")
    sizes = size_pages(trace, COMPRESSORS.make("lz4"))

    def begun(of: Any = trace, table: Any = sizes) -> Any:
        return replay(of, table, FRONTENDS.make("zram"), make_allocator("zsmalloc"))

    def closed(policy: str, mib: int) -> Any:
        return closed_replay(begun(), Capacity(mib * MIB_PAGES, 440 * MIB_PAGES, POLICIES.make(policy), shared=True))

    seconds(begun())
    best = min(seconds(begun()) for _ in range(REPEATS))
    print(f"open: {trace.n_events / best / 1e6:.1f} M events a second")
    for policy in POLICIES.names():
        seconds(closed(policy, 500))
        rates = {mib: best / min(seconds(closed(policy, mib)) for _ in range(REPEATS)) for mib in (440, 500, 560)}
        told = ", ".join(f"{rate:.2f} at {mib} MiB" for mib, rate in rates.items())
        print(f"closed, {policy}: of the open rate {told}")
    both = together([trace, trace])
    began = time.perf_counter()
    for codec in ("lz4", "zstd:level=3"):
        table = both.sizes(codec)
        for mib in range(880, 1140, 20):
            policy = POLICIES.make("lru")
            seconds(closed_replay(begun(both, table), Capacity(mib * MIB_PAGES, 880 * MIB_PAGES, policy, shared=True)))
    print(f"13 sizes by 2 codecs over {both.n_events:,} events: {time.perf_counter() - began:.2f} s")


if __name__ == "__main__":
    main()
