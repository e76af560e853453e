"""What recording costs: programs under plain swap and under each backend, in turn, as ratios within one round.

Run `python benchmarks/bench_recording.py [ROUNDS] [PROGRAM...]` as root; 2 rounds of the shipped programs gcc and
dataframes by default, with half of their peak. Plain swap is the same zram device and cgroup without a recorder.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from workloads import open_trace
from workloads.errors import HostError
from workloads.host.cgroup import memory_cgroup, require_cgroup
from workloads.host.signals import deferred
from workloads.host.zram import require_zram
from workloads.host.zram_swap import swap_device
from workloads.recorder.backends import BACKENDS
from workloads.recorder.plan import Plan
from workloads.recorder.program import Program
from workloads.recorder.session import peak_of, record_program

PROGRAMS = Path(__file__).parents[1] / "workloads" / "samples" / "programs"
ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
NAMES = sys.argv[2:] or ["gcc", "dataframes"]
SLOTS = 1 << 20
# The program measures itself, so that what comes before and after it is in no figure.
TIMED = 'date +%s%N >"$0"; "$@" >/dev/null; date +%s%N >>"$0"; times >>"$0"'


def timed(command: tuple[str, ...], file: Path) -> tuple[str, ...]:
    return ("/bin/sh", "-c", TIMED, str(file), *command)


class Took(NamedTuple):
    """Seconds: by the clock, and of CPU in the program and in the kernel for it."""

    wall: float
    cpu: float


def seconds(file: Path) -> Took:
    begin, end, _, _, user, system = file.read_text().split()
    cpu = [float(minutes) * 60 + float(rest) for minutes, rest in (t.rstrip("s").split("m") for t in (user, system))]
    return Took((int(end) - int(begin)) / 1e9, sum(cpu))


def plain(command: tuple[str, ...], limit: int, file: Path) -> Took:
    with deferred() as pending, ExitStack() as stack:
        stack.enter_context(swap_device("lz4", SLOTS))
        cgroup = stack.enter_context(memory_cgroup(f"cswap-{os.getpid()}"))
        cgroup.limit(limit)
        program = Program(timed(command, file), None)
        stack.callback(program.reap)
        stack.callback(cgroup.kill)
        stack.callback(program.end)
        cgroup.add(program.pid)
        program.begin()
        while program.status() is None:
            pending.check()
            cgroup.relieve()
            time.sleep(0.02)
    return seconds(file)


def recorded(command: tuple[str, ...], limit: int, file: Path, backend: str, out: Path) -> tuple[Took, str]:
    record_program(Plan(timed(command, file), out, limit, backend=backend))
    trace = open_trace(out)
    shutil.rmtree(out)
    counts, kernel, zero = trace.counts, trace.source["vmstat"], 0
    for name in ("zero page-outs", "zero page-outs by pagemap"):
        zero += trace.source["decided"].get(name, 0)
    outs = counts["out"] + counts["lost"] - zero
    said = (
        f"outs {outs} (kernel {kernel['pswpout']}), ins {counts['in']} ({kernel['pswpin']}), "
        f"zero {zero} ({kernel['swpout_zero']}), frees {counts['free']}, "
        f"lost {counts['lost']} ({counts['lost'] / max(1, outs):.2%}), others {trace.source['pages_of_others']}"
    )
    return seconds(file), said


def main() -> None:
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        print(f"recording is not measured: {error}")
        return
    backends = [name for name, backend in BACKENDS.items() if not backend.missing()]
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder).resolve() / "times", Path(folder) / "x.cswap"
        for name in NAMES:
            command = (sys.executable, str(PROGRAMS / f"{name}.py"))
            limit = peak_of(Plan(command, out, 0)) // 2
            ratios: dict[str, list[Took]] = {backend: [] for backend in backends}
            for _ in range(ROUNDS):
                base = plain(command, limit, file)
                for backend in backends:
                    took, said = recorded(command, limit, file, backend, out)
                    ratios[backend].append(Took(took.wall / base.wall, took.cpu / base.cpu))
                    print(f"{name} {limit >> 20} MiB, {backend}, plain {base}, recorded {took}: {said}", flush=True)
            for backend, found in ratios.items():
                for part in Took._fields:
                    values = [getattr(ratio, part) for ratio in found]
                    print(
                        f"{name} {backend} {part}: {statistics.median(values):.3f} times plain swap "
                        f"({min(values):.3f} to {max(values):.3f})",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
