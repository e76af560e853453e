"""The same rules give the same pages whether they are compiled or, with NUMBA_DISABLE_JIT=1, plain Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import allocator_kit
import pytest

from allocators.compiled.jit import JIT

SCRIPT = """
import json
from allocators.compiled.jit import JIT
from test_compiled import series
print(json.dumps([JIT, series()]))
"""


def series() -> dict[str, list[int]]:
    """The pages after each of 600 operations, for every allocator; what the other process does too."""
    return {
        label: allocator_kit.replay(
            allocator_kit.make(label), allocator_kit.random_sequence(n, 600, compact=0.03)
        ).tolist()
        for n, label in enumerate(allocator_kit.ALL)
    }


@pytest.fixture(scope="module")
def other_mode() -> dict[str, list[int]]:
    here = Path(__file__).parent
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": str(int(JIT)),
        "PYTHONPATH": f"{here}{os.pathsep}{here.parents[1]}",
    }
    run = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    jit, found = json.loads(run.stdout)
    assert jit is not JIT
    return found


@pytest.fixture(scope="module")
def this_mode() -> dict[str, list[int]]:
    return series()


@pytest.mark.parametrize("label", allocator_kit.ALL)
def test_compiled_is_plain(label: str, this_mode: dict[str, list[int]], other_mode: dict[str, list[int]]) -> None:
    assert this_mode[label] == other_mode[label]
    assert max(this_mode[label]) > 10
