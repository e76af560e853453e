"""`cswap record snapshot`: without privilege, from the command to the trace."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import cli_kit
import pytest
from alive import alive

from workloads import Trace, open_trace
from workloads.traces.events import FREE, OUT
from workloads.traces.verification import verify

NOBODY = "65534"
MARK = b"cswap's page "
MIB_PAGES = (1 << 20) // 4096
WRITER = f"""
    import mmap, sys, time
    memory = mmap.mmap(-1, 6 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    def write(pages, version):
        for page in pages:
            text = {MARK!r} + b"%d version %d." % (page, version)
            memory[page * 4096 : (page + 1) * 4096] = (text * 4096)[:4096]
    write(range({6 * MIB_PAGES}), 1)
    time.sleep(0.8)
    write(range({MIB_PAGES}), 2)
    time.sleep(0.8)
    write(range({MIB_PAGES}, {6 * MIB_PAGES}), 3)
    time.sleep(0.8)
    sys.exit(3)
"""


def _unprivileged(words: list[object]) -> list[str]:
    """As nobody, who may look into the folders where Python lies but has no other capability, if we are root."""
    command = [str(word) for word in words]
    if os.geteuid():
        return command
    if not shutil.which("setpriv"):
        pytest.skip("becoming nobody needs setpriv (util-linux)")
    look = "-all,+dac_read_search"
    who = ["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--inh-caps", look, "--ambient-caps", look]
    return ["setpriv", *who, *command]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder where nobody may write, and can reach."""
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        if not os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o011)
    tmp_path.chmod(0o777)
    return tmp_path


def _script(place: Path, text: str) -> Path:
    path = place / "program.py"
    path.write_text(textwrap.dedent(text))
    return path


def _record(place: Path, *command: object, options: tuple[object, ...] = ()) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "sim", "record", "snapshot", "-o", place / "t.cswap"]
    for option, usual in (("--limit", "2M"), ("--interval", "0.1")):
        words += [] if option in options else [option, usual]
    return subprocess.Popen(
        _unprivileged([*words, *options, "--", *command]),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HOME": str(place), "PYTHONPATH": str(Path(__file__).parents[3])},
    )


def _check_order(trace: Trace) -> None:
    """Every read and every free is of a slot in use, every page-out to a free one; at the end all are free."""
    live: set[int] = set()
    for events in trace.batches():
        for kind, slot in zip(events.kind.tolist(), events.slot.tolist(), strict=True):
            if kind == OUT:
                assert slot not in live
                live.add(slot)
            else:
                assert slot in live
                if kind == FREE:
                    live.remove(slot)
    assert not live


def _marked(trace: Trace) -> list[bytes]:
    """The pages that begin as the program's do."""
    pages = [page.tobytes() for batch in trace.page_batches() for page in batch]
    return [page for page in pages if page.startswith(MARK)]


def test_contents_and_writes_are_seen_and_the_program_is_not_disturbed(place: Path) -> None:
    script = _script(place, WRITER)
    recorder = _record(place, "sh", "-c", f"{sys.executable} {script}; exit $?")
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 3, said
    assert "simulated" in said
    verify(place / "t.cswap")
    trace = open_trace(place / "t.cswap")
    assert trace.source["reclaim"] == "simulated"
    assert trace.source["ended"] == "command ended with status 3"
    assert trace.source["processes"] >= 2
    assert 6 << 20 <= trace.source["peak"] < 100 << 20
    assert "nothing went out" not in said
    _check_order(trace)
    pages = _marked(trace)
    marks = [page[: page.index(b".") + 1] for page in pages]
    found = {mark for mark, page in zip(marks, pages, strict=True) if page == (mark * 4096)[:4096]}
    assert len(found) >= len(pages) - 8  # the others are strings of Python's that begin at a page
    written = {version: sum(mark.endswith(b"version %d." % version) for mark in found) for version in (1, 2, 3)}
    assert 4 * MIB_PAGES <= written[1] <= 6 * MIB_PAGES
    assert written[2] == MIB_PAGES  # all of them had been out, came back, and went out as the oldest
    assert 3 * MIB_PAGES <= written[3] <= 5 * MIB_PAGES
    assert trace.counts["in"] >= 4 * MIB_PAGES
    assert (place / "t.cswap").stat().st_mode & 0o077 == 0


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ctrl_c_ends_the_program_and_keeps_the_trace(place: Path) -> None:
    ready = f"open({str(place / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    script = _script(place, WRITER.replace("sys.exit(3)", ready).replace("import mmap", "import os, mmap"))
    recorder = _record(place, sys.executable, script)
    _wait_for(place / "pid")
    time.sleep(0.5)
    recorder.send_signal(signal.SIGINT)
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 130, said
    assert "Traceback" not in said
    trace = open_trace(place / "t.cswap")
    assert trace.source["ended"] == f"signal {signal.SIGINT}"
    assert len(_marked(trace)) >= 4 * MIB_PAGES
    assert not alive(int((place / "pid").read_text()))
    assert [path.name for path in place.iterdir() if "recording" in path.name] == []


def test_what_the_program_leaves_running_ends_with_the_recording(place: Path) -> None:
    orphan = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    shell = f'cd {place}; {sys.executable} -c "{orphan}" & while ! [ -s {place}/pid ]; do sleep 0.05; done; exit 4'
    recorder = _record(place, "sh", "-c", shell)
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 4, said
    assert not alive(int((place / "pid").read_text()))


def test_it_ends_after_the_duration(place: Path) -> None:
    script = _script(place, WRITER.replace("sys.exit(3)", "time.sleep(600)"))
    recorder = _record(place, sys.executable, script, options=("--duration", "2"))
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 0, said
    trace = open_trace(place / "t.cswap")
    assert trace.source["ended"] == "duration"
    assert trace.counts["out"] > 0


@pytest.mark.parametrize(
    ("words", "options", "remedy"),
    [
        (["true"], ("--interval", "0.5"), "--interval 0.05, as it was over in "),
        (["true"], ("--interval", "0.05"), "--interval 0.01, as it was over in "),
        (["sleep", "0.3"], ("--interval", "0.01"), "give a program that needs more"),
        (
            [sys.executable, "-c", "import time; time.sleep(0.4)"],
            ("--limit", "900M", "--interval", "0.05"),
            "give a --limit below ",
        ),
    ],
)
def test_why_nothing_went_out_is_said(place: Path, words: list[str], options: tuple[str, ...], remedy: str) -> None:
    recorder = _record(place, *words, options=options)
    _, said = recorder.communicate(timeout=60)
    assert recorder.returncode == 1, said
    assert not (place / "t.cswap").exists(), "an empty recording is not kept"
    lines = [line for line in said.splitlines() if line.startswith("nothing went out: ")]
    assert len(lines) == 1, said
    assert re.search(r"none of [0-9]+ snapshots", lines[0])
    assert lines[0].endswith("t.cswap is not kept (command ended with status 0)")
    assert remedy in lines[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--backend", "bpf"), "No such option: --backend"),
        (("--fraction", "0.5"), "No such option: --fraction"),
        (("--interval", "0"), "--interval 0"),
        (("--limit", "1"), "at least 1M"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    assert said in cli_kit.refused("record", "snapshot", "-o", tmp_path / "t.cswap", *words, "--", "true")


def test_a_command_that_is_none_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "t.cswap"
    assert "cannot be run" in cli_kit.refused("record", "snapshot", "-o", out, "--", tmp_path / "none")
    assert list(tmp_path.iterdir()) == []
