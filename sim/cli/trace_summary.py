"""A trace on one screen: some 40 lines of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.units import size_text
from workloads.shown import shown

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Facts = dict[str, Any]
    Floats = npt.NDArray[Any]

WIDTH = 80
HEAD = 12  # columns of the words that lines begin with
SOURCE_LINES = 6
RECORDED = (
    "kind",
    "command",
    "limit",
    "ram",
    "backend",
    "kernel",
    "began",
    "ended",
)  # of a recording's source, in brief
CODECS = 5
TASKS = 4
BARS = "▁▂▃▄▅▆▇█"
UNKNOWN = "unknown"


def summary(facts: Facts, live: pd.DataFrame | None, full: bool = False) -> list[str]:
    """The lines; `facts` as `sim.analysis.facts` has them, `live` the samples of the curve."""
    lines = [shown(facts["name"])[:WIDTH], *_source(facts["source"], full), "", *_events(facts)]
    if live is None:
        lines += _line("live slots", f"{UNKNOWN}: more slots than a device has; `cswap trace sample --share 1` helps")
    else:
        lines += [
            *_live(facts, live),
            "",
            *_distances(facts),
            "",
            *_contents(facts),
            *_sizes(facts["compressors"], facts["out"], facts["content"]),
        ]
        lines += _tasks(facts, full)
    return [*lines, *_more(facts, full)]


def _source(source: Facts, full: bool) -> Iterator[str]:
    """Where the trace is from: what was kept of it, in its own words; the counts of recorders with `full`."""
    recorded = source.get("kind") == "recording"
    told = []
    for key, value in source.items():
        if full or not recorded or key in RECORDED:
            told += (
                [f"{key}: {name}: {_word(part)}" for name, part in value.items()]
                if isinstance(value, dict)
                else [f"{key}: {size_text(value) if key in ('limit', 'ram') and _whole(value) else _word(value)}"]
            )
    if full:
        yield from (f"source: {shown(one)}" for one in told)
        return
    text = shown("; ".join(told)) or "source: " + UNKNOWN
    yield from textwrap.wrap(text, WIDTH, max_lines=SOURCE_LINES, placeholder=" ... (--full)", break_on_hyphens=False)


def _events(facts: Facts) -> Iterator[str]:
    counts = [f"{kind} {facts[kind]:,}" for kind in ("out", "in", "free", "compact", "lost") if facts[kind]]
    yield from _line("events", f"{facts['events']:,}{': ' if counts else ''}{', '.join(counts)}")
    for key, told in (("in_never_written", "page-ins of slots never written"), ("in_freed", "page-ins of freed slots")):
        if facts[key]:
            yield from _line("", f"{told}: {facts[key]:,} ({_share(facts[key] / facts['in'])})")
    many = f", {facts['tasks']:,} tasks" if facts["tasks"] else ", tasks unknown"
    yield from _line("time", (UNKNOWN if facts["duration_s"] is None else _time(facts["duration_s"])) + many)
    content = "with contents" if facts["content"] else "without contents"
    yield from _line("pages", f"{facts['unique_pages']:,} unique ones of {facts['page_size']} bytes, {content}")
    numbered = ", numbered anew" if facts["renumbered"] else ""
    yield from _line("slots", f"{facts['slots']:,} used, the highest is {facts['n_slots'] - 1:,}{numbered}")


def _live(facts: Facts, live: pd.DataFrame) -> Iterator[str]:
    told = facts["live"]
    if live.empty:
        yield from _line("live slots", "none")
        return
    clock = live["time_s"] if "time_s" in live and live["time_s"].iloc[-1] > 0 else live["event"]
    yield from _line("live slots", sparkline(clock.to_numpy(), live["slots"].to_numpy(), WIDTH - HEAD))
    when = "" if told["peak_event"] is None else f" after event {told['peak_event']:,}"
    when += "" if told["peak_time_s"] is None else f", {_time(told['peak_time_s'])}"
    size = f"{told['peak'] * facts['page_size'] / 2**20:,.1f} MiB"
    yield from _line(
        "", f"at most {told['peak']:,} ({size}){when}; mean {told['mean']:,.0f}, in the end {told['end']:,}"
    )


def sparkline(clock: Floats, values: Floats, width: int) -> str:
    """The most in each of `width` equal parts of the clock, as a bar; nothing at all as a dot."""
    span = float(clock[-1]) or 1.0
    bins = np.minimum((np.asarray(clock) / span * width).astype(int), width - 1)
    most = np.full(width, -1.0)
    np.maximum.at(most, bins, np.asarray(values, float))
    carried, height = 0.0, []
    last = dict(zip(bins.tolist(), np.asarray(values, float).tolist(), strict=True))
    for i, found in enumerate(most.tolist()):
        height.append(max(found, carried) if found < 0 else found)
        carried = last.get(i, carried)
    top = max(height) or 1.0
    return "".join("." if not h else BARS[min(int(h / top * len(BARS)), len(BARS) - 1)] for h in height)


def _distances(facts: Facts) -> Iterator[str]:
    """Lifetimes and reuse distances, each by counts and by time."""
    lives, reuse = facts["lifetimes"], facts["reuse"]
    ended = lives["freed"] + lives["overwritten"]
    rows: list[tuple[str, int, dict[str, Any], Callable[[float], str]]] = [
        ("lifetime of what was paged out, events", ended, lives["events"], _count)
    ]
    rows += [("                                time", ended, lives["seconds"], _time)]
    rows += [("reuse distance, page-outs in between", reuse["page_ins"], reuse["page_outs"], _count)]
    rows += [("                                time", reuse["page_ins"], reuse["seconds"], _time)]
    yield f"{'':39}{'count':>10}{'p10':>10}{'p50':>10}{'p90':>10}"
    for name, count, found, told in rows:
        if told is _time and facts["duration_s"] is None:
            continue
        cells = ["-" if value is None else told(value) for value in found.values()]
        yield f"{name:39}{count:>10,}" + "".join(f"{cell:>10}" for cell in cells)
    back = _share(reuse["read_back"] / facts["out"]) if facts["out"] else "none"
    ends = f"freed {lives['freed']:,}, overwritten {lives['overwritten']:,}, held {lives['held']:,}"
    yield from _line("page-outs", f"{ends}; read back {back}")


def _contents(facts: Facts) -> Iterator[str]:
    told = {what: _known(row["share"]) for what, row in facts["contents"].items()}
    words = f"zero-filled {told['zero_filled']}, same-filled (with these) {told['same_filled']}"
    yield from _line("contents", f"{words}, duplicate {told['duplicate']}")


def _sizes(compressors: Facts, outs: int, content: bool) -> Iterator[str]:
    """Shares of page-outs by compressed size, in rows that end where size classes do; same-filled ones are left out."""
    if not compressors:
        remedy = "; -c lz4 compresses the pages" if content else ""
        yield from _line("compressed", f"{UNKNOWN}{remedy}")
        return
    shown_ones = dict(list(compressors.items())[:CODECS])
    first = next(iter(shown_ones.values()))
    wide = {codec: max(9, min(len(codec), 13) + 1) for codec in shown_ones}

    def line(name: str, classes: Any, cells: Iterable[str]) -> str:
        cells = [f"{cell:>{width}}" for cell, width in zip(cells, wide.values(), strict=True)]
        return f"{name:16}{'' if classes is None else classes:>10}{''.join(cells)}"[:WIDTH]

    yield line("compressed to", "classes", (shown(codec)[:13] for codec in shown_ones))
    for i, row in enumerate(first["classes"]):
        end = i == len(first["classes"]) - 1
        name = "incompressible" if end and row["classes"] else f"{row['bytes']:,} bytes"
        counts = [codec["classes"][i]["page_outs"] for codec in shown_ones.values()]
        yield line(name, row["classes"], [_share(count / outs) if outs else "-" for count in counts])
    means = [codec["mean_bytes"] for codec in shown_ones.values()]
    yield line("mean, bytes", None, ["-" if mean is None else f"{mean:,.0f}" for mean in means])
    if len(compressors) > CODECS:
        yield f"({len(compressors) - CODECS} more: -c)"


def _tasks(facts: Facts, full: bool) -> Iterator[str]:
    rows = facts["by_task"][: None if full else TASKS]
    if not rows:
        return
    yield ""
    heads = {"task": "task", "events": "events", "page_outs": "page-outs", "page_ins": "page-ins", "frees": "frees"}
    heads |= {"live_peak": "most live"}
    yield "".join(f"{head:>12}" for head in heads.values())
    yield from ("".join(f"{row[key] if key == 'task' else format(row[key], ','):>12}" for key in heads) for row in rows)
    if facts["tasks"] > len(rows):
        yield f"({facts['tasks'] - len(rows)} more tasks{'' if full else ': --full, --out'})"


def _more(facts: Facts, full: bool) -> Iterator[str]:
    """What only some traces have, and what is asked for."""
    shares = {name: facts[f"{name}_share"] for name in ("file", "kernel") if facts[f"{name}_share"] is not None}
    if facts["memory_samples"]:
        told = ", ".join(f"{name} {_share(share)}" for name, share in shares.items()) or UNKNOWN
        yield from _line(
            "memory", f"of what was charged to the program, in {facts['memory_samples']:,} samples: {told}"
        )
    for codec, times in facts["codec_times"].items():
        low_high = [sorted(set(times[f"{part}_p50_us"])) for part in ("compress", "decompress")]
        to, back = (" to ".join(f"{value:.2f}" for value in values) for values in low_high)
        yield f"codec times: {shown(codec)}: {to} us and {back} us, medians of {times['processes']}"
    if full:
        yield from _line("sizes", ", ".join(map(shown, facts["sizes"])) or "none")
        yield from _line("digest", facts["digest"])


def _line(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{head:{HEAD}}", subsequent_indent=" " * HEAD, break_on_hyphens=False
    )


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return UNKNOWN if value is None else str(value)


def _whole(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _known(share: float | None) -> str:
    return UNKNOWN if share is None else _share(share)


def _share(share: float) -> str:
    """In per cent, with a digit that is not 0."""
    percent = 100 * share
    return f"{percent:.1f} %" if percent >= 0.1 or not percent else f"{percent:.1g} %"


def _count(value: float) -> str:
    return f"{value:,}"


def _time(seconds: float) -> str:
    """In the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 else f"{seconds:,.0f} s"
    return f"{seconds / 1e-9:.0f} ns"
