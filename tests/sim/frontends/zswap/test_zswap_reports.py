"""The reports of May 2023 on a shipped recording, era by era and pool by pool: the table of docs/models.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim import Experiment, run

TABLE = re.compile(
    r"^\| `(era=[\d.]+)` \| ([\d,]+ / [\d,]+) \| ([\d,]+ / [\d,]+) \| ([\d,]+ / [\d,]+) \|$", re.MULTILINE
)
MODELS = Path(__file__).parents[4] / "docs" / "models.md"
POOLS = ("zbud", "z3fold", "zsmalloc:era=6.1")


@pytest.mark.slow
def test_refused_and_written_back_by_era_and_pool() -> None:
    shown = {row[0]: row[1:] for row in TABLE.findall(MODELS.read_text())}
    assert list(shown) == ["era=5.4", "era=6.1", "era=6.6", "era=6.18"]
    frontends = tuple(f"zswap:{era},ram_pages=51200" for era in shown)
    counters = run(Experiment(("redis",), frontends, ("lz4",), (*POOLS, "zsmalloc:era=6.2"))).counters
    value = counters.set_index(["frontend", "allocator", "counter"])["value"].to_dict()
    for era, frontend in zip(shown, counters["frontend"].unique(), strict=True):
        found = [[value[frontend, pool, name] for name in ("reject_full", "written_back")] for pool in POOLS]
        assert tuple(f"{refused:,} / {written:,}" for refused, written in found) == shown[era]
    later = [value[frontends[1], "zsmalloc:era=6.2", name] for name in ("written_back", "reject_full")]
    assert "writes {:,} pages back and refuses {:,}.".format(*later) in " ".join(MODELS.read_text().split())
