"""The commands that are killed: what they read, what they write, and when that is whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sim.results.result import FRAMES, Result
from sim.timing.costs import read_costs
from workloads import TraceError, open_sample, sample_slots, save_trace, verify
from workloads.errors import HostError
from workloads.host.cgroup import require_cgroup
from workloads.host.zram import require_zram
from workloads.recorder.segments import folder_of

RESULT = {*(f"{name}.{kind}" for name in FRAMES for kind in ("csv", "parquet")), "density.png", "timeline.png"}
OLD, NEW = ("zsmalloc", "zbud"), ("ideal", "xvmalloc", "zsmalloc")  # allocators of the result before and after
PROGRAM = """
import time
m = bytearray(32 << 20)
for turn in range(2):
    for at in range(0, len(m), 4096): m[at : at + 9] = b"%9d" % (at + turn)
    time.sleep(0.3)
"""


@dataclass(frozen=True)
class Command:
    """`words`, run in a folder that `prepare` has filled; `whole(folder)` says what is wrong with what it wrote.

    `required` is what must be there at its end, and not before if it is to be `new`; `mend(folder)` are the commands
    its user runs before starting it again; a `live` one adds things to the kernel of this host.
    """

    words: list[str]
    prepare: Callable[[Path], object]
    whole: Callable[[Path], str]
    required: str
    new: bool = True
    mend: Callable[[Path], list[list[str]]] = lambda folder: []
    live: bool = False


def trace_in(folder: Path) -> Path:
    """A trace of a few hundred real pages, without sizes."""
    save_trace(sample_slots(open_sample("gcc"), 0.2, 0), folder / "t.cswap")
    return folder / "t.cswap"


def result_in(folder: Path) -> None:
    """An older result, and the trace."""
    from sim import Experiment, run

    result = run(Experiment((str(trace_in(folder)),), allocators=OLD, compressors=("lz4",)), workers=1)
    result.save(folder / "out")
    result.save_plots(folder / "out")


def csv_in(folder: Path) -> None:
    """A CSV and its pages."""
    pages = [b"%4096d" % i for i in range(4000)]
    (folder / "p.bin").write_bytes(b"".join(pages))
    rows = [f"{i},{'in' if i % 3 == 2 else 'out'},1,{i % 9000},{i % 4000}" for i in range(300_000)]
    (folder / "e.csv").write_text("\n".join(["ts_ns,kind,pid,slot,page", *rows, ""]))


def whole_trace(name: str) -> Callable[[Path], str]:
    """A trace is whole when it verifies; it may not be there."""

    def wrong(folder: Path) -> str:
        try:
            if (folder / name).exists():
                verify(folder / name)
        except TraceError as error:
            return str(error)
        return ""

    return wrong


def whole_result(*allocators: tuple[str, ...]) -> Callable[[Path], str]:
    """A result is whole when all its files are there, and of one of these runs; it may not be there."""

    def wrong(folder: Path) -> str:
        out = folder / "out"
        if not out.exists() or not any(out.iterdir()):
            return ""
        held = {path.name for path in out.iterdir()}
        if lacking := (RESULT | {"provenance.json"}) - held:
            return f"the result lacks {sorted(lacking)}"
        result = Result.load(out)
        for frame in (result.density, result.timeline):
            found = {spec.partition(":")[0] for spec in frame["allocator"]}
            if found not in [set(names) for names in allocators]:
                return f"a result of {sorted(found)}"
        return whole_trace("t.cswap")(folder)

    return wrong


def whole_costs(folder: Path) -> str:
    """Costs are whole when they can be read."""
    if (folder / "costs.toml").exists():
        read_costs(folder / "costs.toml")
    return ""


def rescued(folder: Path) -> list[list[str]]:
    """What is run after a recorder was killed."""
    cleanup = [["record", "cleanup"]]
    return [*cleanup, ["trace", "recover", "o.cswap"]] if segments(folder) else cleanup


def segments(folder: Path) -> bool:
    """Whether there is something to recover."""
    return any(folder_of(folder / "o.cswap").glob("[0-9]*.cswap"))


@cache
def not_live() -> str:
    """Why nothing can be added to the kernel of this host; empty if it can."""
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        return str(error)
    return ""


def record(*options: str, mode: Sequence[str] = (), live: bool = True) -> Command:
    """A recorder of a small program."""
    words = ["record", *mode, "-o", "o.cswap", *options, "--", sys.executable, "-c", PROGRAM]
    return Command(words, lambda folder: None, whole_trace("o.cswap"), "o.cswap", mend=rescued, live=live)


RUN = ["run", "t.cswap", *(word for name in NEW for word in ("-a", name)), "-c", "lz4"]
COMMANDS = {
    "run": Command([*RUN, "--out", "out"], trace_in, whole_result(NEW), "out", new=False),
    "run again": Command([*RUN, "--out", "out", "--force"], result_in, whole_result(OLD, NEW), "out", new=False),
    "sizing": Command(
        ["run", "t.cswap", "-a", "ideal", "-c", "zstd:level=19"], trace_in, whole_trace("t.cswap"), "t.cswap", new=False
    ),
    "plot": Command(["plot", "out"], result_in, whole_result(OLD), "out", new=False),
    "import": Command(
        ["import", "csv", "e.csv", "--pages", "p.bin", "-o", "o.cswap"], csv_in, whole_trace("o.cswap"), "o.cswap"
    ),
    "sample": Command(
        ["trace", "sample", "t.cswap", "--share", "0.9", "-o", "o.cswap"], trace_in, whole_trace("o.cswap"), "o.cswap"
    ),
    "strip": Command(
        ["trace", "strip", "t.cswap", "-c", "zstd:level=19", "-o", "o.cswap"],
        trace_in,
        whole_trace("o.cswap"),
        "o.cswap",
    ),
    "calibrate": Command(
        ["calibrate", "-o", "costs.toml", "-n", "50", "--processes", "1", "-c", "lz4"],
        lambda folder: None,
        whole_costs,
        "costs.toml",
        new=False,
    ),
    "snapshot": record("--interval", "0.1", "--limit", "8M", mode=["snapshot"], live=False),
    "record tracefs": record("--limit", "8M", "--backend", "tracefs"),
    "record bpf": record("--limit", "8M", "--backend", "bpf"),
    "validate": Command(
        ["validate", "live", "t.cswap", "-c", "lz4"],
        trace_in,
        whole_trace("t.cswap"),
        "t.cswap",
        new=False,
        mend=lambda folder: [["record", "cleanup"]],
        live=True,
    ),
}
