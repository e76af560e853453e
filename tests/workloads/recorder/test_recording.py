"""Whole recordings on this host, held against its kernel. Skipped without root, zram, tracing or memory cgroups."""

from __future__ import annotations

import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import killing
import pytest

from sim.validate.ending import FOREIGN, compare_ending
from workloads import open_trace, verify
from workloads.errors import HostError
from workloads.host.cgroup import require_cgroup
from workloads.host.swap import active
from workloads.host.zram import require_zram
from workloads.recorder.backends import BACKENDS
from workloads.recorder.segments import folder_of, recover
from workloads.recorder.tracefs.backend import TracefsBackend

PROGRAM = """
import itertools, os, sys, time
print(os.getuid(), os.getgid(), os.environ["HOME"], flush=True)
memory = bytearray(96 << 20)
for turn in itertools.count() if "busy" in sys.argv else range(2):
    for at in range(0, len(memory), 4096):
        if at % (16 * 4096):
            memory[at : at + 1024] = os.urandom(256) * 4
        else:
            memory[at] = 0
if len(sys.argv) > 1:
    time.sleep(600)
sys.exit(3)
"""


def _missing() -> str:
    try:
        require_zram()
        require_cgroup()
    except HostError as error:
        return str(error)
    return ""


pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(_missing()), reason=f"cannot record here: {_missing()}"),
]


@pytest.fixture(params=list(BACKENDS))
def backend(request: pytest.FixtureRequest) -> str:
    missing = BACKENDS[request.param].missing()
    if missing:
        pytest.skip(f"{request.param}: {missing}")
    return str(request.param)


@pytest.fixture(autouse=True)
def as_before(alone: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is left on the host; the journals lie apart from those of others."""
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path / "run"))
    before = killing.host_state()
    yield
    assert killing.host_state() == before


def record(out: Path, *options: str, program: tuple[str, ...] = (), **environ: str) -> subprocess.CompletedProcess[str]:
    size = () if "--ram" in options else ("--limit", "40M")
    words = ["record", "-o", str(out), *size, *options, "--", sys.executable, "-c", PROGRAM, *program]
    env = {**os.environ, "PYTHONPATH": str(killing.ROOT), **environ}
    return subprocess.run([sys.executable, "-m", "sim", *words], env=env, capture_output=True, text=True, timeout=120)


def test_equal_to_the_kernel(backend: str, tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    alone = not active()
    done = record(out, "--backend", backend, "--duration", "3", program=("stay",))
    assert done.returncode == 0, done.stderr
    assert "the program's memory" in done.stderr
    verify(out)
    trace = open_trace(out)
    counts, source = trace.counts, trace.source
    assert source["ended"] == "duration"
    assert source["backend"] == backend
    assert source["dropped"] == {}
    assert counts["out"] + counts["lost"] > 14_000, "56 MiB do not fit into 40"
    assert counts["out"] + counts["lost"] - counts["free"] == source["swapped_pages"], "as the cgroup itself counts"
    assert source["held_pages"] + source["zero_pages"] == source["swapped_pages"]
    if alone and not active() and not any(source["decided"].get(key) for key in FOREIGN):
        kernel = source["vmstat"]
        assert counts["in"] == kernel["pswpin"]
        written = counts["out"] + counts["lost"] - source["decided"].get("zero page-outs", 0)
        written -= source["decided"].get("zero page-outs by pagemap", 0)
        assert written == pytest.approx(kernel["pswpout"], rel=0.01)
    ending = compare_ending(trace)
    assert ending.agrees, ending.rows()


@pytest.mark.parametrize("codec", ["lzo-rle", "lzo"])
def test_program_and_pool_share_a_machine(codec: str, backend: str, tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    done = record(out, "--ram", "64M", "--backend", backend, "-c", codec, "--duration", "4", program=("stay",))
    assert done.returncode == 0, done.stderr
    assert "--ram 64M: the program had " in done.stderr
    verify(out)
    trace = open_trace(out)
    source, memory = trace.source, trace.memory
    assert (source["ram"], source["algorithm"], source["too_small"]) == (64 << 20, codec, 0)
    assert memory is not None
    assert trace.counts["out"] + trace.counts["lost"] > 8_000, "40 MiB do not fit"
    assert (memory["limit"].min() >= source["limits"]["min"]) & (memory["limit"].max() <= 64 << 20)
    settled = memory[memory["time_ns"] > memory["time_ns"].max() - 10**9]
    over = settled["limit"] + settled["pool"] - (64 << 20)
    assert over.abs().median() <= 4096, "mostly they are the machine to the page"
    assert over.max() < 4 << 20
    assert settled["pool"].min() > 1 << 20
    assert (settled["used"] <= settled["limit"]).all()
    ending = compare_ending(trace)
    assert ending.agrees, ending.rows()


def test_memory_is_sampled(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    assert record(out, "--duration", "3", program=("stay",)).returncode == 0
    trace = open_trace(out)
    memory = trace.memory
    assert memory is not None
    assert len(memory) > 30
    assert (memory["limit"] == 40 << 20).all()
    assert (memory["used"] <= 40 << 20).all()
    last = memory.iloc[-1]
    assert last["anon"] + last["file"] + last["kernel"] == pytest.approx(last["used"], rel=0.05)
    (events,) = trace.batches()
    assert events.time_ns is not None
    end, decided = trace.source["mm_stat"]["mem_used_total"], trace.source["decided"]
    if events.time_ns[-1] < last["time_ns"] and not any(decided.get(key) for key in FOREIGN):
        assert last["pool"] == end
    else:  # something moved after it, or may have
        assert last["pool"] == pytest.approx(end, rel=0.05)
    assert memory["time_ns"].iloc[0] < events.time_ns[0] < memory["time_ns"].iloc[-1]


def test_the_program_ends_by_itself(backend: str, tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    done = record(out, "--backend", backend)
    assert done.returncode == 3, done.stderr
    trace = open_trace(out)
    assert trace.source["ended"] == "command ended with status 3"
    assert trace.counts["free"] == trace.counts["out"] + trace.counts["lost"] > 14_000, "it holds nothing any more"


def test_the_program_and_the_trace_are_the_callers(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    needs = "head -c 80000000 /dev/zero | tr '\\0' x | tail -c 80000000 > /dev/null"
    shell = f"id -u; id -g; id -G; umask; {needs}; exit 4"
    words = ["record", "-o", str(out), "--limit", "40M", "--", "sh", "-c", shell]
    env = {**os.environ, "PYTHONPATH": str(killing.ROOT), "SUDO_UID": "65534", "SUDO_GID": "65534"}
    run = subprocess.run([sys.executable, "-m", "sim", *words], env=env, capture_output=True, text=True, timeout=60)
    assert run.returncode == 4, run.stderr
    *who, umask = run.stdout.split()
    assert set(who) == {"65534"}
    assert umask == subprocess.check_output(["sh", "-c", "umask"], text=True).strip(), "private is only the trace"
    for path in (out, *out.iterdir()):
        assert (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode) & 0o077) == (65534, 0)


def test_a_share_of_the_measured_peak(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    words = [
        "record",
        "-o",
        str(out),
        "--fraction",
        "0.5",
        "--",
        sys.executable,
        "-c",
        "x = bytes(range(256)) * 200_000",
    ]
    subprocess.run(
        [sys.executable, "-m", "sim", *words], env={**os.environ, "PYTHONPATH": str(killing.ROOT)}, check=True
    )
    source = open_trace(out).source
    assert source["limit"] == int(source["peak"] * 0.5)
    assert source["peak"] > 50_000_000


def test_a_command_that_is_none(tmp_path: Path) -> None:
    words = ["record", "-o", str(tmp_path / "x.cswap"), "--limit", "40M", "--", "/no/such/command"]
    env = {**os.environ, "PYTHONPATH": str(killing.ROOT)}
    done = subprocess.run([sys.executable, "-m", "sim", *words], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == (
        "cswap: /no/such/command: cannot be run (no such file or directory); give a command that can\n"
    )
    assert not list(tmp_path.glob("*x.cswap*"))


@pytest.mark.parametrize("number", killing.SIGNALS)
def test_killed_at_a_random_moment(number: signal.Signals, tmp_path: Path) -> None:
    delay = random.Random(os.getpid()).uniform(0.2, 3.0)
    assert killing.start_and_end(tmp_path, number, delay) == "", f"{number.name} after {delay:.2f} s"
    for out in tmp_path.glob("*.cswap"):
        verify(out)
    for left in tmp_path.glob(".*.recording"):
        out = left.with_name(left.name.removeprefix(".").removesuffix(".recording"))
        assert left == folder_of(out)
        if list(left.glob("[0-9]*.cswap")):
            assert recover(out).source["recovered"]["segments"]


def start(out: Path, *options: str) -> subprocess.Popen[str]:
    """A recording in which something happens for as long as it lasts."""
    words = ["record", "-o", str(out), "--limit", "40M", *options, "--", sys.executable, "-c", PROGRAM, "busy"]
    env = {**os.environ, "PYTHONPATH": str(killing.ROOT)}
    return subprocess.Popen([sys.executable, "-m", "sim", *words], env=env, stderr=subprocess.PIPE, text=True)


def wait_for_segments(out: Path, running: subprocess.Popen[str], count: int) -> None:
    end = time.monotonic() + 60
    while len(list(folder_of(out).glob("[0-9]*.cswap"))) < count:
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif(bool(TracefsBackend.missing()), reason=f"no tracefs: {TracefsBackend.missing()}")
def test_what_was_recorded_before_the_reader_died_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    before = killing.host_state()["readers"]
    assert isinstance(before, list)
    running = start(out, "--backend", "tracefs")
    wait_for_segments(out, running, 1)
    (reader,) = set(killing._readers()) - set(before)
    os.kill(int(reader), signal.SIGKILL)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert "the reader of tracefs has ended" in said
    assert said.endswith(f"; `cswap trace recover {out}` makes a trace of what was recorded before\n")
    assert recover(out).counts["out"] > 0
    verify(out)


def test_a_full_disk_keeps_what_is_whole(backend: str, tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    running = start(out, "--backend", backend)
    wait_for_segments(out, running, 1)
    resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    _, said = running.communicate(timeout=60)
    assert running.returncode == 2
    assert said.count("\n") == 1
    assert "File too large" in said
    assert f"; `cswap trace recover {out}` makes a trace" in said
    assert recover(out).counts["out"] > 0
    verify(out)
