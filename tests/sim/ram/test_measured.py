"""What was measured: written, read, interpolated; and files that are not what they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.errors import UserError
from sim.ram.measured import FORMAT, PAGE, Interval, Measured, load, save
from workloads.errors import TraceError

MIB = 1 << 20
MEASURED = Measured(
    FORMAT,
    "lru",
    0.1,
    [
        Interval(240 * MIB, 340 * MIB, 0.5, 9000, 5000),
        Interval(240 * MIB, 440 * MIB, 0.75, 4000, 2000),
        Interval(340 * MIB, 440 * MIB, 1.0, 4000, 2000),
    ],
)


@pytest.mark.parametrize("name", ["policy.json", "policy.toml"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    save(tmp_path / name, MEASURED)
    assert load(tmp_path / name) == MEASURED


@pytest.mark.parametrize(
    ("limit", "mib", "words"),
    [
        (240, 0, "measured at 240 MiB"),
        (290, 25, "interpolated between 240 MiB and 340 MiB"),
        (340, 50, "measured at 340 MiB"),
        (390, 100, "interpolated between 340 MiB and 440 MiB"),
        (440, 150, "measured at 440 MiB"),
        (490, 200, "extrapolated beyond 440 MiB"),
    ],
)
def test_between_measured_limits_it_is_a_straight_line(limit: int, mib: int, words: str) -> None:
    assert MEASURED.extra_for(limit * MIB, 240 * MIB) == ("lru", mib * MIB // PAGE)
    assert MEASURED.between(limit * MIB, 240 * MIB).startswith(words)


def test_a_share_is_of_the_difference() -> None:
    assert MEASURED.share_for(340 * MIB, 240 * MIB) == ("lru", 0.5)
    assert MEASURED.share_for(240 * MIB, 240 * MIB) == ("lru", 1.0)


def test_a_limit_from_which_nothing_was_measured() -> None:
    with pytest.raises(UserError, match="recorded at 300 MiB, only of 240 MiB, 340 MiB"):
        MEASURED.extra_for(400 * MIB, 300 * MIB)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format"),
        ({"policy": "fifo"}, "unknown policy 'fifo'"),
        ({"policy": 3}, "policy"),
        ({"intervals": []}, "intervals"),
        ({"error": -1}, "error"),
        ({"more": 1}, "more"),
        ({"intervals": [{"from": 2, "to": 1, "share": 1, "page_outs": 0, "page_ins": 0}]}, "not less"),
        ({"intervals": [{"from": 1, "to": 2, "share": 9, "page_outs": 0, "page_ins": 0}]}, "share"),
        ({"intervals": [{"from": 1, "to": 2, "share": 1, "page_outs": 0, "page_ins": 0}] * 2}, "twice"),
        ({"intervals": [{"from": 1, "to": 2, "share": 1, "page_outs": 0}]}, "page_ins"),
    ],
)
def test_a_file_that_says_something_else(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    path = tmp_path / "policy.json"
    save(path, MEASURED)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UserError, match=words) as found:
        load(path)
    assert str(found.value).startswith(f"{path}: ")
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"null", b'{"format": 1e400}'])
@pytest.mark.parametrize("name", ["policy.json", "policy.toml"])
def test_a_file_that_is_something_else(tmp_path: Path, content: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UserError):
        load(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="not a regular file"):
        load(tmp_path)
