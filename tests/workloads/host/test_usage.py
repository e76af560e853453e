"""What a cgroup's memory consists of, as kernels of both versions tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workloads.host.usage import Usage, UsageFiles

FIRST = {
    "mm_stat": "4096 69 20480 0 24576 0 0 0 0\n",
    "memory.limit_in_bytes": "41943040\n",
    "memory.usage_in_bytes": "33710080\n",
    "memory.kmem.usage_in_bytes": "143360\n",
    "memory.stat": "cache 1\nrss 2\ntotal_cache 9000\ntotal_rss 30000\ntotal_shmem 1000\ntotal_swapcached 500\n",
}
SECOND = {
    "mm_stat": FIRST["mm_stat"],
    "memory.high": "41943040\n",
    "memory.current": "33710080\n",
    "memory.stat": "anon 30000\nfile 9000\nkernel 143360\npagetables 4096\nshmem 1000\nswapcached 500\n",
}


@pytest.mark.parametrize(
    ("version", "files", "gone", "usage"),
    [
        (1, FIRST, "", Usage(41943040, 33710080, 30000, 1000, 7500, 500, 143360, -1, 20480)),
        (1, FIRST, "memory.kmem.usage_in_bytes", Usage(41943040, 33710080, 30000, 1000, 7500, 500, -1, -1, 20480)),
        (1, FIRST, "total_swapcached 500", Usage(41943040, 33710080, 30000, 1000, 8000, -1, 143360, -1, 20480)),
        (1, FIRST, "total_cache 9000", Usage(41943040, 33710080, 30000, 1000, -1, 500, 143360, -1, 20480)),
        (2, SECOND, "", Usage(41943040, 33710080, 30000, 1000, 7500, 500, 143360, 4096, 20480)),
        (2, SECOND, "kernel 143360", Usage(41943040, 33710080, 30000, 1000, 7500, 500, -1, 4096, 20480)),
        (2, {**SECOND, "memory.high": "max\n"}, "", Usage(-1, 33710080, 30000, 1000, 7500, 500, 143360, 4096, 20480)),
    ],
)
def test_parsed(version: int, files: dict[str, str], gone: str, usage: Usage, tmp_path: Path) -> None:
    for name, text in files.items():
        if name != gone:
            (tmp_path / name).write_text(text.replace(gone, "") if gone else text)
    with UsageFiles(tmp_path, version, tmp_path) as reading:
        assert reading.read() == usage
        assert reading.read() == usage, "from the beginning again"
        assert reading.pool() == usage.pool


def test_files_may_lag_behind_each_other(tmp_path: Path) -> None:
    for name, text in FIRST.items():
        (tmp_path / name).write_text(text.replace("total_cache 9000", "total_cache 900"))
    with UsageFiles(tmp_path, 1, tmp_path) as reading:
        assert reading.read().file == 0
