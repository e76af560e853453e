"""Swap slots against a device in plain lists, and against the kernel of this host."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reclaim_kit import Device

from sim.ram import clusters
from workloads.host.counters import since, vmstat
from workloads.host.swap import MADV_PAGEOUT
from workloads.host.zram_swap import swap_device

PAGE = 4096


def same(device: clusters.Clusters, oracle: Device) -> None:
    slots = device.slot[: oracle.n_slots]
    assert set(np.flatnonzero(slots != clusters.EMPTY)) == oracle.used | {0}
    assert set(np.flatnonzero(slots == clusters.CACHED)) == oracle.cached
    assert device.state[0].used == len(oracle.used)
    for number, name in enumerate(("free", "nonfull", "frag", "full")):
        assert clusters.lists.members(device.cluster, device.first, number) == oracle.lists[name]


@given(
    n_slots=st.sampled_from([2, 40, 512, 513, 520, 580, 1024, 1030, 1100, 1500]),
    seed=st.integers(0, 1 << 20),
    steps=st.integers(1, 2000),
)
@settings(max_examples=50, deadline=None)
def test_slots_are_those_of_plain_lists(n_slots: int, seed: int, steps: int) -> None:
    draw = random.Random(seed)
    device, oracle = clusters.new_clusters(n_slots), Device(n_slots)
    growth = 0.7
    for step in range(steps):
        if step % 100 == 0:
            growth = draw.choice([0.2, 0.5, 0.8, 1.0])
        if draw.random() < growth:
            assert clusters.take(device) == oracle.take()
            assert device.back[: device.state[0].back].tolist() == oracle.taken_back
            device.state[0].back, oracle.taken_back = 0, []
        elif oracle.used:
            slot = draw.choice(sorted(oracle.used))
            if draw.random() < 0.3:
                device.slot[slot] = clusters.CACHED
                oracle.cached.add(slot)
            else:
                clusters.give(device, slot)
                oracle.give(slot)
    same(device, oracle)


def test_a_device_is_filled_in_order_its_first_and_last_cluster_first() -> None:
    device = clusters.new_clusters(3 * 512 + 100)
    taken = [clusters.take(device) for _ in range(3 * 512 + 99)]
    assert taken == [*range(1, 512), *range(1536, 1636), *range(512, 1536)]
    assert clusters.take(device) == 0


def test_a_cluster_that_was_freed_waits_behind_the_free_ones() -> None:
    device = clusters.new_clusters(4 * 512)
    for _ in range(511 + 512):
        clusters.take(device)
    for slot in range(512, 1024):
        clusters.give(device, slot)
    assert [clusters.take(device) for _ in range(3 * 512)] == [*range(1024, 2048), *range(512, 1024)]


def test_behind_the_last_slot_there_is_nowhere_to_look() -> None:
    device = clusters.new_clusters(600)
    for _ in range(511 + 86):
        clusters.take(device)
    clusters.give(device, 515)
    assert [clusters.take(device) for _ in range(2)] == [598, 599]
    for slot in (520, 5):
        clusters.give(device, slot)
    assert [clusters.take(device) for _ in range(3)] == [515, 520, 5]


class Process:
    """Pages of this process, each paged out by itself."""

    def __init__(self, n: int) -> None:
        self.memory = mmap.mmap(-1, n * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.memory.madvise(mmap.MADV_NOHUGEPAGE)
        self.first = ctypes.addressof(ctypes.c_char.from_buffer(self.memory)) // PAGE
        self.pagemap = os.open("/proc/self/pagemap", os.O_RDONLY)
        for page in range(n):
            self.memory[page * PAGE] = 1 + page % 255

    def page_out(self, page: int) -> int:
        self.memory.madvise(MADV_PAGEOUT, page * PAGE, PAGE)
        (word,) = struct.unpack("<Q", os.pread(self.pagemap, 8, (self.first + page) * 8))
        return word >> 5 & (1 << 50) - 1 if word >> 62 & 1 else 0


def agrees(n_slots: int, seed: int) -> bool | None:
    """Whether the kernel takes the slots that the model takes; None if another program swapped meanwhile."""
    draw, n = random.Random(seed), n_slots - 30
    process, device = Process(n), clusters.new_clusters(n_slots)
    slot, growth, outs, same = {}, 1.0, 0, True
    with swap_device("lz4", n_slots):
        before = vmstat()
        clusters.give(device, clusters.take(device))  # that of the page that `begin` paged out and in
        for step in range(6000):
            if step % 500 == 499:
                growth = draw.choice([0.2, 0.5, 0.8])
            page = draw.randrange(n)
            if page not in slot and draw.random() < growth:
                slot[page] = process.page_out(page)
                outs += 1
                same = slot[page] == clusters.take(device)
                if not same:
                    break
            elif page in slot and draw.random() > growth:
                clusters.give(device, slot.pop(page))
                if draw.random() < 0.5:
                    process.memory.madvise(mmap.MADV_DONTNEED, page * PAGE, PAGE)
                process.memory[page * PAGE] = 1
        swapped = since(before)
        alone = swapped["pswpout"] + swapped["swpout_zero"] == outs
    return same if alone else None


@pytest.mark.live
@pytest.mark.skipif(not platform.release().startswith("6.18."), reason="the model is that of Linux 6.18")
@pytest.mark.skipif(os.geteuid() != 0 or not Path("/sys/class/zram-control").exists(), reason="needs root and zram")
@pytest.mark.parametrize("n_slots", [2048, 1324])
def test_the_kernel_takes_the_same_slots(n_slots: int, alone: None) -> None:
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    try:
        same = next((same for seed in range(8) if (same := agrees(n_slots, seed)) is not None), None)
    finally:
        os.sched_setaffinity(0, cpus)
    if same is None:
        pytest.skip("other programs swap all the time")
    assert same
