"""The recordings that are shipped, and the result that rests on them."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workloads.recordings
import workloads.samples
from sim import Experiment, run
from sim.validate.ending import compare_ending
from workloads import open_trace, sample_names, verify

ROOT = Path(__file__).parents[2]
TRACES = workloads.recordings.FOLDER
DENSITY = ROOT / "results" / "density"
PROGRAMS = workloads.samples.FOLDER / "programs"


@pytest.mark.parametrize("name", sample_names())
def test_a_recording_is_what_the_kernel_counted(name: str) -> None:
    trace = open_trace(TRACES / f"{name}.cswap")
    verify(TRACES / f"{name}.cswap")
    assert not trace.content
    assert len(trace.sizes_codecs()) == 4
    counts, kernel = trace.counts, trace.source["vmstat"]
    assert counts["out"] >= 50_000
    assert counts["lost"] == 0
    assert counts["out"] == pytest.approx(kernel["pswpout"] + kernel["swpout_zero"], rel=0.001)
    assert counts["in"] == pytest.approx(kernel["pswpin"], rel=0.001)
    assert counts["free"] == counts["out"], "the program has ended"
    sample = workloads.samples.open_sample(name).source
    assert {key: sample[key] for key in trace.source} == trace.source
    assert sample["sample"]["of"]["out"] == counts["out"]
    programs = tomllib.loads((PROGRAMS / "programs.toml").read_text())
    assert sample["sample"]["share"] == programs[name]["share"]
    assert trace.source["command"][-1].endswith(programs[name]["command"][-1])


@pytest.mark.parametrize("name", sample_names())
def test_the_largest_pool_is_the_devices_to_the_byte(name: str) -> None:
    ending = compare_ending(open_trace(TRACES / f"{name}.cswap"), chain=8)
    assert ending.simulated.mem_used_max == ending.kernel.mem_used_max > 40_000_000
    assert ending.simulated.huge_pages_since == ending.kernel.huge_pages_since


@pytest.mark.parametrize("name", sample_names())
def test_their_codec_times_are_undisturbed(name: str) -> None:
    trace = open_trace(TRACES / f"{name}.cswap")
    for codec in trace.sizes_codecs():
        sizes = trace.sizes(codec)
        assert sizes is not None
        for ns in (sizes.compress_ns, sizes.decompress_ns):
            assert ns.min() > 0
            assert ns[ns > 10 * np.median(ns)].sum() < 0.01 * ns.sum(), (
                "interruptions of milliseconds were in them once"
            )


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in TRACES.rglob("*") if path.is_file()) <= 10_000_000


def test_the_committed_densities_are_those_of_the_recordings() -> None:
    committed = pd.read_csv(DENSITY / "density.csv")
    assert len(committed) == 4 * 3 * 12
    made = run(
        Experiment(
            (str(TRACES / "redis.cswap"),), allocators=("zsmalloc", "xvmalloc", "zbud"), compressors=("lz4", "zstd")
        )
    ).density
    key = ["trace", "compressor", "allocator"]
    both = made.merge(committed, on=key, suffixes=("", "_committed"), validate="1:1")
    assert len(both) == 6
    for column in ("density", "density_mean", "ideal_density", "pages_peak", "pages_max", "slots_max"):
        assert both[column].to_list() == pytest.approx(both[f"{column}_committed"].to_list(), rel=1e-12)
    traces = json.loads((DENSITY / "provenance.json").read_text())["traces"]
    for name in sample_names():
        assert traces[name]["digest"] == open_trace(TRACES / f"{name}.cswap").digest


def test_what_cannot_be_made_is_told_in_one_line() -> None:
    words = [sys.executable, PROGRAMS / "make.py", "firefox"]
    told = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == "make samples: there is no program firefox; there are gcc, pandas, redis, node\n"
