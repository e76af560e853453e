"""Tables: no figure is cut, whatever the width; what the frontends counted is shown when something happened."""

from __future__ import annotations

import io

import pytest
from cli_kit import good
from rich.console import Console

import sim.cli.output
from sim import Experiment, Result, run
from sim.cli.tables import print_result

WORKLOAD = "random:events=3000,slots=300,pages=300"
CODECS = ("lz4", "lzo", "lzo-rle", "zstd", "deflate", "lz4-lib")
FRONTENDS = ("zram", "zram:recompress=zstd,writeback=huge_idle+idle,writeback_limit=9,every=200")


@pytest.fixture(scope="module")
def result() -> Result:
    return run(
        Experiment((WORKLOAD,), allocators=("zsmalloc", "zsmalloc:era=6.1"), compressors=CODECS, frontends=FRONTENDS)
    )


@pytest.mark.parametrize("width", [60, 80, 120, 10_000])
def test_no_figure_is_cut(width: int, result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(width=width, file=io.StringIO())
    monkeypatch.setattr(sim.cli.output, "console", lambda: screen)
    print_result(result, full=True)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    for run_ in result.density.to_dict("records"):
        held = (run_["objects_peak"] + run_["same_filled_peak"]) / 256
        assert f"{held:.1f}/{run_['pages_peak'] / 256:.1f}" in shown
    assert "small: a pool of fewer than 2,000 pages" in " ".join(shown.split())
    for row in result.counters.query("counter == 'recompressed' and value > 0").to_dict("records"):
        assert f"recompressed {row['value']:,}" in shown
    assert "bd_writes 9" in shown
    tables = shown.count("compressed pages per physical page")
    assert tables == 1 if width > 120 else tables > 1


def test_what_is_no_terminal_has_no_width() -> None:
    long = "zram:recompress=zstd+deflate+lz4hc,writeback=huge_idle+incompressible,writeback_limit=100000,every=100"
    shown = good("run", WORKLOAD, "-a", "zsmalloc", "-c", "lz4", "-f", "zram", "-f", long)
    assert "…" not in shown
    assert shown.count(long) == 1, "in the counters"


def test_refusals_alone_are_in_the_densities() -> None:
    shown = good("run", WORKLOAD, "-a", "zbud", "-c", "lz4")
    assert "what the frontends counted" not in shown


def test_means_of_page_ins_are_told_where_page_clusters_differ() -> None:
    words = ("run", WORKLOAD, "-a", "zsmalloc", "-c", "lz4", "--timing", "--page-cluster", "0")
    assert "mean page-in" not in good(*words)
    assert "mean page-in: lz4 0: " in good(*words, "--page-cluster", "3")


def test_latencies_of_other_machines_are_shown_in_full_only() -> None:
    words = (
        "run",
        "references:events=20000,pages=3000,ram=1500,swap_cache=false",
        "-c",
        "lz4",
        "--ram",
        "auto",
        "--timing",
    )
    shown = good(*words)
    assert "Loses" in shown or "To lose as little time" in shown
    assert "how long page-outs and page-ins take" not in shown
    assert "how long page-outs and page-ins take" in good(*words, "--full")
