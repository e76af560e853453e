"""The engine on operations small enough to be followed by hand, and its own checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from timing_kit import Run, works

from sim.errors import UserError
from sim.timing import arrivals
from sim.timing.check import TimingFault
from sim.timing.devices import Device, Service
from sim.timing.work import NO_LOCK, PAGE_IN, PAGE_OUT, Work

SLOW = Device("slow", 1, Service("constant", (100.0,)), Service("constant", (100.0,)), 10.0, "made up")


def test_first_come_first_served() -> None:
    run = Run(works([100.0, 100.0, 100.0], time=[0.0, 10.0, 20.0]))
    assert run["queue"].tolist() == [0, 90, 180]
    assert run.column("ended").tolist() == [100, 200, 300]


def test_two_cpus_and_one_lock() -> None:
    given = {"lock": [0, 0], "hold": [50.0, 50.0], "then": [10.0, 10.0], "time": [0.0, 0.0]}
    for simple in (True, False):  # the short way and the long one
        run = Run(works([100.0, 100.0], simple=[simple] * 2, **given), cpus=2)
        assert run["lock"].tolist() == [0, 50]
        assert run.column("ended").tolist() == [160, 210]
    apart = Run(works([100.0, 100.0], **given | {"lock": [0, 1]}), cpus=2, locks=2)
    assert apart.column("ended").tolist() == [160, 160]


def test_new_pages_are_taken_outside_the_lock() -> None:
    # The first asks at 100, looks until 150, takes pages until 1150, and wants the lock again then; the second has it.
    given = {"lock": [0, 0], "hold": [50.0, 200.0], "grow": [1000.0, 0.0], "time": [0.0, 1000.0]}
    run = Run(works([100.0, 0.0], **given), cpus=2)
    assert run["lock"].tolist() == [50, 0]
    assert run.column("ended").tolist() == [1250, 1200]


def test_what_was_there_before_is_freed_at_the_end() -> None:
    given = {"lock": [0], "hold": [50.0], "then": [10.0], "free_lock": [1], "free_hold": [30.0]}
    assert Run(works([100.0], time=[0.0], **given), locks=2).column("ended").tolist() == [190]


def test_who_waits_for_a_stream_gives_up_its_cpu() -> None:
    # One CPU runs the third operation while the second waits for the stream that the first holds.
    given = {"compress": [500.0, 500.0, 0.0], "time": [0.0, 1.0, 2.0]}
    run = Run(works([10.0, 10.0, 10.0], **given), cpus=2, streams=1)
    assert run["stream"].tolist() == [0, 499, 0]
    assert run.column("ended").tolist() == [510, 1010, 21]


def test_a_stream_is_free_when_the_object_is_stored() -> None:
    given = {"compress": [100.0] * 2, "free_lock": [0, NO_LOCK], "free_hold": [50.0, 0.0], "time": [0.0] * 2}
    run = Run(works([10.0] * 2, operation=PAGE_OUT, **given), cpus=2, streams=1)
    assert run["stream"].tolist() == [0, 100], "the other does not wait for what the first frees then"


def test_a_read_sleeps_and_a_write_is_not_waited_for() -> None:
    read = Run(works([10.0, 10.0], reads=[1, 3], time=[0.0, 0.0]), device=SLOW)
    assert read["device"].tolist() == [100_000, 100_000 - 10 + 120_000]
    assert read["queue"].tolist() == [0, 10], "the CPU is free while the first sleeps"
    closed = Run(works([10.0] * 4, writes=[1] * 4), kind="closed", device=SLOW)
    assert closed.column("arrived").tolist() == [0, 10, 20, 30]
    waited = Run(works([10.0] * 4, writes=[1] * 4), kind="closed", device=SLOW, requests=2)
    assert waited.column("arrived").tolist() == [0, 10, 20, 300_010]


def test_pages_read_ahead_are_not_waited_for() -> None:
    run = Run(works([10.0, 10.0], ahead_reads=[2, 0], reads=[0, 1], time=[0.0, 0.0]), device=SLOW)
    assert run["device"].tolist() == [0, 110_000 - 10 + 100_000]


def test_a_run_ends_when_the_device_is_idle() -> None:
    run = Run(works([10.0], ahead_reads=[1], time=[0.0]), device=SLOW)
    assert run["total"].tolist() == [10]
    assert run.engine.clock.now == 100_010, "no device is busier than the run is long"


def test_compaction_takes_one_lock_after_the_other() -> None:
    given: dict[str, Any] = {"time": [0.0, 5.0], "lock": [NO_LOCK, 1], "hold": [0.0, 10.0]}
    (work,) = works([0.0, 0.0], **given)
    work.moves[0] = [(0, 100.0), (1, 200.0)]
    work.costs["path"][0] += 300
    run = Run([work], cpus=2, locks=2)
    assert run.column("ended").tolist() == [300, 15]


def test_what_is_spawned_is_done_by_a_thread_of_its_own() -> None:
    work = Work.of([PAGE_OUT, PAGE_OUT, PAGE_IN], [100.0, 50.0, 50.0], time=[0.0], events=1)
    work.spawns[0] = range(1, 3)
    run = Run([work], cpus=2)
    assert run.column("arrived").tolist() == [0, 100, 100]
    assert run.column("ended").tolist() == [100, 150, 200]


def test_kswapd_takes_page_outs_up_to_its_backlog() -> None:
    run = Run(works([100.0] * 5, operation=PAGE_OUT, time=[0.0] * 5), kind="closed", backlog=2, cpus=2)
    # Two go to kswapd, the third is the task's own; it ends with kswapd's first, and the same again.
    assert (run.reclaim.kswapd.done, run.reclaim.direct) == (3, 2)
    assert run.column("arrived").tolist() == [0, 0, 0, 100, 100]
    assert run.column("ended").tolist() == [100, 200, 100, 300, 200]


def test_without_times_there_is_no_kswapd() -> None:
    run = Run(works([100.0] * 5, operation=PAGE_OUT), kind="closed", backlog=2, cpus=2)
    assert (run.reclaim.kswapd.done, run.reclaim.direct) == (0, 5)
    assert run.column("ended").tolist() == [100, 200, 300, 400, 500]


def test_tasks_think_as_they_did() -> None:
    given = {"time": [1000.0, 1000.0, 1500.0, 4000.0], "task": [1, 2, 1, 2]}
    run = Run(works([300.0] * 4, **given), kind="closed")
    assert run.column("arrived").tolist() == [0, 0, 800, 3600]
    hurried = Run(works([300.0] * 4, **given), kind="closed", load=2.0)
    assert hurried.column("arrived").tolist() == [0, 0, 550, 2100]


def test_a_task_thinks_while_it_waits_for_its_events_to_be_read() -> None:
    run = Run(works([10.0, 1000.0, 10.0], batch=1, time=[0.0, 0.0, 100.0], task=[0, 1, 0]), kind="closed", cpus=2)
    assert run.column("arrived").tolist() == [0, 10, 1010]


def test_a_task_may_run_ahead_by_some_batches_only() -> None:
    n = 4096
    task = np.repeat([1, 2, 1], [n // 2, n, n // 2])
    run = Run(works(np.full(2 * n, 10.0), batch=64, task=task, time=np.arange(2 * n) * 5.0), kind="closed", cpus=2)
    arrived = run.column("arrived")
    assert (np.diff(arrived[task == 1]) >= 0).all()
    assert (np.diff(arrived[task == 2]) >= 0).all()
    assert len(arrived) == 2 * n


def test_saturated_every_cpu_is_busy() -> None:
    run = Run(works([100.0] * 8), kind="saturate", cpus=4)
    assert run.engine.clock.now == 200
    assert run.engine.most_inside == 4


@pytest.mark.parametrize("cpus", [1, 3])
def test_equal_runs_are_equal(cpus: int) -> None:
    def go() -> list[float]:
        rng = np.random.default_rng(7)
        n = 3000
        columns = {"lock": rng.integers(-1, 3, n), "hold": rng.exponential(50, n), "reads": rng.random(n) < 0.1}
        made = works(rng.exponential(300, n), time=np.cumsum(rng.exponential(200, n)), **columns)
        return list(Run(made, cpus=cpus, locks=3, device=SLOW).column("ended"))

    assert go() == go()


def test_more_than_can_be_done_is_told_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MOST_INSIDE", 50)
    run = Run(works([100.0] * 1000, batch=300, time=np.arange(1000.0)), cpus=1)
    assert run.arrivals.overloaded
    assert run.engine.most_inside == 50
    assert run.engine.ends == run.check.operations < 100


def test_no_times() -> None:
    with pytest.raises(UserError, match="no times"):
        Run(works([1.0]))


def test_an_unknown_task() -> None:
    with pytest.raises(UserError, match="row 2: task -1 is unknown"):
        Run(works([1.0] * 4, task=[0, 0, -1, 0]), kind="closed")


def test_parts_that_do_not_add_up_are_a_fault() -> None:
    (work,) = works([100.0], time=[0.0])
    work.costs["path"][0] += 1
    with pytest.raises(TimingFault, match="took 100"):
        Run([work])


def test_a_lost_operation_is_a_fault() -> None:
    run = Run(works([100.0], time=[0.0]))
    run.engine.arrivals += 1
    with pytest.raises(TimingFault, match="2 operations came, 1 ended"):
        run.check.check(run.engine)


def test_littles_law_is_checked() -> None:
    run = Run(works([100.0], time=[0.0]))
    run.engine.area *= 1.01
    with pytest.raises(TimingFault, match="Little's law"):
        run.check.check(run.engine)
