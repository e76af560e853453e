"""The lines for files and commands."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sim.advice.settings import settings

PLAIN: dict[str, Any] = {
    **{"codec": "lz4", "frontend": "zram", "max_pool_percent": 35, "vm.page-cluster": 0, "disksize": "124M"},
    **{"mem_limit": "22M", "recompression": "no", "writeback": "no", "compaction": "no"},
}
FULL = PLAIN | {
    **{"codec": "zstd:level=1", "recompression": "zstd:level=9, huge_idle", "writeback": "huge_idle+idle"},
    **{"compaction": "yes"},
}
CONTROL = Path("/sys/class/zram-control")


def test_zram() -> None:
    lines = settings(PLAIN)
    assert [line for line in lines["zram-generator.conf"] if not line.startswith("#")] == [
        "[zram0]",
        "zram-size = 124",
        "zram-resident-limit = 22",
        "compression-algorithm = lz4",
    ]
    assert lines["sysctl"] == ["vm.page-cluster = 0"]
    files = [line.rpartition("/")[2] for line in lines["sh"] if line.startswith("echo")]
    assert files == ["comp_algorithm", "disksize", "mem_limit"]


def test_algorithms_and_the_backing_device_come_before_the_size() -> None:
    lines = settings(FULL)
    assert "compression-algorithm = zstd(level=1) zstd(level=9) (type=huge_idle)" in lines["zram-generator.conf"]
    files = [line.rpartition("/")[2] for line in lines["sh"] if line.startswith("echo")]
    first = ["comp_algorithm", "algorithm_params", "recomp_algorithm", "algorithm_params", "backing_dev"]
    assert files[: files.index("disksize")] == first
    assert files[files.index("mem_limit") + 1 :] == ["recompress", "writeback", "writeback", "idle", "compact"]
    assert 'echo "algo=zstd level=1" > /sys/block/zram0/algorithm_params' in lines["sh"]


def test_zswap_and_neither() -> None:
    lines = settings(FULL | {"frontend": "zswap"})
    assert "zram-generator.conf" not in lines
    assert "echo 35 > /sys/module/zswap/parameters/max_pool_percent" in lines["sh"]
    assert "echo zstd > /sys/module/zswap/parameters/compressor" in lines["sh"], "it cannot be told a level"
    assert not any("zram" in line for line in lines["sh"])
    none = settings({"codec": "none", "vm.page-cluster": 3})
    assert none["sysctl"] == ["vm.page-cluster = 3"]
    assert not any("zswap/" in line or "block/" in line for line in none["sh"])


def test_a_trace_that_does_not_name_its_compressor_sets_none() -> None:
    told = settings(PLAIN | {"codec": None})
    assert not any("algorithm" in line for lines in told.values() for line in lines)


@pytest.mark.live
def test_a_device_takes_them_in_this_order(alone: None) -> None:
    """But for swapping on it, and page-cluster, which is the host's."""
    try:
        number = (CONTROL / "hot_add").read_text().strip()
    except OSError as error:
        pytest.skip(f"needs root and zram: {error}")
    try:
        lines = [line for line in settings(PLAIN | {"compaction": "yes"})["sh"] if line.startswith("echo")]
        script = "\n".join(["set -e", *lines]).replace("/zram0/", f"/zram{number}/")
        subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
        device = Path(f"/sys/block/zram{number}")
        assert "[lz4]" in (device / "comp_algorithm").read_text()
        assert int((device / "disksize").read_text()) == 124 << 20
        assert int((device / "mm_stat").read_text().split()[3]) == 22 << 20
    finally:
        (CONTROL / "hot_remove").write_text(number)
