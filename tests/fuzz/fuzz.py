"""The fuzzer: mutated inputs at every door (`doors.py`). As a command: `python tests/fuzz/fuzz.py --help`.

A case is a door and a number; the same number makes the same input. Right answers are one line with exit status 2, or
figures that an oracle confirms. Found are: a signal, a fault, a hang, more memory than 1 GB, a false figure, a
control character on the terminal, a file outside the folder. Nothing ends the run: each worker is a process.
"""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import NamedTuple

MOST_S = 10.0  # of a case, on the processor
MOST_BYTES = 1 << 30  # of memory that a case may add
PATHS = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1] / "workloads")]
CORPUS = Path(__file__).parent / "corpus"  # inputs that once were answered wrongly, DOOR-WHAT
GOOD = ("refused", "true")


Case = tuple[str, int | str]


class Outcome(NamedTuple):
    """How a case ended: `refused` or `true`, or what was found."""

    door: str
    case: int | str
    verdict: str
    detail: str = ""


def perform(name: str, case: int | str, base: Path) -> Outcome:
    """One case, in this process, below the folder `base`: a number, or the name of an input of the corpus."""
    from command import Refused, Wrong
    from doors import DOORS

    folder = base / "in" / "the" / "depth"
    shutil.rmtree(base, ignore_errors=True)
    door = DOORS[name]
    if isinstance(case, int):
        folder.mkdir(parents=True)
        door.make(Random(f"{name} {case}"), folder)
    else:
        shutil.copytree(CORPUS / f"{name}-{case}", folder)
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    try:
        door.answer(folder)
        verdict, detail = "true", ""
    except Refused as refused:
        verdict, detail = "refused", str(refused)
    except Wrong as wrong:
        verdict, detail = "wrong", str(wrong)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        verdict, detail = "fault", f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    if (added := _memory("VmHWM") - before) > MOST_BYTES:
        verdict, detail = "memory", f"{added >> 20} MB; {verdict}: {detail}"
    if outside := _outside(folder, base):
        verdict, detail = "outside", f"written outside: {sorted(map(str, outside))[:3]}"
    return Outcome(name, case, verdict, detail[:600])


def _outside(folder: Path, base: Path) -> list[Path]:
    """What was written beside the folder, among temporary files, or in the cache under another name than cswap's."""
    beside = [path for path in base.rglob("*") if folder not in path.parents and path not in (folder, *folder.parents)]
    if (cache := Path(os.environ.get("XDG_CACHE_HOME", ""))).parent != base.parent:  # a case alone
        return beside
    beside += [
        path for path in base.parent.iterdir() if not path.name.startswith(("work-", "sound-", "result-", "cache"))
    ]
    return beside + [path for path in cache.glob("*") if path.name not in ("cswap", "matplotlib", "fontconfig")]


def _memory(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) << 10


def _work(given: Connection) -> None:
    """A worker: perform what comes, tell how it ended; it ends with its parent."""
    from workloads.host.processes import die_with_parent

    die_with_parent()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # so that commands start no workers of their own
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + 6 * MOST_BYTES,) * 2)
    base = Path(tempfile.mkdtemp(prefix="work-"))
    with suppress(KeyboardInterrupt):
        while True:
            given.send(perform(*given.recv(), base))
    os._exit(0)


class Worker:
    """A process that performs cases one after the other, and is replaced when it dies."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(target=_work, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self._began = 0.0

    def give(self, case: Case) -> None:
        self.case, self._began = case, self._seconds()
        self.pipe.send(case)

    def _seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def outcome(self) -> Outcome | None:
        """How its case ended, None while it runs."""
        assert self.case
        if self.pipe.poll():
            with suppress(EOFError, ConnectionError):
                found: Outcome = self.pipe.recv()
                return found
        if not self.process.is_alive():
            return Outcome(*self.case, "signal", f"exit status {self.process.exitcode}")
        if self._seconds() - self._began > MOST_S:
            return Outcome(*self.case, "hang", f"over {MOST_S:g} s")
        return None

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def fuzz(cases: Iterator[Case], workers: int) -> Iterator[Outcome]:
    """Perform all cases; outcomes as they come."""
    at_work = [Worker() for _ in range(workers)]
    idle = at_work[:]
    try:
        while True:
            while idle and (case := next(cases, None)):
                idle.pop().give(case)
            busy = [worker for worker in at_work if worker.case]
            if not busy:
                return
            wait([worker.pipe for worker in busy], timeout=1)
            for worker in busy:
                outcome = worker.outcome()
                if outcome is None:
                    continue
                if outcome.verdict in ("signal", "hang"):
                    worker.end()
                    at_work.remove(worker)
                    worker = Worker()
                    at_work.append(worker)
                worker.case = None
                idle.append(worker)
                yield outcome
    finally:
        for worker in at_work:
            worker.end()


@contextmanager
def prepared() -> Iterator[None]:
    """Compile what the doors need, before workers are forked; caches and temporary files are in a folder that goes."""
    import allocators.compiled.jit  # noqa: F401  the cache is chosen here, before XDG_CACHE_HOME changes

    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="cswap-fuzz-", dir=memory) as place:
        tempfile.tempdir = place
        os.environ |= {"XDG_CACHE_HOME": f"{place}/cache", "TMPDIR": place}
        from doors import warm

        warm()
        yield


def main() -> None:
    """Run, print what was found, exit with 1 if anything was."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--door", action="append", help="may be given several times; all by default")
    options.add_argument("--cases", type=int, default=1000, help="of each door")
    options.add_argument("--first", type=int, default=0, help="number of the first case")
    options.add_argument("--case", type=int, help="this one only, in this process; its input stays in ./fuzz-case")
    options.add_argument("--corpus", action="store_true", help="the inputs of the corpus, and no others")
    options.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument(
        "--found", type=Path, default=Path("out/fuzz"), help="where inputs go that were answered wrongly"
    )
    options.add_argument("--bounds-check", action="store_true", help="compile with checks of every index")
    given = options.parse_args()
    if given.bounds_check:  # read when numba is imported, below
        os.environ["NUMBA_BOUNDSCHECK"] = "1"
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    faulthandler.enable()
    sys.path[:0] = PATHS
    from doors import DOORS

    if given.case is not None:
        print(*perform(given.door[0], given.case, Path("fuzz-case").absolute()))
        return
    names = given.door or list(DOORS)
    numbers = range(given.first, given.first + given.cases)
    cases: list[Case] = [(name, number) for number in numbers for name in names]
    if given.corpus:
        cases = [(name, what) for path in sorted(CORPUS.iterdir()) for name, _, what in [path.name.partition("-")]]
    with prepared():
        sys.exit(search(cases, given.workers, given.found))


def search(cases: list[Case], workers: int, place: Path) -> int:
    """Perform the cases, print what was found and a summary; 1 if anything was found. Inputs are kept in `place`."""
    counts, kinds, began = Counter[tuple[str, str]](), Counter[tuple[str, str, str]](), time.monotonic()
    shown = began
    try:
        for outcome in fuzz(iter(cases), workers):
            counts[outcome.door, outcome.verdict] += 1
            if outcome.verdict not in GOOD:
                kind = (outcome.door, outcome.verdict, re.sub(r"[\d.]+|'[^']*'", "#", outcome.detail)[:70])
                kinds[kind] += 1
                if kinds[kind] == 1:
                    print(*outcome, flush=True)
                    _keep(outcome, place)
            if time.monotonic() - shown > 30:
                shown = time.monotonic()
                print(
                    f"{sum(counts.values())} of {len(cases)} cases, {shown - began:.0f} s",
                    file=sys.stderr,
                )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    for name in dict.fromkeys(name for name, _ in cases):
        print(
            f"{name:10}", ", ".join(f"{n} {verdict}" for (door, verdict), n in sorted(counts.items()) if door == name)
        )
    print(f"{sum(counts.values())} cases in {time.monotonic() - began:.0f} s, {sum(kinds.values())} answered wrongly")
    return bool(kinds)


def _keep(outcome: Outcome, place: Path) -> None:
    """Make the input again, where it can be looked at."""
    from doors import DOORS

    if isinstance(outcome.case, str):
        return
    folder = place / f"{outcome.door}-{outcome.case}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    DOORS[outcome.door].make(Random(f"{outcome.door} {outcome.case}"), folder)


if __name__ == "__main__":
    main()
