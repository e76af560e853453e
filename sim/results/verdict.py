"""What a result says in words: computed from its frames, for those that can be judged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.plots.names import distinguished, geometric_mean
from sim.timing.latency import CODEC, run_columns

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

IDEAL, ORDER1, BASE = "ideal", "order1", "zsmalloc"
MOST_TRACES = 2  # whose memory is told one by one
MIB = 2**20


def verdict(result: Result) -> list[str]:
    """Sentences: the densest allocator, what order-1 and chains cost, zstd against lz4, memory, sizes confirmed."""
    density = result.density
    return [
        *_of_density(result),
        *_memory(density),
        *_refused(density),
        *_confirmed(result.provenance.get("confirmed", {})),
    ]


def _of_density(result: Result) -> Iterator[str]:
    rows = result.density
    first = rows[rows["frontend"] == rows["frontend"].iloc[0]]
    key = [name for name in run_columns(rows.columns) if name not in ("allocator", "frontend")]
    judged = first[~first["small"] & first["density"].notna()]
    table = judged.pivot_table(index=key, columns="allocator", values="density", dropna=True, sort=False).dropna(axis=1)
    names = [name for name in table if name != IDEAL]
    if not names:
        return
    ideal = judged.groupby(key, sort=False)["ideal_density"].max().loc[table.index]
    if len(names) > 1:
        yield _densest(table[names], ideal)
    base = _base(names)
    yield from _order1(table, base)
    yield from _chains(table)
    yield from _zstd(judged[judged["allocator"] == base], result.latency, base)


def _base(names: list[Any]) -> str:
    """The allocator that others are compared with."""
    zsmallocs = [name for name in names if str(name).startswith(BASE)]
    return str((zsmallocs or names)[0])


def _densest(table: pd.DataFrame, ideal: pd.Series[float]) -> str:
    """The densest in the geometric mean, its share of the ideal, and the others beside it."""
    label = distinguished(table.columns)
    mean = table.apply(geometric_mean).sort_values(ascending=False, kind="stable")
    best = str(mean.index[0])
    others = ", ".join(f"{label[name]} {_ratio(table[name] / table[best])}" for name in mean.index[1:])
    return f"Densest: {label[best]}, {_ratio(table[best] / ideal)} of ideal. Others, of its density: {others}."


def _ratio(values: pd.Series[float]) -> str:
    """The geometric mean, and the range if there are several."""
    mean = f"{geometric_mean(values):.2f}"
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return mean if low == high else f"{mean} ({low}-{high})"


def _order1(table: pd.DataFrame, base: str) -> Iterator[str]:
    if ORDER1 not in table or not base.startswith(BASE):
        return
    ratio = table[base] / table[ORDER1]
    mean = geometric_mean(ratio)
    costs = "costs no density" if mean >= 1 else f"costs {1 - mean:.0%} of the density"
    yield f"Avoiding order-1 {costs}: {base} has {_ratio(ratio)} of order1's."


def _chains(table: pd.DataFrame) -> Iterator[str]:
    chains = {name: _chain(str(name)) for name in table if str(name).partition(":")[0] == BASE}
    known: dict[int, Any] = {}
    for name, chain in chains.items():
        if chain:
            known.setdefault(chain, name)
    if len(known) < 2:
        return
    best = max(known, key=lambda chain: geometric_mean(table[known[chain]]))
    others = ", ".join(f"{c} {_ratio(table[known[c]] / table[known[best]])}" for c in sorted(known) if c != best)
    yield f"Densest chain size of zsmalloc: {best}. Others, of its density: {others}."


def _chain(spec: str) -> int:
    """The chain size of a zsmalloc of today; 0 for one that differs in more than that."""
    settings = spec.partition(":")[2]
    if not settings:
        return 8
    key, _, value = settings.partition("=")
    return int(value) if key == "chain" and value.isdigit() else 0


def _zstd(rows: pd.DataFrame, latency: pd.DataFrame, base: str) -> Iterator[str]:
    """Pages and times of zstd at its first level given, over those of lz4."""
    zstd = next((codec for codec in rows["compressor"] if str(codec).startswith("zstd")), None)
    key = [name for name in run_columns(rows.columns) if name not in ("allocator", "frontend", "compressor")]
    pages = rows.pivot_table(index=key, columns="compressor", values="pages_peak").dropna()
    if zstd is None or "lz4" not in pages or zstd not in pages or pages.empty:
        return
    text = f"zstd against lz4, in {base}: {_ratio(pages[zstd] / pages['lz4'])} of the pages"
    times = latency[latency["operation"] == CODEC]
    mean = times.groupby(["compressor", "part"])["mean_us"].mean()
    if {(codec, part) for codec in ("lz4", zstd) for part in ("compress", "decompress")} <= set(mean.index):
        parts = [f"{mean[zstd, p]:.1f} us to {p} one (lz4 {mean['lz4', p]:.1f})" for p in ("compress", "decompress")]
        text += f"; on this machine it takes {', '.join(parts)}"
    yield text + "."


def _memory(density: pd.DataFrame) -> Iterator[str]:
    """What disksize must allow and how much RAM is taken, for a few traces."""
    if density["trace"].nunique() > MOST_TRACES:
        return
    for trace, rows in density.groupby("trace", sort=False):
        page = float(rows["page_size"].iloc[0])
        slots = int(rows["slots_max"].iloc[0])
        real = rows[rows["allocator"] != IDEAL]
        least = (real if len(real) else rows).sort_values("pages_max", kind="stable").iloc[0]
        allowed = f"{slots * page / MIB:.1f} MiB, what disksize must allow"
        yield f"{trace}: at most {slots:,} pages in slots ever ({allowed})."
        if least["small"]:
            continue
        yield (
            f"Least RAM: {least['allocator']} with {least['compressor']}, at most "
            f"{least['pages_max'] * page / MIB:.1f} MiB ever, {least['pages_mean'] * page / MIB:.1f} in the mean."
        )


def _refused(density: pd.DataFrame) -> Iterator[str]:
    refused = density.groupby("allocator", sort=False)["refused"].sum()
    if (refused > 0).any():
        label = distinguished(density["allocator"])
        told = ", ".join(f"{label[name]} {number:,}" for name, number in refused[refused > 0].items())
        yield f"Page-outs refused, each a whole page elsewhere: {told}."


def _confirmed(confirmed: dict[str, dict[str, list[int]]]) -> Iterator[str]:
    counts = [count for codecs in confirmed.values() for count in codecs.values()]
    if counts:
        equal, of = (sum(count[i] for count in counts) for i in (0, 1))
        yield f"{equal:,} of {of:,} sizes confirmed by compressing the samples' pages here."
