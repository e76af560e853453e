"""What a result says in words: computed from its frames, for those that can be judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sim.plots.names import distinguished, family_of, geometric_mean, settings_of
from sim.timing.latency import CODEC, run_columns

if TYPE_CHECKING:
    import pandas as pd

    from sim.results.result import Result

IDEAL, ORDER1, BASE = "ideal", "order1", "zsmalloc"
MOST_TRACES = 2  # whose memory is told one by one
EQUAL = 0.005  # densities that differ by less are told as one
MIB = 2**20


def verdict(result: Result) -> list[str]:
    """Sentences: the densest allocator, what order-1 and chains cost, zstd against lz4, memory, refused page-outs.

    One that the result cannot answer is left out.
    """
    rows = result.density[result.density["slots_max"] > 0]
    key = [name for name in run_columns(rows.columns) if name != "allocator"]
    rows = rows.assign(**{name: rows[name].astype(str) for name in key})  # a memory without limit has no number
    judged = rows[~rows["small"] & rows["density"].notna()]
    table = judged.pivot_table(index=key, columns="allocator", values="density", sort=False).dropna(axis=1)
    names = [str(name) for name in table if name != IDEAL]
    base = base_of(names)
    return [
        *_densest(table[names], judged.groupby(key, sort=False)["ideal_density"].max()),
        *_order1(table, base),
        *_chains(table),
        *_zstd(rows, result.latency, base or base_of(rows["allocator"])),
        *_memory(rows),
        *_refused(rows),
    ]


def base_of(names: Iterable[str]) -> str:
    """The allocator that others are compared with: the first zsmalloc, else the first; empty if there is none."""
    names = list(names)
    return next((name for name in names if family_of(name) == BASE), next(iter(names), ""))


def chains_of(names: Iterable[str]) -> dict[int, str]:
    """Those that are today's zsmalloc but for the chain size, by chain size; none unless there are several."""
    specs = [name for name in names if name == BASE or name.startswith(f"{BASE}:chain=")]
    sizes = {spec: setting.partition("=")[2] for spec, setting in settings_of(specs).items()}
    return {int(size): spec for spec, size in sizes.items() if size.isdigit()} if len(specs) > 1 else {}


def _densest(table: pd.DataFrame, ideal: pd.Series[float]) -> Iterator[str]:
    """The densest in the geometric mean, its share of the ideal, and the others beside it.

    Other chain sizes and order1 have sentences of their own.
    """
    if table.empty:
        return
    label = distinguished(table.columns)
    mean = table.apply(geometric_mean).sort_values(ascending=False, kind="stable")
    first = list(mean.index[mean > mean.iloc[0] * (1 - EQUAL)])
    share = ("on average " if len(table) > 1 else "") + _ratio(table[first[0]] / ideal.loc[table.index])
    which = _listed(first, settings_of(table.columns))
    yield f"Densest: {which}, {share} of ideal." if len(mean) > 1 else f"{which} reaches {share} of ideal."
    base = base_of(table.columns)
    told = {*first, *chains_of(table.columns).values(), *([ORDER1] if _compared(table, base) else [])} - {base}
    others = [name for name in mean.index if name not in told and name not in first]
    if others:
        found = ", ".join(f"{label[name]} {_ratio(table[name] / table[first[0]])}" for name in others)
        yield f"Relative to {label[first[0]]}: {found}."


def _listed(names: list[str], settings: dict[Any, str]) -> str:
    """Allocators in words, each family named once."""
    words: list[str] = []
    for family in dict.fromkeys(map(family_of, names)):
        first, *more = (settings[name] for name in names if family_of(name) == family)
        words += [f"{family} {first}".strip(), *more]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _ratio(values: pd.Series[float]) -> str:
    """The geometric mean, and the range if there are several."""
    mean = f"{geometric_mean(values):.2f}"
    low, high = f"{values.min():.2f}", f"{values.max():.2f}"
    return mean if low == high else f"{mean} ({low}-{high})"


def _compared(table: pd.DataFrame, base: str) -> bool:
    return ORDER1 in table and family_of(base) == BASE


def _order1(table: pd.DataFrame, base: str) -> Iterator[str]:
    if not _compared(table, base) or table.empty:
        return
    ratio = table[ORDER1] / table[base]
    costs = f"{1 - 1 / geometric_mean(ratio):.0%} of the density"
    costs = "no density" if geometric_mean(ratio) < 1 + EQUAL else costs
    yield f"Avoiding order-1 costs {costs}: order1 has {_ratio(ratio)} of {base}'s."


def _chains(table: pd.DataFrame) -> Iterator[str]:
    chains = chains_of(table.columns)
    if not chains or table.empty:
        return
    usual = next((size for size, name in chains.items() if name == BASE), min(chains))
    first, *more = [
        (size, _ratio(table[chains[size]] / table[chains[usual]])) for size in sorted(chains) if size != usual
    ]
    others = "".join(f", {size} {ratio}" for size, ratio in more)
    yield f"Chain size {first[0]} has {first[1]}{others} of the density of {usual}."


def _zstd(rows: pd.DataFrame, latency: pd.DataFrame, base: str) -> Iterator[str]:
    """Pages and times of zstd at its first level given, over those of lz4; bytes where no pool can be judged."""
    mine = rows[rows["allocator"] == base]
    large = mine[~mine["small"]]
    mine, what = (large.assign(taken=1 / large["density"]), "pages") if len(large) else (mine, "bytes")
    mine = mine.rename(columns={"bytes_peak": "taken"}) if what == "bytes" else mine
    zstd = next((codec for codec in mine["compressor"] if family_of(codec) == "zstd"), None)
    key = [name for name in run_columns(rows.columns) if name not in ("allocator", "compressor")]
    taken = mine[mine["taken"] > 0].pivot_table(index=key, columns="compressor", values="taken")
    if zstd is None or "lz4" not in taken or (taken := taken[["lz4", zstd]].dropna()).empty:
        return
    text = f"zstd instead of lz4, in {base}: {_ratio(taken[zstd] / taken['lz4'])} of the {what}"
    if latency.empty:  # a shipped result: densities alone
        yield text + "."
        return
    times = latency[(latency["operation"] == CODEC) & latency["trace"].isin(taken.index.get_level_values("trace"))]
    mean = times.groupby(["compressor", "part"])["mean_us"].mean()
    if {(codec, part) for codec in ("lz4", zstd) for part in ("compress", "decompress")} <= set(mean.index):
        parts = [f"{mean[zstd, p]:.1f} us instead of {mean['lz4', p]:.1f} to {p}" for p in ("compress", "decompress")]
        text += f"; {' a page, '.join(parts)} it"
    yield text + "."


def _memory(rows: pd.DataFrame) -> Iterator[str]:
    """What disksize must allow and how much RAM is taken, for a few traces."""
    if rows["trace"].nunique() > MOST_TRACES:
        return
    for trace, runs in rows.groupby("trace", sort=False):
        page = float(runs["page_size"].iloc[0])
        slots = int(runs["slots_max"].iloc[0])
        what = f"{slots * page / MIB:.1f} MiB ({slots:,} pages, the most ever in slots)"
        yield f"{trace}: disksize must allow {what}." if _zram(runs) else f"{trace}: {what}."
        real = runs[(runs["allocator"] != IDEAL) & ~runs["small"] & (runs["refused"] == 0)]
        if real.empty or real["frontend"].nunique() > 1:
            continue
        least = real.sort_values("pages_max", kind="stable").iloc[0]
        yield (
            f"{'Least RAM' if len(real) > 1 else 'RAM'}: {least['allocator']} with {least['compressor']}, at most "
            f"{least['pages_max'] * page / MIB:.1f} MiB ever, {least['pages_mean'] * page / MIB:.1f} on average."
        )


def _zram(rows: pd.DataFrame) -> bool:
    return bool(rows["frontend"].map(family_of).eq("zram").any())


def _refused(density: pd.DataFrame) -> Iterator[str]:
    refused = density.groupby("allocator", sort=False)["refused"].sum()
    if (refused > 0).any():
        label = distinguished(density["allocator"])
        told = ", ".join(f"{label[name]} {number:,}" for name, number in refused[refused > 0].items())
        yield f"Page-outs refused (a whole page each): {told}."


def confirmed(result: Result) -> str:
    """How many sizes of shipped recordings were confirmed; empty if none was looked at."""
    found = result.provenance.get("confirmed", {})
    counts = [count for codecs in found.values() for count in codecs.values()]
    equal, of = (sum(count[i] for count in counts) for i in (0, 1))
    return f"{equal:,} of {of:,} sizes confirmed by compressing the samples' pages here." if counts else ""
