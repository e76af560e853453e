"""`cswap record` and `cswap trace recover`: what is refused, and how that is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_kit import good, refused, run

from sim.cli.recording import summary
from workloads import Events, Trace, save_trace
from workloads.host import cgroup, zram
from workloads.recorder import backends, session
from workloads.recorder.tracefs.backend import TracefsBackend
from workloads.traces.events import IN, LOST, OUT

COMMAND = ["--", "true"]
CHOICE = "give one of --limit SIZE, --ram SIZE and --fraction SHARE"
SNAPSHOT = "`cswap record snapshot` works without\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--limit", "64M", *COMMAND], "-o is missing; give -o OUT before -- CMD..."),
        (["-o", "x.cswap", "--limit", "64M"], "the command to record is missing; end with -- CMD..."),
        ([], "the command to record is missing"),
        (["-o", "x.cswap", *COMMAND], CHOICE),
        (["-o", "x.cswap", "--limit", "64M", "--fraction", "0.5", *COMMAND], CHOICE),
        (
            ["-o", "x.cswap", "--limit", "64Q", *COMMAND],
            "--limit 64Q: give a size of at least 1M, such as 256M or 1.5G",
        ),
        (["-o", "x.cswap", "--limit", "64M", "--ram", "64M", *COMMAND], CHOICE),
        (["-o", "x.cswap", "--ram", "64M", "--fraction", "0.5", *COMMAND], CHOICE),
        (["-o", "x.cswap", "--ram", "64Q", *COMMAND], "--ram 64Q: give a size of at least 1M, such as 256M or 1.5G"),
        (["-o", "x.cswap", "--limit", "1000", *COMMAND], "--limit 1000: give a size of at least 1M"),
        (["-o", "x.cswap", "--fraction", "1.5", *COMMAND], "--fraction 1.5: give a share of the peak from 0.01 to 1"),
        (["-o", "x.cswap", "--limit", "64M", "--duration", "0", *COMMAND], "--duration 0.0: give seconds, more than 0"),
        (["-o", "x.cswap", "--limit", "64M", "--duration", "nan", *COMMAND], "--duration nan: give seconds"),
        (["--cleanup"], "--cleanup is a sub-command now: cswap record cleanup"),
        (["--snapshot", "-o", "x.cswap", *COMMAND], "now: cswap record snapshot -o OUT ... -- CMD..."),
        (["-o", "x.cswap", "true", "--cleanup", "--snapshot"], CHOICE),
        (["-o", "x.cswap", "--", "cleanup"], CHOICE),
        (["cleanup", "more"], "more"),
    ],
)
def test_refused(words: list[str], message: str) -> None:
    assert message in refused("record", *words)


@pytest.fixture
def able(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A host that seems to have everything."""
    (tmp_path / "control").mkdir()
    monkeypatch.setattr(zram, "CONTROL", tmp_path / "control")
    monkeypatch.setattr(os, "access", lambda *_: True)
    (tmp_path / "mounts").write_text(f"cgroup {tmp_path} cgroup rw,memory 0 0\n")
    monkeypatch.setattr(cgroup, "MOUNTS", tmp_path / "mounts")
    return tmp_path


def attempt(folder: Path, *options: str) -> str:
    return refused("record", "-o", folder / "x.cswap", "--limit", "64M", *options, *COMMAND)


def test_without_zram(able: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zram, "CONTROL", able / "none")
    assert attempt(able) == (f"cswap: this kernel has no zram, or it is not loaded; try `modprobe zram`; {SNAPSHOT}")


def test_without_root(able: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert attempt(able).endswith(f"needs root and a writable /sys; run as root; {SNAPSHOT}")


def test_without_memory_cgroups(able: Path) -> None:
    (able / "mounts").write_text("")
    line = attempt(able)
    assert "no memory cgroup can be created" in line
    assert line.endswith(SNAPSHOT)


def test_without_tracing(able: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TracefsBackend, "missing", classmethod(lambda cls: "this kernel has no tracefs"))
    monkeypatch.setattr(backends, "BACKENDS", {"tracefs": TracefsBackend})
    assert attempt(able) == f"cswap: tracefs: this kernel has no tracefs; {SNAPSHOT}"
    assert "--backend ftrace: there is no such backend (did you mean tracefs?); use one of tracefs" in attempt(
        able, "--backend", "ftrace"
    )


def test_where_nothing_can_be_written(able: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "choose", lambda name: (TracefsBackend, []))
    (able / "x.cswap").mkdir()
    assert "x.cswap: folder: exists; remove it or choose another name" in attempt(able)
    assert "exists; remove it" in refused("record", "-o", able / "x.cswap", "--fraction", "0.5", "--", "/no/such")
    elsewhere = refused("record", "-o", able / "none" / "x.cswap", "--limit", "64M", *COMMAND)
    assert "none: folder: does not exist; create it first" in elsewhere


def test_nothing_to_clean_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSWAP_RUN", str(tmp_path))
    assert good("record", "cleanup") == "nothing was left behind\n"


def test_nothing_to_recover(tmp_path: Path) -> None:
    assert "there is no unfinished recording of" in refused("trace", "recover", tmp_path / "x.cswap")


@pytest.mark.parametrize(("kind", "empty"), [(OUT, False), (LOST, False), (None, True)])
def test_why_nothing_was_swapped_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: int | None, empty: bool
) -> None:
    kinds = [] if kind is None else [kind]
    events = Events.of(kinds, [0] * len(kinds), [0 if kind == OUT else -1 for kind in kinds])
    pages = np.ones((1, 4096), np.uint8)[: int(kind == OUT)]
    source = {"backend": "bpf", "ended": "command ended with status 0"}
    save_trace(Trace.from_arrays("x", events, pages, source=source), tmp_path / "x.cswap")
    assert summary(tmp_path / "x.cswap") != empty
    said = capsys.readouterr().err.splitlines()
    why = "nothing was swapped: the program needed less than --limit; give a smaller one, or --fraction 0.5"
    assert (any(line.startswith(why) for line in said), len(said)) == (empty, 1 if empty else 2)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        (
            {},
            ["--ram 64M: the program had 20.0 to 64.0 MiB, 31.5 on average; with the pool 0.25 MiB too many"],
        ),
        (
            {"too_small": 0.125},
            ["--ram 64M: ", "--ram 64M is too small: for 12.5% of the time the pool alone took it all"],
        ),
        (
            {"stopped_for_memory": 3},
            ["--ram 64M: ", "--ram 64M is too small: the program was out of memory 3 times, and"],
        ),
    ],
)
def test_what_the_program_had_of_a_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, float], lines: list[str]
) -> None:
    mega = 1 << 20
    source = {
        "backend": "bpf",
        "ended": "duration",
        "ram": 64 * mega,
        "limits": {"min": 20 * mega, "mean": 31.5 * mega, "max": 64 * mega},
        "excess": {"mean": mega // 4, "max": 3 * mega},
        "too_small": 0,
        "stopped_for_memory": 0,
        **changes,
    }
    Trace.from_arrays("x", Events.of([LOST], [0], [-1]), np.ones((0, 4096), np.uint8), source=source).save(
        tmp_path / "x.cswap"
    )
    summary(tmp_path / "x.cswap")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 + len(lines)
    assert all(line.startswith(start) for line, start in zip(said, lines, strict=False)), said


@pytest.mark.parametrize(
    ("kinds", "source", "told"),
    [
        (
            [OUT],
            {"ended": "duration", "seconds": 20.04},
            "1 page-outs, 0 page-ins, 0 frees, 1 unique pages; ended by --duration after 20.0 s",
        ),
        ([OUT, LOST], {"ended": "signal 2"}, "1 page-outs, 1 more lost, 0 page-ins, 0 frees, 1 unique pages; signal 2"),
    ],
)
def test_what_a_recording_holds_in_a_line(
    kinds: list[int], source: dict[str, Any], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages, slots = [0, -1][: len(kinds)], [0, 1][: len(kinds)]
    trace = Trace.from_arrays(
        "x", Events.of(kinds, slots, pages), np.ones((1, 4096), np.uint8), source={"backend": "bpf", **source}
    )
    trace.save(tmp_path / "x.cswap")
    assert summary(tmp_path / "x.cswap")
    assert capsys.readouterr().err.splitlines()[0] == f"{tmp_path / 'x.cswap'}: {told}"


@pytest.mark.parametrize(("reads", "words"), [(10, False), (11, True)])
def test_a_recording_that_thrashed_is_told_so(
    reads: int, words: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """When it has been made, and by `trace info`; the rule is that of runs on machines of other sizes."""
    events = Events.of([OUT, *[IN] * reads], [0] * (1 + reads), [0, *[-1] * reads])
    source = {"kind": "recording", "backend": "bpf", "ended": "duration"}
    Trace.from_arrays("x", events, np.ones((1, 4096), np.uint8), source=source).save(tmp_path / "x.cswap")
    told = "cswap: warning: x: thrashed while it was recorded, 11 page-ins for each slot; the time that this took is in"
    assert summary(tmp_path / "x.cswap")
    assert (told in capsys.readouterr().err) is words
    assert (told in run("trace", "info", tmp_path / "x.cswap").stderr) is words
