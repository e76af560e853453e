"""zram between 2012 and 6.18: what each release keeps whole, what by value, and in which order it frees."""

from __future__ import annotations

from typing import NamedTuple

import frontend_kit as kit
import pytest
from frontend_kit import PagePer, out

from allocators import Allocator, NoMemory, PageZone
from sim import Experiment, run
from sim.errors import SpecError
from sim.frontends.compiled import slots
from sim.frontends.zram import Zram
from sim.frontends.zram.eras import ERAS
from sim.plugins import FRONTENDS, make_allocator
from workloads.traces.events import IN, OUT


class Rules(NamedTuple):
    """As the sources tell them; `huge` is the size from which the era's zsmalloc has no class of several objects."""

    allocator: str
    huge: int  # of zsmalloc
    three_quarters: bool
    zeros_only: bool
    frees_first: bool
    limit: bool


RULES = {
    "3.10": Rules("zsmalloc:era=3.10", 3265, True, True, True, False),
    "4.9": Rules("zsmalloc:era=6.1", 3257, True, True, False, True),
    "4.14": Rules("zsmalloc:era=6.1", 3257, True, False, False, True),
    "6.14": Rules("zsmalloc", 3625, False, False, True, True),
    "6.18": Rules("zsmalloc", 3625, False, False, False, True),
}


def test_every_era_is_here_or_has_tests_of_its_own() -> None:
    assert {"2012", *RULES} == set(ERAS)


@pytest.mark.parametrize("era", RULES)
def test_from_which_size_a_page_is_kept_whole(era: str) -> None:
    rules = RULES[era]
    allocator = make_allocator(rules.allocator)
    sizes = [1, 3072, 3073, 3256, 3257, 3264, 3265, 3624, 3625, 4095, 4096, 5000]
    outcome = kit.run(Zram(era=era).device(len(sizes), allocator), allocator, [out(i, n) for i, n in enumerate(sizes)])
    whole = [size > 3072 if rules.three_quarters else size >= rules.huge for size in sizes]
    assert outcome["what"].tolist() == [slots.HUGE if huge else slots.OBJECT for huge in whole]
    assert int(outcome["bytes"][-1]) == sum(4096 if huge else size for size, huge in zip(sizes, whole, strict=True))


@pytest.mark.parametrize("era", RULES)
def test_order_and_what_is_kept_by_value(era: str) -> None:
    rules = RULES[era]
    allocator = PagePer()
    most = []
    alloc = allocator.alloc

    def noted(size: int) -> int:
        handle = alloc(size)
        most.append(allocator.pages)
        return handle

    allocator.alloc = noted  # type: ignore[method-assign]
    outcome = kit.run(
        Zram(era=era).device(2, allocator), allocator, [out(0), out(0), out(1, kit.SAME), out(1, kit.ZERO)]
    )
    compressed = slots.OBJECT if rules.zeros_only else slots.SAME
    assert outcome["what"].tolist() == [slots.OBJECT, slots.OBJECT, compressed, slots.SAME]
    assert most[1] == (1 if rules.frees_first else 2)


def test_the_table_of_february_2018() -> None:
    """Of the patch that dropped max_zpage_size: 10,924 pages in the two last classes before, 9,564 after."""
    counts = {3070: 380, 3073: 6800, 3257: 3820}
    sizes = [size for size, count in counts.items() for _ in range(count)]
    for era, pages in (("4.14", 10620 + 304), ("6.18", 3820 + 5744)):
        allocator = make_allocator("zsmalloc:era=6.1")
        steps = [out(slot, size) for slot, size in enumerate(sizes)]
        assert kit.run(Zram(era=era).device(len(steps), allocator), allocator, steps)["pages"][-1] == pages


class Reference:
    """A dictionary of what slots hold, in the order of the kernel's steps."""

    def __init__(self, rules: Rules, allocator: Allocator, limit: int) -> None:
        self.rules, self.allocator, self.limit = rules, allocator, limit
        self.held: dict[int, tuple[int, int, int]] = {}  # slot: what, handle, bytes

    def drop(self, slot: int) -> int:
        what, handle, _ = self.held.pop(slot, (slots.EMPTY, -1, 0))
        if handle >= 0:
            self.allocator.free(handle)
        return what

    def out(self, slot: int, size: int) -> int:
        if self.rules.frees_first:
            self.drop(slot)
        if size == kit.ZERO or (size == kit.SAME and not self.rules.zeros_only):
            self.drop(slot)
            self.held[slot] = slots.SAME, -1, 0
            return slots.SAME
        size, what = size or kit.SAME_SIZE, slots.OBJECT
        if size > 3072 if self.rules.three_quarters else size >= self.rules.huge:
            size, what = 4096, slots.HUGE
        try:
            handle = self.allocator.alloc(size)
        except NoMemory:
            self.drop(slot)
            self.held[slot] = slots.REFUSED, -1, 0
            return slots.REFUSED
        if self.limit and self.allocator.pages > self.limit:
            self.allocator.free(handle)
            self.held.setdefault(slot, (slots.REFUSED, -1, 0))
            return slots.REFUSED
        self.drop(slot)
        self.held[slot] = what, handle, size
        return what

    def step(self, kind: int, slot: int, size: int) -> tuple[int, ...]:
        if kind == OUT:
            done = self.out(slot, size)
        else:
            done = self.held.get(slot, (slots.EMPTY,))[0] if kind == IN else self.drop(slot)
        kinds = [what for what, _, _ in self.held.values()]
        return (
            done,
            self.allocator.pages,
            kinds.count(slots.OBJECT) + kinds.count(slots.HUGE),
            sum(size for _, _, size in self.held.values()),
            kinds.count(slots.SAME),
            kinds.count(slots.REFUSED),
        )


@pytest.mark.parametrize("era", RULES)
@pytest.mark.parametrize(("zone", "limit"), [(None, 0), (60, 0), (None, 60)])
def test_equals_the_reference_compiled_and_plain(era: str, zone: int | None, limit: int) -> None:
    rules = RULES[era]
    limit = limit if rules.limit else 0

    def fresh() -> Allocator:
        return make_allocator(rules.allocator, zone=PageZone() if zone is None else PageZone(zone))

    steps = kit.random_steps(2018, 3000, 150)
    reference = Reference(rules, fresh(), limit)
    expected = [reference.step(*step) for step in steps]
    for plain in (False, True):
        allocator = fresh()
        device = Zram(era=era, mem_limit=limit * 4096).device(150, allocator)
        outcome = kit.run(device, allocator, steps, plain)
        assert [tuple(int(v) for v in row) for row in outcome] == expected
        allocator.check()
    assert any(row[0] == slots.REFUSED for row in expected) == (zone is not None or limit > 0)


def test_in_an_experiment_older_releases_keep_more_pages_whole() -> None:
    frontends = tuple(f"zram:era={era}" for era in ("3.10", "4.9", "4.14")) + ("zram",)
    found = run(
        Experiment(
            ("uniform:events=2000,slots=300,low=2000,high=4000",),
            allocators=("zsmalloc:era=6.1",),
            compressors=("lzo",),
            frontends=frontends,
        )
    ).density.set_index("frontend")["huge"]
    assert found["zram:era=3.10"] == found["zram:era=4.9"] == found["zram:era=4.14"] > found["zram"] > 0


def test_spec() -> None:
    assert FRONTENDS.make("zram:era=4.9,mem_limit=64M").spec == "zram:era=4.9,mem_limit=67108864"
    assert FRONTENDS.make("zram:era=6.14,recompress=zstd").compressors == ("zstd",)
    for spec, name in (("era=3.10,mem_limit=64M", "mem_limit"), ("era=4.14,zeros_apart=true", "zeros_apart")):
        with pytest.raises(SpecError, match=f"{name} is not of era="):
            FRONTENDS.make(f"zram:{spec}")
    with pytest.raises(SpecError, match=r"recompress is not of era=4\.9; leave it out"):
        FRONTENDS.make("zram:era=4.9,recompress=zstd")
    with pytest.raises(SpecError, match=r"Linux 4.11 to 4.16 has the rules of era=4.14"):
        FRONTENDS.make("zram:era=4.12")
