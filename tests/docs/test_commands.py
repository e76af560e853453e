"""Every command in the code blocks of README.md and docs/ runs as written and prints what is shown.

`...` stands for lines, or a part of a line, that a page leaves out; spaces and rules of tables do not matter. Codec
times are those of the machine: in sentences with `us` a number with one decimal matches any.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from lru_kit import recorded as recorded_in
from typer.testing import CliRunner

from sim.cli import app
from workloads import IN, OUT, open_sample, save_trace
from workloads.recordings import FOLDER as RECORDINGS

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
NOT_RUN = {
    "make run": "cswap run --out out/density: tests/results compares its result, tests/sim/cli its summary",
    "make test": "this",
    "cswap validate latency": "needs root and an idle machine: tests/sim/validate/test_latency.py",
}


class Step(NamedTuple):
    """A command and what is shown below it."""

    line: int
    command: str
    shown: list[str]


def steps(page: Path) -> Iterator[Step]:
    """The commands of a page's code blocks, continued lines joined."""
    step, language = None, None
    lines = iter(enumerate(page.read_text().splitlines(), 1))
    for number, line in lines:
        if line.startswith("```"):
            if step:
                yield step
            step, language = None, line[3:] if language is None else None
        elif language == "" and (found := re.match(r"(\$ )?(?=(sudo |make |cswap |head ))", line)):
            if step:
                yield step
            command = line[found.end() :]
            while command.endswith("\\"):
                command = command[:-1] + next(lines)[1]
            step = Step(number, command, [])
        elif step:
            step.shown.append(line)


def recorded(folder: Path) -> None:
    """In place of `sudo .venv/bin/cswap record`, which needs root and a program of one's own: a shipped recording."""
    shutil.rmtree(folder / "mine.cswap", ignore_errors=True)
    shutil.copytree(RECORDINGS / "redis.cswap", folder / "mine.cswap")


def calibrated(folder: Path) -> None:
    """In place of `cswap calibrate`, which takes half a minute: the costs of a machine that were committed."""
    shutil.copy(ROOT / "results" / "latency-live" / "host.toml", folder)


def memories(folder: Path) -> None:
    """The recordings of docs/ram.md: one program in memories of three sizes."""
    for mib in (260, 320, 400):
        trace = recorded_in(mib * 256, pages=120_000, uses=500_000, codecs=("lz4", "lzo-rle", "zstd:level=3"))
        save_trace(trace, folder / f"at-{mib}.cswap")


INSTEAD: dict[str, Callable[[Path], None]] = {"sudo .venv/bin/cswap record": recorded, "cswap calibrate": calibrated}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader would be, with the files that the pages speak of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    trace = open_sample("redis")
    rows = ["ts_ns,kind,pid,slot,page", "0,out,4711,1,0", "83256,out,4711,2,1"]
    for events in trace.batches():
        kinds = np.array(["out", "in", "free"])
        for i in np.flatnonzero(np.isin(events.kind, (OUT, IN, 2))).tolist():
            page = max(int(events.page[i]), 0)
            rows.append(f"{90_000 + 1000 * len(rows)},{kinds[events.kind[i]]},4711,{events.slot[i] + 3},{page}")
    (tmp_path / "events.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "pages.bin").write_bytes(trace.page_array(0, trace.unique_pages).tobytes())
    shutil.copy(tmp_path / "pages.bin", tmp_path / "dump")
    files = [
        re.findall(r"`([a-z]+\.toml)`:\n+```toml\n(.*?)```", path.read_text(), re.DOTALL) for path in PAGES.values()
    ]
    assert {"chains.toml", "shop.toml"} <= {name for page in files for name, _ in page}
    for name, text in (file for page in files for file in page):
        (tmp_path / name).write_text(text)
    return tmp_path


def printed(command: str, folder: Path) -> str:
    """What a command prints; its output's name may be taken by an earlier block."""
    words = shlex.split(command, comments=True)
    if words[0] != "cswap":
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
    if "-o" in words:
        shutil.rmtree(folder / words[words.index("-o") + 1], ignore_errors=True)
    elif words[1] == "import":
        shutil.rmtree(folder / f"{words[2].partition('.')[0]}.cswap", ignore_errors=True)
    answer = CliRunner().invoke(app, words[1:], prog_name="cswap")
    assert answer.exit_code == 0, f"{command}\n{answer.output}"
    return answer.stdout


def pattern(line: str) -> str:
    """What the words of a line match."""
    words = [re.escape(word).replace(r"\.\.\.", ".*?") for word in line.split()]
    return r"\s+".join(words)


def check_shown(shown: list[str], output: str) -> None:
    """Every part that is shown stands in the output, in this order."""
    at = 0
    for part in re.split(r"^\.\.\.$", "\n".join(shown), flags=re.MULTILINE):
        wanted = pattern(part)
        if re.search(r"\bus\b", part):
            wanted = re.sub(r"(?<!\d)\d+\\\.\d(?!\d)", r"\\d+\\.\\d", wanted)
        found = re.compile(wanted).search(output, at)
        assert found, f"not printed: {part}\nbut:\n{output}"
        at = found.end()


@pytest.mark.parametrize("page", [name for name, path in PAGES.items() if any(steps(path))])
def test_they_run_as_written_and_print_what_is_shown(page: str, folder: Path) -> None:
    if page == "ram":
        memories(folder)
    for step in steps(PAGES[page]):
        if step.command.startswith(tuple(NOT_RUN)):
            continue
        instead = next((make for start, make in INSTEAD.items() if step.command.startswith(start)), None)
        if instead:
            instead(folder)
            continue
        output = re.sub(r"[─━]+", " ", printed(step.command, folder))
        if step.shown:
            check_shown(step.shown, output)


def test_the_pages_have_the_commands() -> None:
    commands = [step.command for path in PAGES.values() for step in steps(path)]
    assert len(commands) > 30
    for start in (*NOT_RUN, *INSTEAD):
        assert any(command.startswith(start) for command in commands), f"{start}: no page has it any more"


def test_what_is_shown_is_compared() -> None:
    output = "a  1.50 x\n\nzstd 3.4 us\n"
    check_shown(["...", "a 1.50", "...", "zstd 9.9 us"], output)
    check_shown(["a ... x"], output)
    for wrong in (["a 1.51"], ["zstd 3.4 us", "...", "a"], ["b 3.4 us"]):
        with pytest.raises(AssertionError, match="not printed"):
            check_shown(wrong, output)
