"""`cswap compare`: one screen, and an exit status for CI."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from cli_kit import good, refused, run

HEAD = "trace,frontend,compressor,allocator,density,pages_peak,small"


@pytest.fixture
def frames(tmp_path: Path) -> dict[str, Path]:
    """Densities of two traces, and the same a little and much worse, and better."""
    files = {}
    for name, density, pages in (("a", 3.0, 3000), ("little", 2.99, 3010), ("worse", 2.0, 4500), ("better", 4.0, 2250)):
        rows = [f"{trace},zram,lz4,zsmalloc,{density},{pages},False" for trace in ("x", "\x1b[31my")]
        files[name] = tmp_path / f"{name}.csv"
        files[name].write_text("\n".join([HEAD, *rows, ""]))
    return files


@pytest.mark.parametrize(
    ("other", "options", "status"),
    [
        *(("a", (), 0), ("little", (), 0), ("worse", (), 1), ("better", (), 0), ("better", ("--any",), 1)),
        *(("little", ("--tolerance", "0"), 1), ("worse", ("--tolerance", "60%"), 0), ("a", ("--any",), 0)),
    ],
)
def test_the_exit_status_says_whether_it_is_worse(
    frames: dict[str, Path], other: str, options: tuple[str, ...], status: int
) -> None:
    found = run("compare", frames["a"], frames[other], *options)
    assert (found.exit_code, found.stderr) == (status, ""), found.output
    assert len(found.stdout.splitlines()) <= 24
    assert "\x1b" not in found.stdout


def test_it_says_which_measures_and_rows(frames: dict[str, Path]) -> None:
    said = run("compare", frames["a"], frames["worse"]).stdout
    assert "Worse: density, pages_peak." in said
    assert "1.500  pages_peak 3,000, now 4,500: x" in said
    assert "Better: density, pages_peak." in good("compare", frames["a"], frames["better"])
    assert "Nothing differs." in good("compare", frames["a"], frames["a"])
    assert "No significant difference of more than 1 %." in good("compare", frames["a"], frames["little"])


def test_the_same_as_json_and_csv(frames: dict[str, Path]) -> None:
    told = json.loads(run("compare", frames["a"], frames["worse"], "--json").stdout)
    assert {row["measure"]: round(row["ratio"], 3) for row in told["measures"]} == {"density": 0.667, "pages_peak": 1.5}
    assert len(told["rows"]) == 4
    rows = list(csv.DictReader(run("compare", frames["a"], frames["worse"], "--csv").stdout.splitlines()))
    assert [row["verdict"] for row in rows] == ["smaller", "larger"]


def test_what_makes_no_sense_is_an_error(frames: dict[str, Path], tmp_path: Path) -> None:
    assert "give one such as 1%" in refused("compare", frames["a"], frames["a"], "--tolerance", "much")
    assert "give one of them" in refused("compare", frames["a"], frames["a"], "--json", "--csv")
    assert "no provenance.json" in refused("compare", frames["a"], tmp_path)
