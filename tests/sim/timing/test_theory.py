"""The engine against what queueing theory knows: M/M/1, M/M/c, M/D/1, and Little's law."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np
import pytest
from timing_kit import Run, works

from sim.timing.devices import Device, Service

N = 60_000
CUSTOMERS = 30  # batches of the batch means; their spread gives the confidence interval
Z = 3.5  # two-sided, one in 2,000; the seeds are fixed, so a test that passes passes always


def poisson(rng: np.random.Generator, rate: float, n: int = N) -> Any:
    """Times of arrival, ns."""
    return np.cumsum(rng.exponential(1 / rate, n))


def erlang_c(servers: int, load: float) -> float:
    """The probability of having to wait; `load` = arrival rate x mean service."""
    top = load**servers / factorial(servers) * servers / (servers - load)
    return top / (sum(load**k / factorial(k) for k in range(servers)) + top)


def agrees(measured: Any, expected: float) -> None:
    """The mean of correlated values is the expected one within its confidence interval by batch means."""
    means = np.array([part.mean() for part in np.array_split(measured[N // 20 :], CUSTOMERS)])
    error = means.std(ddof=1) / np.sqrt(CUSTOMERS)
    assert abs(means.mean() - expected) < Z * error, (means.mean(), expected, error)
    assert error < 0.1 * expected, "the interval says something"


@pytest.mark.parametrize(("servers", "use"), [(1, 0.5), (1, 0.8), (2, 0.7), (4, 0.85), (8, 0.9)])
def test_cpus_are_a_queue_with_several_servers(servers: int, use: float) -> None:
    rng = np.random.default_rng([servers, 1])
    mean = 5000.0
    arrived = poisson(rng, use * servers / mean)
    run = Run(works(rng.exponential(mean, N), time=arrived), cpus=servers)
    wait = erlang_c(servers, use * servers) * mean / (servers * (1 - use))
    agrees(run["queue"], wait)
    agrees(run["total"], wait + mean)


@pytest.mark.parametrize("use", [0.5, 0.8])
def test_a_lock_is_a_queue_with_constant_service(use: float) -> None:
    rng = np.random.default_rng(2)
    hold = 300.0
    arrived = poisson(rng, use / hold)
    run = Run(works(np.zeros(N), time=arrived, lock=np.zeros(N, int), hold=np.full(N, hold)), cpus=64)
    assert run["queue"].max() == 0, "there are CPUs enough"
    agrees(run["lock"], use * hold / (2 * (1 - use)))


@pytest.mark.parametrize(("depth", "use"), [(1, 0.7), (4, 0.8)])
@pytest.mark.parametrize("direction", ["reads", "writes"])
def test_a_device_is_a_queue_as_deep_as_it_says(direction: str, depth: int, use: float) -> None:
    rng = np.random.default_rng(3)
    device = Device("test", depth, Service("exponential", (50.0,)), Service("exponential", (50.0,)), 0.0, "test")
    arrived = poisson(rng, use * depth / 50_000.0)
    given = {direction: np.ones(N, int)}
    run = Run(works(np.zeros(N), time=arrived, **given), cpus=8, device=device, requests=10**9, seed=5)
    agrees(run["device"], erlang_c(depth, use * depth) * 50_000.0 / (depth * (1 - use)) + 50_000.0)


def test_streams_are_servers() -> None:
    rng = np.random.default_rng(4)
    mean, streams, use = 4000.0, 2, 0.8
    arrived = poisson(rng, use * streams / mean)
    run = Run(works(np.zeros(N), time=arrived, compress=rng.exponential(mean, N)), cpus=64, streams=streams)
    agrees(run["stream"], erlang_c(streams, use * streams) * mean / (streams * (1 - use)))


def test_littles_law_in_numbers() -> None:
    rng = np.random.default_rng(5)
    run = Run(works(rng.exponential(3000, N), time=poisson(rng, 2 / 4000)), cpus=2)
    span = run.engine.clock.now
    in_system = run.engine.area / span
    assert in_system == pytest.approx(N / span * run["total"].mean(), rel=1e-9)


def test_one_cpu_in_a_closed_loop_is_never_idle_without_think_time() -> None:
    run = Run(works(np.full(1000, 700.0)), kind="saturate")
    assert run.engine.clock.now == 700_000
    assert run["queue"].max() == 0
