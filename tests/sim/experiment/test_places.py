"""What is wrong in an experiment's file is told with its name, the place and the remedy, in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sim import Experiment
from sim.errors import UserError
from sim.experiment.options import experiment_of, in_words
from sim.experiment.preparation import models_of

sys.path.append(str(Path(__file__).parents[1] / "cli"))
from cli_kit import refused

BASE = {"traces": '["uniform:events=9,slots=9"]', "compressors": '["lz4"]', "allocators": '["zbud"]'}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str) -> Path:
    """A file with what is wrong, all else small."""
    small = [f"{key} = {value}" for key, value in BASE.items() if f"{key} =" not in text]
    file = Path("e.toml")
    file.write_text("\n".join([*small, text]) + "\n")
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('traces = ["gcc", "gc"]', "traces, entry 2: gc: there is no such trace (did you mean gcc?); give"),
        ('traces = [""]', "traces, entry 1: '': there is no such trace; give"),
        ('traces = "random:events=-1"', "traces: random: events=-1: is out of range; give at least 1"),
        ('allocators = ["zbud", "zsmaloc"]', "allocators, entry 2: unknown allocator 'zsmaloc' (did you mean"),
        ('allocators = ["zsmalloc:chain=1..17"]', "allocators, entry 1: zsmalloc: chain=17 is out of range; use 1 to"),
        ('allocators = ["zsmalloc:chain=4,chain=5"]', "allocators, entry 1: zsmalloc:chain=4,chain=5: chain is given"),
        ("allocators = {zbud = 1}", "experiment: allocators={'zbud': 1}; give a value or a list of them"),
        ("allocators = [3]", "experiment: allocators holds 3; give specs or allocator objects"),
        ('compressors = ["lz4", "zstd:level=99"]', "compressors, entry 2: zstd:level=99: levels go from"),
        ('frontends = ["zram", "zswap:ram_pages=x"]', "frontends, entry 2: zswap: ram_pages=x is wrong; give a whole"),
        ("page_sizes = [1099511627776]", "experiment: page_sizes=1099511627776; give bytes, such as 4096"),
        ("memory = 3", "experiment: memory=3; give Memory(...), in TOML a table [memory]"),
        ("[memory]\npages = []", "memory: pages is empty; give at least one"),
        (
            "[memory]\npages = [99999999999999999999]",
            "memory: pages=99999999999999999999; give a number from 1 to 268435456",
        ),
        ("[memory]\npgs = [1]", "memory: unknown key pgs (did you mean pages?); known are"),
        ('[machine]\nram = "4M"', "machine: uniform does not tell in how much memory it was recorded; give it as"),
        ('[machine]\nram = "1M"\nrecorded = "4M"', "uniform: 1M is less than the 4M it was recorded in"),
        (
            '[machine]\nram = "4M"\nrecorded = "1M"\npolicy = ["lru", "clock"]',
            "machine.policy, entry 2: unknown policy",
        ),
        ('[timing]\nswap_devices = ["nvme", "nvm"]', "timing.swap_devices, entry 2: unknown device 'nvm' (did you"),
        ('[timing]\ncosts = "none.toml"', "timing.costs: none.toml: No such file or directory; give a file that"),
        ("[timing]\nevents = 1", "timing: events=1; give true or false"),
        ('traces = ["gcc"]\ntraces = ["gcc"]', "is not TOML: "),
    ],
)
@pytest.mark.parametrize("words", [("sweep", "e.toml", "--out", "out"), ("run", "--experiment", "e.toml")])
def test_every_error_names_file_and_place(text: str, said: str, words: tuple[str, ...], folder: Path) -> None:
    write(text)
    assert refused(*words).startswith(f"cswap: e.toml: {said}")
    assert not (folder / "out").exists()


def test_from_python_too() -> None:
    with pytest.raises(UserError, match=r"^e\.toml: memory: pages is empty; give at least one$"):
        Experiment.from_toml(write("[memory]\npages = []"))
    with pytest.raises(UserError, match=r"^memory: pages is empty"):
        Experiment.from_toml(write("[memory]\npages = [40]"), memory={"pages": []})


def test_an_option_that_wins_is_not_the_files_fault() -> None:
    file = write('allocators = ["zbad"]')
    assert experiment_of({"allocators": ["zbud"]}, file).allocators == ("zbud",)
    options = {"allocators": ["zbaad"]}
    with pytest.raises(UserError, match=r"^unknown allocator 'zbaad'"), in_words(options, file):
        models_of(experiment_of(options, file))


def test_what_goes_wrong_later_is_left_as_it_is() -> None:
    with pytest.raises(OSError, match="full") as error, in_words({}, write("")):
        raise OSError(28, "full", "out")
    assert error.value.filename == "out"
