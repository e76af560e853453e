"""What `cswap trace info` tells, as one JSON-safe mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.sizing.retaken import spreads
from workloads.analysis.info import facts as of_events
from workloads.traces.trace import Trace

if TYPE_CHECKING:
    from sim.analysis.analysis import Analysis

ROWS = 8  # of a histogram of compressed sizes, as far as classes end there


def facts(trace: Trace, analysis: Analysis | None) -> dict[str, Any]:
    """All of it; `contents` and `compressors` are None without an analysis, which a trace with too many slots has not.

    `contents` has `page_outs` and their `share` of all by kind (`Analysis.df_contents`). `compressors` has by codec:
    `page_outs`, those that are not same-filled; `mean_bytes` of these; `incompressible`; and `classes`, a histogram
    whose rows end where size classes of zsmalloc do: up to so many `bytes`, how many `classes`, and `page_outs`.
    """
    found = of_events(trace, analysis)
    source = found.pop("source")
    codecs = {codec: spread.row() for codec, spread in spreads(trace).items()}
    found |= {"contents": analysis and _contents(analysis), "compressors": analysis and _compressors(analysis)}
    return found | {"codec_times": codecs, "source": source}


def _counts(analysis: Analysis) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The rows of `df_contents`, by what and compressor."""
    frame = analysis.df_contents().astype(object)
    frame = frame.where(frame.notna(), None)
    return {(row["what"], row["compressor"]): _plain(row) for row in frame.to_dict("records")}


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("page_outs", "share")}


def _contents(analysis: Analysis) -> dict[str, Any]:
    return {what: row for (what, codec), row in _counts(analysis).items() if codec is None}


def _compressors(analysis: Analysis) -> dict[str, Any]:
    rows = _counts(analysis)
    return {codec: _compressor(analysis, codec, rows["incompressible", codec]) for codec in analysis.sizes}


def _compressor(analysis: Analysis, codec: str, incompressible: dict[str, Any]) -> dict[str, Any]:
    table, page_size = analysis.sizes[codec], analysis.trace.page_size
    used = np.where(table.same_filled, 0, analysis.page_outs)
    total = int(used.sum())
    mean = float(used @ table.size.astype(np.float64)) / total if total else None
    ends = _ends(analysis, page_size)
    counts, _ = np.histogram(table.size, [-1, *(end for end, _ in ends[:-1]), np.iinfo(np.int32).max], weights=used)
    classes = [
        {"bytes": end, "classes": number, "page_outs": int(count)}
        for (end, number), count in zip(ends, counts, strict=True)
    ]
    return {"page_outs": total, "mean_bytes": mean, "incompressible": incompressible, "classes": classes}


def _ends(analysis: Analysis, page_size: int) -> list[tuple[int, int | None]]:
    """Where the rows of the histogram end, and how many classes end there or below, since the row before.

    The last class below every eighth of a page but the last two, and the largest of all; then the page. None: nobody
    knows any class.
    """
    if analysis.classes is None:
        return [(page_size * (i + 1) // ROWS, None) for i in range(ROWS)]
    bounds = np.array(analysis.classes[0])
    last = np.searchsorted(bounds, np.arange(1, ROWS - 1) * page_size // ROWS, side="right") - 1
    chosen = sorted({*last[last >= 0].tolist(), len(bounds) - 1})
    numbers = np.diff(chosen, prepend=-1).tolist()
    return [*zip(bounds[chosen].tolist(), numbers, strict=True), (page_size, 1)]
