"""Compiled code is cached under all sources that reach it: whatever changes in them, the figures are the new ones."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from allocators import PageZone
from allocators.compiled import sources
from allocators.compiled.batch import replay
from allocators.compiled.jit import JIT

ROOT = Path(__file__).parents[3]
compiles = pytest.mark.skipif(not JIT, reason="nothing is compiled, nothing cached")

CODES, SWAPPED = "OUT, IN, FREE, COMPACT, LOST = 0, 1, 2, 3, 4", "OUT, IN, FREE, COMPACT, LOST = 0, 2, 1, 3, 4"

REPLAY = """
from sim.plugins import ALLOCATORS
from sim.results.density import DensityMeter
from sim.frontends.raw import Raw
from sim.replay.replay import replay
from sim.plugins import GENERATORS
trace = GENERATORS.find("bell")(events=2000, slots=300).trace()
meter = DensityMeter(trace.n_events, trace.page_size, trace.fullest)
for events, outcome in replay(trace, trace.sizes("given"), Raw(), ALLOCATORS.find("ideal")()):
    meter.add(events, outcome)
print(meter.row()["density_mean"])
"""
PLUG_IN = "import whole; allocator = whole.Whole(); allocator.alloc(100); print(allocator.pages)"


def printed(script: str, *path: Path, cache: Path) -> float:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path)), "XDG_CACHE_HOME": str(cache)}
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-c", script]
    return float(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, cwd=cache).stdout)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, file
    file.write_text(text.replace(old, new))


def compiled_files(cache: Path) -> set[str]:
    return {file.name for file in cache.rglob("*.nbc")}


@compiles
def test_codes_of_events_that_change_places(tmp_path: Path) -> None:
    for package in ("allocators", "workloads", "sim"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.cswap"))
    before = printed(REPLAY, tmp_path, cache=tmp_path)
    warm = compiled_files(tmp_path)
    (tmp_path / "sim" / "cli" / "new.py").write_text("CODE = 1\n")
    edit(tmp_path / "sim" / "results" / "density.py", "from __future__", "# not in compiled code\nfrom __future__")
    assert printed(REPLAY, tmp_path, cache=tmp_path) == before
    assert compiled_files(tmp_path) == warm
    edit(tmp_path / "workloads" / "traces" / "events.py", CODES, SWAPPED)
    assert printed(REPLAY, tmp_path, cache=tmp_path) == before
    replaced = compiled_files(tmp_path)
    assert len(replaced) == len(warm)
    assert replaced.isdisjoint(warm)


@compiles
def test_a_plug_in_and_what_it_imports(tmp_path: Path) -> None:
    plug_in, table = tmp_path / "whole.py", tmp_path / "table.py"
    shutil.copy(ROOT / "docs" / "compiled_allocator.py", plug_in)
    edit(plug_in, "zone.take(pool.zone, 0)", "zone.take(pool.zone, ORDER)")
    edit(plug_in, "import numpy as np\n", "import numpy as np\nfrom table import ORDER\n")
    for order in (0, 3, 3, 1):
        table.write_text(f"ORDER = {order}\n")
        assert printed(PLUG_IN, ROOT, tmp_path, cache=tmp_path) == 1 << order
        assert len(compiled_files(tmp_path)) == 1


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str | None]:
    """The digest of `PLUG.rules.alloc`, for a package PLUG of files that stand below."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sources, "_BEGUN", float("inf"))
    for name in [name for name in sys.modules if name.partition(".")[0] == "plug"]:
        monkeypatch.delitem(sys.modules, name)
    folder = tmp_path / "plug"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)

    def found(changed: str) -> str | None:
        if changed:
            (folder / changed).write_text(FILES[changed] + "# changed\n")
        sources._contents.cache_clear()
        function: Any = import_module("plug.rules").alloc
        return sources.digest(function, ())

    return found


FILES = {
    "__init__.py": "",
    "rules.py": """
from typing import TYPE_CHECKING
from . import sizes
from .far import LARGEST
if TYPE_CHECKING:
    import plug.types_only
import json
def alloc(state, size):
    return sizes.STEP
""",
    "sizes.py": "def table():\n    try:\n        from plug.deep import BASE\n    finally:\n        pass\n",
    "far.py": "LARGEST = 1\n",
    "deep.py": "BASE = 1\n",
    "types_only.py": "",
    "apart.py": "",
}


@pytest.mark.parametrize(
    ("file", "counts"),
    [("rules.py", True), ("sizes.py", True), ("far.py", True), ("deep.py", True)]
    + [("types_only.py", False), ("apart.py", False)],
)
def test_what_reaches_a_function(digest: Callable[[str], str | None], file: str, counts: bool) -> None:
    before = digest("")
    assert before is not None
    assert (digest(file) != before) == counts


def test_a_source_that_was_edited_since_may_not_be_what_runs(
    digest: Callable[[str], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert digest("") is not None
    monkeypatch.setattr(sources, "_BEGUN", 0.0)
    assert digest("") is None


def test_functions_of_a_notebook_are_not_cached() -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile("def alloc(state, size): return 0", "<cell 1>", "exec"), space)
    assert sources.digest(space["alloc"], ()) is None


@pytest.mark.parametrize("module", ["__main__", "gone"])
def test_code_for_types_that_are_others_in_each_process_is_not_cached(module: str) -> None:
    function = getattr(replay, "py_func", replay)
    kind = SimpleNamespace(instance_class=type("Pool", (), {"__module__": module}), types=())
    assert sources.digest(function, [SimpleNamespace(instance_class=PageZone, types=())]) is not None
    assert sources.digest(function, [kind]) is None


def test_the_command_line_reaches_no_compiled_code() -> None:
    function = getattr(replay, "py_func", replay)
    names = {name for name, _ in sources.reaching(function, ())}
    assert {"allocators.zone", "allocators.compiled.ids"} <= names
    assert not any(name.startswith(("sim.cli", "sim.timing", "workloads.recorder")) for name in names)
