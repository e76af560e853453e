"""A calibration in a few rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

KEY = ["item", "part", "state"]


def codec_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per codec, part and state: `p50_us`, `p95_us`, `p99_us` of all samples, and between which values the
    medians of the processes lie.
    """
    rows = []
    for (codec, part, state), group in frame[frame["measure"] == "codec"].groupby(KEY):
        us = group["ns"] / 1e3
        medians = us.groupby(group["process"]).median()
        p50, p95, p99 = (float(us.quantile(q)) for q in (0.5, 0.95, 0.99))
        rows.append(
            {"codec": codec, "part": part, "pages": state, "p50_us": p50, "p95_us": p95, "p99_us": p99}
            | {"p50_low_us": float(medians.min()), "p50_high_us": float(medians.max()), "count": len(us)}
        )
    return rows
