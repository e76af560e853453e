"""TOML: experiments, recipes, costs, codec times and devices."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random

from command import Refused, command, rows
from mutate import mutated_text
from sound import sound

from sim.errors import USER_ERRORS, one_line
from sim.experiment.description import Experiment
from sim.timing import costs, devices
from workloads.generators.recipe import Recipe

CODEC_COSTS = """\
["zstd:level=3"]
compress = { mb_per_s = [18, 52] }
decompress = { ns_per_page = 41000 }
source = "mine"
[lz4]
compress = { mb_per_s = 101.5 }
source = "mine"
"""
RECIPE = """\
events = 60
slots = 30
[contents.heap]
kind = "pointers"
[contents.code]
kind = "corpus"
from = "redis-sample"
[contents.own]
kind = "entropy"
ratio = [0.2, 0.6]
[[patterns]]
kind = "zipf"
exponent = 1.1
contents = { heap = 0.9, own = 0.1 }
[[patterns]]
kind = "fork"
children = 3
duplicates = 0.2
start = 5.5
"""
TRACE = "random:events=60,slots=16,pages=9"
WARM = ("zsmalloc:chain=8", "zbud", "zram:mem_limit=65536", "zswap")
EXPERIMENT = f"""\
traces = ["{TRACE}"]
allocators = ["zsmalloc:chain=8", "zbud"]
compressors = ["lz4"]
frontends = ["zram:mem_limit=65536", "zswap"]
[memory]
pages = 400
unusable = 0.25
seed = 3
"""


@cache
def _toml(kind: str) -> str:
    shipped = {"costs": costs.DEFAULT, "devices": devices.PROFILES}
    own = {"experiment": EXPERIMENT, "codec-costs": CODEC_COSTS, "recipe": RECIPE}
    return own[kind] if kind in own else shipped[kind].read_text()


def make_toml(kind: str) -> Callable[[Random, Path], None]:
    """Mutate one of the TOML files that a user gives."""

    def make(draw: Random, folder: Path) -> None:
        text = mutated_text(_toml(kind), draw)
        (folder / f"{kind}.toml").write_bytes(text.encode("utf-8", "surrogatepass"))

    return make


def answer_toml(folder: Path) -> None:
    """Read it as the command does; run what is accepted."""
    file = next(folder.glob("*.toml"))
    if file.stem == "experiment":
        try:
            read = Experiment.from_toml(file)
        except USER_ERRORS as error:
            raise Refused(one_line(error)) from error
        small = read.traces == (TRACE,) and max(pages or 0 for pages in read.memory.pages) < 1 << 20
        if small and set(read.allocators) | set(read.frontends) <= set(WARM):  # not what takes long for good reasons
            command("run", "--experiment", file, "--json")
        return
    if file.stem == "recipe":
        try:
            recipe = Recipe(file=str(file))
        except USER_ERRORS as error:
            raise Refused(one_line(error)) from error
        if max(recipe.events, recipe.slots) < 1 << 16:  # not what takes long for good reasons
            command("trace", "info", f"recipe:file={file}", "--json")
        return
    option = ("--swap-device", f"{file}:nvme") if file.stem == "devices" else (f"--{file.stem}", file)
    timed = ("--timing", "--page-cluster", "1", "-a", "zsmalloc", "-c", "lz4")
    rows(command("run", sound(True, True), *timed, *option, "--json"))


def warm_toml() -> None:
    """Compile what the experiment needs."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "experiment.toml").write_text(EXPERIMENT)
        answer_toml(Path(folder))
