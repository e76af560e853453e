"""zram's rules one by one, and compiled against plain Python; the golden rows are in `validate/test_recorded.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sim.replay.replay
from allocators.zspages.zsmalloc import Zsmalloc
from sim.errors import SpecError
from sim.frontends.zram import Zram
from sim.plugins import FRONTENDS
from sim.replay.loop import replay as loop
from sim.validate.prediction import Prediction
from workloads.host.mmstat import MmStat
from workloads.traces.events import COMPACT, FREE, IN, OUT, Events
from workloads.traces.sizes import Sizes

SMALL, LARGE, HUGE, SAME = range(4)


def sizes() -> Sizes:
    given = Sizes.given([100, 3000, 3625, 20])
    given.same_filled[SAME] = True
    return given


def after(*steps: tuple[int, ...], mem_limit: int = 0) -> MmStat:
    """mm_stat after (kind, slot, page) of some events; a page only for OUT."""
    prediction = Prediction(8, sizes(), Zsmalloc(), Zram(mem_limit=mem_limit))
    for kind, slot, *page in steps:
        prediction.apply(Events.of([kind], [slot], page or [-1]))
    prediction.allocator.check()
    return prediction.mm_stat()


def test_fields() -> None:
    found = after((OUT, 0, SMALL), (OUT, 1, SAME), (OUT, 2, HUGE), (IN, 0))
    pages = found.mem_used_total
    assert found == MmStat(3 * 4096, 100 + 4096, pages, 0, pages, 1, 0, 1, 1)


def test_huge_pages_are_forgotten_but_counted() -> None:
    found = after((OUT, 0, HUGE), (OUT, 0, HUGE), (OUT, 1, HUGE), (FREE, 1), (OUT, 0, SMALL))
    assert (found.huge_pages, found.huge_pages_since) == (0, 3)


def test_an_overwrite_needs_both_objects_for_a_moment() -> None:
    found = after((OUT, 0, HUGE), (OUT, 0, HUGE))
    assert (found.mem_used_total, found.mem_used_max) == (4096, 8192)
    assert after((OUT, 0, HUGE), (OUT, 0, SAME)) == MmStat(4096, 0, 0, 0, 4096, 1, 0, 0, 1)


def test_reads_and_frees_of_empty_slots_change_nothing() -> None:
    assert after((FREE, 3), (IN, 3), (COMPACT, 0)) == MmStat(*[0] * 9)


def test_beyond_the_limit_a_write_fails_and_the_old_content_stays() -> None:
    found = after((OUT, 0, HUGE), (OUT, 0, HUGE), (OUT, 1, HUGE), mem_limit=4000)
    assert found == MmStat(4096, 4096, 4096, 4096, 8192, 0, 0, 1, 1)
    assert after((OUT, 0, HUGE), (OUT, 0, SAME), mem_limit=1).orig_data_size == 4096


def random_events(n: int) -> Events:
    rng = np.random.default_rng(0)
    kind = rng.choice(4, n, p=[0.6, 0.15, 0.24, 0.01])
    slot = np.where(kind == COMPACT, 0, rng.integers(0, 8, n))
    return Events.of(kind, slot, np.where(kind == OUT, rng.integers(0, 4, n), -1))


@pytest.mark.parametrize("mem_limit", [0, 20_000])
def test_plain_python_is_equal(mem_limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows() -> list[Any]:
        prediction = Prediction(8, sizes(), Zsmalloc(), Zram(mem_limit=mem_limit))
        events = random_events(3000)
        found = []
        for start in range(0, len(events), 100):
            prediction.apply(events[start : start + 100])
            found.append((prediction.mm_stat(), int(prediction.device.slots.tally[0].refusals)))
        return found

    compiled = rows()
    assert (compiled[-1][1] > 0) == (mem_limit > 0)
    monkeypatch.setattr(sim.replay.replay, "loop", getattr(loop, "py_func", loop))
    assert rows() == compiled


def test_spec() -> None:
    assert FRONTENDS.make("zram").spec == "zram"
    assert FRONTENDS.make("zram:mem_limit=8192").spec == "zram:mem_limit=8192"
    with pytest.raises(SpecError, match="mem_limit=-1: give 0"):
        FRONTENDS.make("zram:mem_limit=-1")
