"""`cswap classes`: the form of debugfs' file, the kernel's classes, the sums of a replay; `--mm-stat`: its fields."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_kit import GOLDEN, good, refused

from allocators.zspages.allocator import ZspageAllocator
from allocators.zspages.table import class_table
from sim.plugins import make_allocator
from workloads.host.mmstat import FIELDS

# zs_stats_size_show in mm/zsmalloc.c of 6.12 and of 6.1, as printf has it.
TENTHS = ("10%", "20%", "30%", "40%", "50%", "60%", "70%", "80%", "90%", "99%", "100%")
TODAY = " %5s %5s " + 11 * "%9s " + "%13s %10s %10s %16s %8s"
ONCE = " %5s %5s %11s %12s %13s %10s %10s %16s %8s"
LAST = ("obj_allocated", "obj_used", "pages_used", "pages_per_zspage", "freeable")
SAMPLE = ("gcc-sample", "-c", "lz4")
WHOLE = ("-f", "zram:zeros_apart=false")  # zero pages reach the device


@pytest.mark.parametrize(
    ("spec", "golden"),
    [(f"zsmalloc:chain={chain}", f"6.12-c{chain}") for chain in (1, 2, 3, 4, 8, 16)]
    + [("zsmalloc:era=6.1", "6.1"), ("zsmalloc:era=2012", "2012"), ("zsmalloc", "6.12-c8")],
)
def test_an_empty_pool_has_the_kernels_classes(spec: str, golden: str) -> None:
    rows = json.loads(good("classes", "-a", spec, "--json"))
    with (GOLDEN / "classes" / f"classes-zsmalloc-{golden}.csv").open() as file:
        kernel = [tuple(map(int, row.values())) for row in csv.DictReader(file)]
    names = ("class", "size", "pages_per_zspage", "objs_per_zspage")
    assert [tuple(row[name] for name in names) for row in rows] == kernel
    lines = good("classes", "-a", spec).splitlines()
    tenths = golden.startswith("6.12")
    form = TODAY if tenths else ONCE
    assert lines[0] == form % ("class", "size", *(TENTHS if tenths else ("almost_full", "almost_empty")), *LAST)
    zeros = (0,) * ((11 if tenths else 2) + 3)
    assert lines[1:-2] == [form % (index, size, *zeros, pages, 0) for index, size, pages, _ in kernel]
    assert lines[-2:] == ["", form % ("Total", "", *zeros, "", 0)]


@pytest.mark.parametrize("spec", ["zsmalloc:chain=8", "zsmalloc:era=6.1", "zsmalloc:era=2012", "order1", "kmalloc"])
def test_of_a_replay_it_is_what_the_run_holds(spec: str) -> None:
    rows = json.loads(good("classes", *SAMPLE, "-a", spec, "--json"))
    (run,) = json.loads(good("run", *SAMPLE, "-a", spec, "--json"))
    assert sum(row["obj_used"] for row in rows) == run["objects_peak"]
    assert sum(row["pages_used"] for row in rows) == run["pages_peak"]
    assert sum(row["wasted"] for row in rows) == run["pages_peak"] * 4096 - run["bytes_peak"]
    for row in rows:
        assert row["obj_allocated"] * row["pages_per_zspage"] == row["pages_used"] * row["objs_per_zspage"]
        free = (row["obj_allocated"] - row["obj_used"]) // row["objs_per_zspage"]
        assert row["freeable"] == free * row["pages_per_zspage"]
        groups = [value for name, value in row.items() if name.endswith("%") or name in ("partial", "full")]
        assert not groups or sum(groups) * row["pages_per_zspage"] == row["pages_used"]
    text = good("classes", *SAMPLE, "-a", spec).splitlines()
    assert text[0] == f"gcc-sample, zram, lz4, {spec.removesuffix(':chain=8')}"
    assert text[1].split()[-2:] == ["freeable", "wasted"]
    assert len(text) == len(rows) + 4


def test_freeable_is_what_compaction_frees() -> None:
    allocator = make_allocator("zsmalloc")
    assert isinstance(allocator, ZspageAllocator)
    rng = np.random.default_rng(1)
    handles = [allocator.alloc(int(size)) for size in rng.integers(1, 4096, 3000)]
    for i in rng.permutation(3000)[:1700].tolist():
        allocator.free(handles[i])
    before = class_table(allocator)
    assert sum(row["freeable"] for row in before) == allocator.compact() > 0
    assert not any(row["freeable"] for row in class_table(allocator))


@pytest.mark.parametrize("spec", ["zbud", "xvmalloc", "ideal", "coalesce", "z3fold", "zblock"])
def test_others_have_none(spec: str) -> None:
    assert refused("classes", "-a", spec) == (
        f"cswap: -a {spec}: is no pool of zspages; give zsmalloc, order1 or kmalloc\n"
    )


def test_page_sizes_take_units() -> None:
    assert good("classes", "--page-size", "16K") == good("classes", "--page-size", "16384")


@pytest.mark.live
@pytest.mark.skipif(not Path("/sys/kernel/debug/zsmalloc").is_dir(), reason="needs CONFIG_ZSMALLOC_STAT and debugfs")
def test_the_head_is_this_kernels() -> None:
    pools = sorted(Path("/sys/kernel/debug/zsmalloc").glob("*/classes"))
    if not pools or not os.access(pools[0], os.R_OK):
        pytest.skip("no pool of zsmalloc on this host, or not root")
    heads = [good("classes", "-a", spec).splitlines()[0] for spec in ("zsmalloc", "zsmalloc:era=6.1")]
    assert pools[0].read_text().splitlines()[0] in heads


def mm_stats(*words: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(good("run", *SAMPLE, *words, "--mm-stat", "--json"))
    return rows


def test_mm_stat_has_the_kernels_fields_in_its_order() -> None:
    (run,) = mm_stats("-a", "zsmalloc", *WHOLE)
    stat = run["mm_stat"]
    assert tuple(stat) == tuple(run["mm_stat_end"]) == FIELDS
    assert stat["orig_data_size"] == (run["objects_peak"] + run["same_filled_peak"]) * 4096
    assert stat["compr_data_size"] == run["bytes_peak"]
    assert stat["mem_used_total"] == run["pages_peak"] * 4096
    assert stat["same_pages"] == run["same_filled_peak"]
    assert run["mm_stat_end"]["mem_used_max"] == run["pages_max"] * 4096
    assert run["mm_stat_end"]["mem_used_total"] == run["pages_end"] * 4096
    text = good("run", *SAMPLE, "-a", "zsmalloc", "-a", "ideal", *WHOLE, "--mm-stat")
    (line,) = [
        line for line in text.splitlines() if line.startswith("gcc-sample zram:zeros_apart=false lz4 zsmalloc: ")
    ]
    assert tuple(map(int, line.partition(": ")[2].split())) == tuple(stat.values())


def test_mm_stat_of_a_limited_device_and_of_others() -> None:
    limited, *others = mm_stats(
        "-a", "zsmalloc", "-f", "zram:mem_limit=2097152", "-f", "zswap:ram_pages=4000", "-f", "raw"
    )
    assert limited["mm_stat"]["mem_limit"] == 2097152
    assert [set(run["mm_stat"].values()) for run in others] == [{None}, {None}]
    assert "has no mm_stat" in refused("run", *SAMPLE, "-a", "zbud", "-f", "raw", "--mm-stat")
    rows = list(csv.DictReader(good("run", *SAMPLE, "-a", "zbud", "--mm-stat", "--csv").splitlines()))
    assert int(rows[0]["mm_stat.mem_used_total"]) == int(rows[0]["pages_peak"]) * 4096
