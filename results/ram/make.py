"""`make ram-study`: other sizes of memory, predicted and live; writes the frames of this folder.

    python results/ram/make.py [PROGRAM]...

Records what is not in out/ram-study yet (root, a kernel with zram, the programs' tools; an hour and a half), so that it
can be broken off and go on. Recordings without contents remain there; they are not committed.

- live.csv: each recording; limits and RAM in bytes.
- predicted.csv: each memory predicted from each smaller one by each policy, as `cswap validate ram --json` prints it.
- interpolated.csv: each limit between two others predicted with what these two measured (`run --policy-from`).
- provenance.json: kernels, codecs, when.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from contextlib import AbstractContextManager, nullcontext
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from sim.plugins import COMPRESSORS, POLICIES
from sim.ram.measured import Measured
from sim.validate.memories import Recording, recordings
from sim.validate.ram import best, error, measure, predict, predictions, ratio
from workloads import Trace, open_trace
from workloads.progress import Progress, silent

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = ROOT / "workloads" / "samples" / "programs"
KEPT = ROOT / "out" / "ram-study"
LIMITS = {  # MiB, smallest first: the program alone
    "redis": (260, 290, 320, 360),
    "node": (300, 330, 360, 400),
    "gcc": (340, 390, 440, 500),
    "pandas": (240, 290, 340, 400),
}
RUNS = 3
RAM = {"gcc": (420, 460, 500), "redis": (370, 400, 430)}  # MiB: program and pool
CODECS = ("lz4", "lzo-rle", "lzo")
# What a program finds in its environment is in its memory.
CLEAN = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent"]


def main() -> None:
    """Record what is missing, and write the frames of what there is."""
    names = sys.argv[1:] or list(LIMITS)
    KEPT.mkdir(parents=True, exist_ok=True)
    for run in range(1, RUNS + 1):
        for name in names:
            for limit in LIMITS[name]:
                codecs = CODECS if limit == LIMITS[name][0] else CODECS[:1]
                record(f"{name}-{limit}-{run}", name, f"--limit={limit}M", CODECS[0], codecs)
    for name in names:
        for ram in RAM.get(name, ()):
            for codec in CODECS:
                record(f"{name}-ram-{ram}-{codec}", name, f"--ram={ram}M", codec, (codec,))
    write()


def record(kept: str, name: str, size: str, codec: str, codecs: tuple[str, ...]) -> None:
    """Record a program, unless that was done; what is kept has no contents, but the sizes by `codecs`."""
    path, whole, bare = KEPT / f"{kept}.cswap", KEPT / "new" / f"{kept}.cswap", KEPT / "bare" / f"{kept}.cswap"
    if path.exists():
        return
    if os.geteuid() != 0:
        raise SystemExit("make ram-study: recording the kernel's swap needs root; run it as root")
    for folder in (whole.parent, bare.parent):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    command = tomllib.loads((PROGRAMS / "programs.toml").read_text())[name]["command"]
    cswap("record", "-o", whole, size, "-c", codec, "--", *CLEAN, *map(found, command))
    cswap("trace", "strip", whole, "--keep-source", "-o", bare, *(word for each in codecs for word in ("-c", each)))
    bare.rename(path)
    shutil.rmtree(whole.parent)


def found(word: str) -> str:
    """A word of a command: cswap's interpreter, a file of the programs' folder, or the word itself."""
    if word == "python":
        return os.path.relpath(sys.executable, ROOT)
    return os.path.relpath(PROGRAMS / word, ROOT) if (PROGRAMS / word).exists() else word


def cswap(*words: object) -> None:
    """Run a command of cswap's; its error ends this script too."""
    subprocess.run([sys.executable, "-m", "sim", *map(str, words)], check=True, cwd=ROOT)


def write() -> None:
    """The frames, and what they say in a few lines."""
    live, predicted, interpolated, kernels = [], [], [], set()
    for name in LIMITS:
        traces = [open_trace(path) for path in sorted(KEPT.glob(f"{name}-*.cswap"))]
        if len({size_of(trace) for trace in traces}) < 2:
            continue
        live += [live_row(name, trace) for trace in traces]
        kernels |= {str(trace.source.get("kernel")) for trace in traces}
        groups = recordings(traces)
        rows = predictions(groups, POLICIES.names(), report)
        predicted += [{"program": name, **one.row()} for one in rows]
        alone = [one for one in rows if not one.larger.shared]
        chosen = best(alone)
        interpolated += [{"program": name, **row} for row in between(groups, chosen, error(alone))]
    frames = {"live": live, "predicted": predicted, "interpolated": interpolated}
    for frame, rows in frames.items():
        pd.DataFrame(rows).to_csv(HERE / f"{frame}.csv", index=False, float_format="%.4g")
    versions = {codec: COMPRESSORS.make(codec).version for codec in CODECS}
    began = sorted(row["began"] for row in live)
    about = {"kernels": sorted(kernels), "codecs": versions, "recorded": [began[0], began[-1]]}
    (HERE / "provenance.json").write_text(json.dumps(about, indent=2, sort_keys=True) + "\n")
    summary(*map(pd.DataFrame, (live, predicted, interpolated)))


def size_of(trace: Trace) -> Any:
    """What the program had, alone or shared."""
    return trace.source.get("limit") or trace.source.get("ram")


def live_row(name: str, trace: Trace) -> dict[str, Any]:
    """A recording; pool and times as the recorder noted them."""
    source, frame = trace.source, trace.memory
    return {
        "program": name,
        "limit": source.get("limit"),
        "ram": source.get("ram"),
        "compressor": source["algorithm"],
        "began": source["began"],
        "seconds": source["seconds"],
        "page_outs": trace.counts["out"],
        "page_ins": trace.counts["in"],
        "lost": trace.counts["lost"],
        "pool_pages_peak": source["mm_stat"]["mem_used_max"] // trace.page_size,
        "file_bytes_mean": None if frame is None else round(float(frame["file"].mean())),
    }


def between(groups: list[Recording], policy: str, deviation: float) -> list[dict[str, Any]]:
    """Each limit between two others, predicted from the recordings at the smaller with what the two measured."""
    rows = []
    for smaller, middle, larger in combinations([group for group in groups if not group.shared], 3):
        measured = measure([smaller, larger], policy, deviation, report)
        if not isinstance(measured, Measured):
            continue
        share = measured.share_for(middle.size, smaller.size)[1]
        counts = [predict(trace, policy, middle, share) for trace in smaller.traces]
        outs = sum(one.page_outs for one in counts) / len(counts)
        ins = sum(one.page_ins for one in counts) / len(counts)
        ratios = {
            "ratio_outs": round(ratio(outs, middle.mean("out")), 4),
            "ratio_ins": round(ratio(ins, middle.mean("in")), 4),
        }
        sizes = {"from": smaller.size, "between": middle.size, "to": larger.size}
        rows.append({**sizes, "policy": policy, "share": round(share, 4), **ratios})
    return rows


def summary(live: pd.DataFrame, predicted: pd.DataFrame, interpolated: pd.DataFrame) -> None:
    """Deviations by program and policy, beside how far the live runs themselves lie apart."""
    alone = predicted[~predicted["shared"]]
    ways = [(policy, rows) for policy, rows in alone.groupby("policy")]
    for way, rows in [*ways, ("interpolated", interpolated)]:
        for name, part in [*rows.groupby("program"), ("all", rows)]:
            off = (part[["ratio_outs", "ratio_ins"]] - 1).abs().stack()
            print(
                f"{way:12} {name:8} median {off.median():6.1%}  within 20 %: {(off <= 0.2).mean():4.0%} of {len(off)}"
            )
    runs = live[live["limit"].notna()].groupby(["program", "limit"])[["page_outs", "page_ins"]]
    apart = ((runs.max() - runs.min()) / runs.mean()).groupby("program").median()
    print("live runs at one limit: (most - least) / mean, median over the limits", apart.to_string(), sep="\n")
    shared = predicted[predicted["shared"]]
    if len(shared):
        shared = shared.assign(ratio_pool=shared["pool_pages_peak"] / shared["live_pool_pages_peak"])
        smallest = shared.groupby("program")["from"].transform("min")
        print(shared[shared["from"] == smallest].to_string(index=False))


def report(what: str) -> AbstractContextManager[Progress]:
    """No bar: `cswap record` has one."""
    return nullcontext(silent)


main()
