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
TIMED = 'date +%s%N >"$0"; "$@" >/dev/null; date +%s%N >>"$0"'


def timed(command: tuple[str, ...], file: Path) -> tuple[str, ...]:
    return ("/bin/sh", "-c", TIMED, str(file), *command)


def seconds(file: Path) -> float:
    begin, end = map(int, file.read_text().split())
    return (end - begin) / 1e9


def plain(command: tuple[str, ...], limit: int, file: Path) -> float:
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


def recorded(command: tuple[str, ...], limit: int, file: Path, backend: str, out: Path) -> tuple[float, str]:
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
            ratios: dict[str, list[float]] = {backend: [] for backend in backends}
            for _ in range(ROUNDS):
                base = plain(command, limit, file)
                for backend in backends:
                    took, said = recorded(command, limit, file, backend, out)
                    ratios[backend].append(took / base)
                    print(f"{name} {limit >> 20} MiB, plain {base:.2f} s, {backend} {took:.2f} s: {said}", flush=True)
            for backend, found in ratios.items():
                print(
                    f"{name} {backend}: {statistics.median(found):.3f} times plain swap "
                    f"({min(found):.3f} to {max(found):.3f})"
                )


if __name__ == "__main__":
    main()
