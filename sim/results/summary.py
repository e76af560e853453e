"""The summary of a result as a table: a row per trace and compressor, a column per allocator, the ideal last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

IDEAL = "ideal"
CAPTION = "Compressed pages per physical page at each trace's fullest moment"


def summary(density: pd.DataFrame) -> pd.DataFrame:
    """Densities side by side; what else tells runs apart is part of the row where there are several of it.

    Those of a pool too small to judge are missing, and so is an allocator that has no others.
    """
    from sim.results.density import small_pools
    from sim.timing.latency import run_columns

    if density.empty:
        return density
    keys = [name for name in run_columns(density.columns) if name != "allocator"]
    keys = [name for name in keys if name in ("trace", "compressor") or density[name].nunique(dropna=False) > 1]
    small = small_pools(density)
    judged = density.assign(density=density["density"].mask(small), bound=density["ideal_density"].mask(small))
    table = judged.set_index([*keys, "allocator"])["density"].unstack("allocator", sort=False)
    names = [name for name in table if name != IDEAL]
    table[IDEAL] = judged.groupby(keys, sort=False, dropna=False)["bound"].max().to_numpy()
    return table[[*names, IDEAL]].dropna(axis="columns", how="all").rename_axis(columns=None)


def as_html(density: pd.DataFrame) -> str:
    """The summary as Jupyter shows it."""
    if density.empty:
        return "<p>no run was finished</p>"
    from html import escape

    from sim.results.density import small_pools

    frontends = ", ".join(escape(str(name)) for name in density["frontend"].unique())
    lines = [f"{CAPTION}, in {frontends}"]
    if small_pools(density).any():
        lines.append("empty: a pool too small to judge")
    table = summary(density).to_html(float_format="{:.2f}".format, na_rep="", border=0)
    return "\n".join([*(f"<p>{line}</p>" for line in lines), table])
