"""The traces of the study, without contents: generated ones of five seeds, and every trace until its churned moment.

A trace is *churned* after the last event at which half as many slots are in use as at its fullest moment. Of generated
ones more are in use at the end; there, slots are freed in random order until half are left. `NAME-churned` ends at this
moment, with a compaction.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sim.experiment.finished import sources
from sim.plugins import COMPRESSORS, GENERATORS
from sim.sizing.sizing import size_pages
from workloads import Trace, open_recording, save_trace
from workloads.generators.draws import Draws
from workloads.traces.events import COMPACT, FREE, OUT, Events, concat

HERE = Path(__file__).parent
RECORDINGS = ("gcc", "pandas", "redis", "node")
GENERATED = {  # seed apart
    "random": "random:events=150000,slots=40000,pages=12000",
    "text": f"recipe:file={HERE / 'recipes' / 'text.toml'}",
    "usr-lib": f"recipe:file={HERE / 'recipes' / 'usr-lib.toml'}",
    "desktop": "recipe:file=desktop,events=150000,slots=40000",
}
SEEDS = range(5)
CODECS = ("lz4", "lzo", "lzo-rle", "zstd")


def make(folder: Path, tell: Callable[[str], None] = print) -> None:
    """Make all of them, unless they are there and of these very sources."""
    done, digest = folder / "made", _digest()
    if done.exists() and done.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, trace in [*((name, open_recording(name)) for name in RECORDINGS), *_generated(folder, tell)]:
        tell(f"trace {name}")
        save_trace(churned(trace, f"{name}-churned"), folder / f"{name}-churned.cswap")
    done.write_text(digest)


def _generated(folder: Path, tell: Callable[[str], None]) -> list[tuple[str, Trace]]:
    found = []
    for name, spec in GENERATED.items():
        for seed in SEEDS:
            tell(f"trace {name}-{seed}")
            made = without_contents(GENERATORS.make(f"{spec},seed={seed}").trace(), f"{name}-{seed}")
            found.append((f"{name}-{seed}", save_trace(made, folder / f"{name}-{seed}.cswap")))
    return found


def without_contents(trace: Trace, name: str) -> Trace:
    """The same with the sizes that the codecs make of its pages; times are left out: they would be this machine's."""
    made = [size_pages(trace, COMPRESSORS.make(codec)) for codec in CODECS if trace.content]
    known = {
        s.meta["codec"]: replace(s, **dict.fromkeys(("compress_ns", "decompress_ns"), 0 * s.compress_ns)) for s in made
    }
    return _copy(trace, concat([*trace.batches()]), name, known or None)


def churned(trace: Trace, name: str) -> Trace:
    """The trace until its churned moment, and a compaction."""
    events = concat([*trace.batches()])
    live, held = live_slots(events, trace.n_slots)
    half = -(-int(live.max()) // 2)
    kept = events[: int(np.flatnonzero(live >= half)[-1]) + 1]
    freed = np.flatnonzero(held)[np.argsort(Draws(name).words(int(held.sum())), kind="stable")][
        : max(0, live[-1] - half)
    ]
    kind = np.append(np.full(len(freed), FREE), COMPACT).astype(events.kind.dtype)
    slot = np.append(freed, 0).astype(events.slot.dtype)
    last = {  # all of it at the last time
        column: np.full(len(kind), values[-1], values.dtype)
        for column, values in kept.columns().items()
        if column in ("time_ns", "task")
    }
    return _copy(trace, concat([kept, Events(kind, slot, np.full(len(kind), -1, events.page.dtype), **last)]), name)


def live_slots(events: Events, n_slots: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """How many slots are in use after each event, and which after the last."""
    held, live, many = np.zeros(n_slots, np.bool_), 0, np.empty(len(events), np.int64)
    for i, (kind, slot) in enumerate(zip(events.kind.tolist(), events.slot.tolist(), strict=True)):
        if kind in (OUT, FREE):
            live += (kind == OUT) - int(held[slot])
            held[slot] = kind == OUT
        many[i] = live
    return many, held


def _copy(trace: Trace, events: Events, name: str, sizes: object = None) -> Trace:
    known = {codec: trace.sizes(codec) for codec in trace.sizes_codecs()}
    return Trace.from_arrays(name, events, None, sizes or known, trace.source, trace.page_size)  # type: ignore[arg-type]


def _digest() -> str:
    files = [Path(__file__), *sorted((HERE / "recipes").iterdir())]
    return hashlib.sha256("".join([str(sources()), *(file.read_text() for file in files)]).encode()).hexdigest()
