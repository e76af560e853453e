"""The program's share of a machine, against a pool and a cgroup that are made up."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from workloads.host.cgroup import MemoryCgroup
from workloads.recorder import share as module
from workloads.recorder.share import LEAST, STEP, Share

RAM = 64 << 20


class Pool:
    """Bytes it takes; how many more at each look."""

    def __init__(self, size: int = 0, growth: int = 0) -> None:
        self.size, self.growth = size, growth

    def __call__(self) -> int:
        self.size += self.growth
        return self.size


@pytest.fixture(params=[1, 2])
def cgroup(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryCgroup:
    made = MemoryCgroup(tmp_path, request.param)
    made.limit(RAM)
    return made


def in_force(cgroup: MemoryCgroup) -> int:
    return int((cgroup.path / {1: "memory.limit_in_bytes", 2: "memory.high"}[cgroup.version]).read_text())


def test_the_program_has_what_the_pool_leaves(cgroup: MemoryCgroup) -> None:
    pool = Pool()
    share = Share(cgroup, pool, RAM)
    for size in (0, 8192, 12_288 + 1, 20 << 20, 10 << 20, 0):
        pool.size = size
        share.follow()
        assert in_force(cgroup) == share.limit == (RAM - size) // 4096 * 4096
    account = share.account()
    assert (account["limits"]["min"], account["limits"]["max"]) == (44 << 20, RAM)
    assert account["limits"]["min"] < account["limits"]["mean"] <= RAM
    assert account["excess"]["max"] == (20 << 20) - 16_384, "at the look that found the pool so much larger"
    assert (account["too_small"], account["limit_busy"]) == (0, 0)


def test_it_is_lowered_in_steps_that_a_program_cannot_outrun(
    cgroup: MemoryCgroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[int] = []
    move = cgroup.move
    monkeypatch.setattr(cgroup, "move", lambda size: moved.append(size) or move(size))
    Share(cgroup, Pool(4 * STEP - 4096, 1024), RAM).follow()
    assert len(moved) >= 4
    assert max(above - below for above, below in zip([RAM, *moved], moved, strict=False)) == STEP
    assert moved[-1] == in_force(cgroup) < RAM - 4 * STEP + 4096, "the pool has grown meanwhile"


def test_a_limit_that_is_busy_is_tried_again(cgroup: MemoryCgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    share = Share(cgroup, Pool(STEP), RAM)
    write = MemoryCgroup._set

    def refuse(number: int) -> None:
        def busy(self: MemoryCgroup, name: str, value: int) -> None:
            raise OSError(number, "no")

        monkeypatch.setattr(MemoryCgroup, "_set", busy)

    refuse(errno.EBUSY)
    share.follow()
    share.follow()
    assert in_force(cgroup) == share.limit == RAM
    refuse(errno.EIO)
    with pytest.raises(OSError, match="no"):
        share.follow()
    monkeypatch.setattr(MemoryCgroup, "_set", write)
    share.follow()
    assert in_force(cgroup) == share.limit == RAM - STEP
    assert share.account()["limit_busy"] == 2


def test_a_pool_that_takes_it_all_leaves_the_least(cgroup: MemoryCgroup, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    pool = Pool()
    share = Share(cgroup, pool, RAM)
    assert share.account()["limits"] == {"min": RAM, "mean": RAM, "max": RAM}, "over before it began"
    clock[0] = 3.0
    share.follow()
    pool.size = RAM + 8192
    clock[0] = 4.0
    share.follow()
    assert in_force(cgroup) == share.limit == LEAST
    assert share.account() == {
        "limits": {"min": LEAST, "mean": RAM, "max": RAM},
        "excess": {"mean": round((RAM + 8192) / 4), "max": RAM + 8192},
        "too_small": 0.25,
        "limit_busy": 0,
    }
