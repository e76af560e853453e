"""What the ledger makes of records and looks, held against a small swap that knows what really lies where."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from workloads.recorder.ledger import HELD, OTHERS, ZERO, Ledger, Seen
from workloads.recorder.records import (
    DTYPES,
    FOREIGN,
    OURS,
    PAGE_IN,
    PAGE_OUT,
    READ_AS_ZEROS,
    SLOT_FREE,
    UNKNOWN,
    ZERO_OUT,
    Records,
)
from workloads.traces.events import FREE, IN, LOST, OUT

SLOTS, PAGE = 4, 8
STEP_NS = 1_000_000


@dataclass
class Slot:
    what: str = ""  # "", "held", "zero" or "others"
    refs: int = 0
    named: bool = True  # by pagemap; a page that is only in the swap cache is not
    told: bool = True  # whether its write was recorded


@dataclass
class Swap:
    """The truth, and the records that a backend would make of it."""

    slots: list[Slot] = field(default_factory=lambda: [Slot() for _ in range(SLOTS)])
    rows: list[tuple[int, int, int, int, int, int]] = field(default_factory=list)  # kind slot time pid owner page
    content: list[int] = field(default_factory=list)
    tells_frees: bool = False
    clock: int = 0
    outs: int = 0
    zeros: int = 0
    written: int = 0

    def record(self, kind: int, slot: int, owner: int = UNKNOWN, caught: bool = False) -> None:
        self.clock += STEP_NS
        if caught:
            self.content.append(self.written)
        self.rows.append((kind, slot, self.clock, 7, owner, len(self.content) - 1 if caught else -1))

    def _out(self, slot: int, refs: int, owner: int, caught: bool) -> None:
        if not self.slots[slot].what:
            self.written += 1
            self.slots[slot] = Slot("held", refs)
            self.outs += owner == OURS
            self.record(PAGE_OUT, slot, owner, caught)

    def out(self, slot: int) -> None:
        self._out(slot, 1, OURS, True)

    def shared(self, slot: int) -> None:
        self._out(slot, 2, OURS, True)

    def lost(self, slot: int) -> None:
        self._out(slot, 1, OURS, False)

    def by_kswapd(self, slot: int) -> None:
        self._out(slot, 1, UNKNOWN, True)

    def others(self, slot: int) -> None:
        if not self.slots[slot].what:
            self.slots[slot] = Slot("others", 1, named=False)
            self.record(PAGE_OUT, slot, FOREIGN)

    def on_its_way(self, slot: int) -> None:
        """Named before its write is recorded, which the next step does."""
        if not self.slots[slot].what:
            self.slots[slot] = Slot("held", 1, told=False)

    def land(self) -> None:
        for slot, known in enumerate(self.slots):
            if not known.told:
                known.told = True
                self.outs += 1
                self.written += 1
                self.record(PAGE_OUT, slot, OURS, True)

    def zero(self, slot: int) -> None:
        if not self.slots[slot].what:
            self.zeros += 1
            self.slots[slot] = Slot("zero", 1)

    def page_in(self, slot: int) -> None:
        known = self.slots[slot]
        if known.what in ("held", "others") and known.told:
            self.record(PAGE_IN, slot)
            self.drop(slot)
        elif known.what == "zero":
            self.drop(slot)

    def drop(self, slot: int) -> None:
        known = self.slots[slot]
        if known.what and known.told:
            known.refs -= 1
            if not known.refs:
                self.slots[slot] = Slot()
                if self.tells_frees and known.what != "zero":
                    self.record(SLOT_FREE, slot)

    def cache(self, slot: int) -> None:
        known = self.slots[slot]
        if known.what == "held" and known.told and known.refs == 2:
            known.named = False

    def take(self) -> Records:
        columns = {name: np.array([row[i] for row in self.rows], DTYPES[name]) for i, name in enumerate(ORDER)}
        content = np.array([[1 + n % 255] * PAGE for n in self.content], np.uint8).reshape(-1, PAGE)
        self.rows, self.content = [], []
        return Records(**columns, content=content, until_ns=self.clock)

    def look(self) -> Seen:
        self.clock += 2 * STEP_NS
        slot = [i for i, known in enumerate(self.slots) if known.what in ("held", "zero") and known.named]
        return Seen(self.clock - STEP_NS, self.clock, np.array(slot, np.int64), np.full(len(slot), 7, np.int32))

    def unchanged(self, asked: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return np.array([self.slots[i].what in ("held", "others") and self.slots[i].told for i in asked], np.bool_)

    def holding(self, what: str) -> set[int]:
        return {i for i, known in enumerate(self.slots) if known.what == what}


ORDER = ("kind", "slot", "time_ns", "pid", "owner", "page")
MOVES = ["out", "shared", "lost", "by_kswapd", "others", "on_its_way", "zero", "page_in", "drop", "cache", "look"]
STEPS = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, SLOTS - 1)), min_size=40, max_size=120)


@given(STEPS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_against_the_truth(steps: list[tuple[str, int]], sees_frees: bool) -> None:
    swap = Swap(tells_frees=sees_frees)
    ledger = Ledger(SLOTS, swap.unchanged, sees_frees=sees_frees, sees_zeros=False)
    epochs = []
    for name, slot in steps:
        if name == "look":
            seen = swap.look()
            epochs.append(ledger.close_epoch(swap.take(), seen))
            assert swap.holding("held") - _untold(swap) <= _state(ledger, HELD) | _state(ledger, OTHERS)
            swap.land()
        else:
            getattr(swap, name)(slot)
    swap.land()
    for final in (False, True):
        seen = swap.look()
        epochs.append(ledger.close_epoch(swap.take(), seen, final))

    assert _state(ledger, HELD) == swap.holding("held"), "everything that is held at the end is known, and no more"
    assert _state(ledger, ZERO) == swap.holding("zero")
    used: dict[int, int] = {}
    last, outs, zeros = 0, 0, 0
    for epoch in epochs:
        events = epoch.events
        assert events.time_ns is not None
        for kind, slot, page, time in zip(events.kind, events.slot, events.page, events.time_ns, strict=True):
            assert time >= last
            last = time
            if kind in (OUT, LOST):
                assert slot not in used, "a slot in use is freed before it is written"
                used[slot] = kind
                assert (page >= 0) == (kind == OUT)
                zero = kind == OUT and not epoch.content[page].any()
                outs, zeros = outs + (not zero), zeros + zero
            elif kind == FREE:
                del used[slot]
            else:
                assert kind == IN
                assert slot in used, "only what is there is read"
    assert set(used) == swap.holding("held") | swap.holding("zero")
    assert zeros <= swap.zeros, "what is on its way is no page of zeros"
    guessed = ledger.counts["page-outs given to the program by pagemap"]
    noticed = ledger.counts["page-outs noticed by pagemap only"]
    assert outs == swap.outs + guessed + noticed, "no page-out of the program's own threads is missed or made up"


def _state(ledger: Ledger, state: int) -> set[int]:
    return set(np.flatnonzero(ledger.state == state).tolist())


def _untold(swap: Swap) -> set[int]:
    return {i for i, known in enumerate(swap.slots) if not known.told}


def settled(swap: Swap, *, final: bool = True) -> tuple[Ledger, list[tuple[int, int]]]:
    ledger = Ledger(SLOTS, swap.unchanged, sees_frees=False, sees_zeros=False)
    found = []
    for last in (False, final):
        seen = swap.look()
        epoch = ledger.close_epoch(swap.take(), seen, last)
        found += list(zip(epoch.events.kind.tolist(), epoch.events.slot.tolist(), strict=True))
    return ledger, found


def test_a_page_in_frees_its_slot_unless_others_refer_to_it() -> None:
    swap = Swap()
    swap.out(1)
    swap.shared(2)
    swap.page_in(1)
    swap.page_in(2)
    swap.page_in(2)
    swap.shared(3)
    swap.page_in(3)
    _, found = settled(swap)
    assert found == [(OUT, 1), (OUT, 2), (IN, 1), (FREE, 1), (IN, 2), (IN, 2), (FREE, 2), (OUT, 3), (IN, 3)]


def test_a_slot_written_again_was_freed() -> None:
    swap = Swap()
    swap.out(1)
    swap.drop(1)
    swap.out(1)
    swap.page_in(1)
    swap.out(1)
    _, found = settled(swap)
    assert found == [(OUT, 1), (FREE, 1), (OUT, 1), (IN, 1), (FREE, 1), (OUT, 1)]


def test_what_ended_without_a_record_is_found_by_looking() -> None:
    swap = Swap()
    swap.out(1)
    swap.drop(1)
    ledger, found = settled(swap, final=False)
    assert found == [(OUT, 1), (FREE, 1)]
    assert ledger.counts["frees by pagemap"] == 1


def test_other_programs_pages_are_left_out_and_counted() -> None:
    swap = Swap()
    swap.others(1)
    swap.by_kswapd(2)
    swap.by_kswapd(3)
    swap.drop(3)
    swap.page_in(1)
    ledger, found = settled(swap)
    assert found == [(OUT, 2)]
    assert ledger.counts["page-outs of others"] == 1
    assert ledger.counts["page-outs of nobody known"] == 1


def test_pages_of_zeros() -> None:
    swap = Swap()
    swap.zero(3)
    ledger, found = settled(swap, final=False)
    assert found == [(OUT, 3)]
    assert ledger.counts["zero page-outs by pagemap"] == 1
    swap.drop(3)
    epoch = ledger.close_epoch(swap.take(), swap.look())
    assert (epoch.events.kind.tolist(), epoch.events.slot.tolist()) == ([FREE], [3])


def test_zeros_that_were_read_back_are_contents_if_the_slot_is_still_in_use() -> None:
    swap = Swap()
    for slot in (0, 1, 2):
        swap.slots[slot] = Slot("held", 1)
        swap.record(PAGE_OUT, slot, OURS)
        *row, _ = swap.rows[-1]
        swap.rows[-1] = (*row, READ_AS_ZEROS)  # type: ignore[assignment]
    swap.page_in(0)  # the slot was in use: it was read
    swap.drop(1)  # free when it was read back, for all that anybody knows
    swap.unchanged = lambda asked: np.zeros(len(asked), np.bool_)  # type: ignore[method-assign]
    ledger, found = settled(swap)
    assert found == [(OUT, 0), (LOST, 1), (OUT, 2), (IN, 0), (FREE, 0), (FREE, 1)]
    assert ledger.counts["pages of zeros on the device"] == 2
    assert ledger.blank() == 1


def test_a_page_of_zeros_that_was_looked_at_before_it_was_recorded_goes_out_once() -> None:
    swap = Swap()
    ledger = Ledger(SLOTS, swap.unchanged, sees_frees=False, sees_zeros=False)
    swap.zero(3)
    first = ledger.close_epoch(swap.take(), swap.look())
    swap.record(ZERO_OUT, 3, OURS)
    second = ledger.close_epoch(swap.take(), swap.look())
    assert len(first.events) == 0
    assert (second.events.kind.tolist(), second.events.slot.tolist()) == ([OUT], [3])
    assert ledger.counts["zero page-outs by pagemap"] == 0


def test_only_contents_that_are_the_programs_go_on() -> None:
    """Of pages of others, and of nobody known, neither event nor contents; what stays is renumbered."""
    swap = Swap()
    swap.by_kswapd(0)
    swap.drop(0)  # named by nobody any more
    swap.out(1)
    swap.by_kswapd(2)
    swap.record(PAGE_OUT, 3, FOREIGN, caught=True)
    ledger = Ledger(SLOTS, swap.unchanged, sees_frees=False, sees_zeros=False)
    epoch = ledger.close_epoch(swap.take(), swap.look())
    assert epoch.events.slot.tolist() == [1, 2]
    assert epoch.content[epoch.events.page, 0].tolist() == [1 + 2, 1 + 3]
    assert len(epoch.content) == 2


def given_up(swap: Swap) -> Records:
    """Another program has written to slot 2 and given it up."""
    swap.by_kswapd(2)
    swap.drop(2)
    return swap.take()


def test_a_slot_that_another_has_just_given_up_holds_nothing_of_the_programs() -> None:
    for what in ("zero", "on_its_way"):
        swap = Swap()
        records = given_up(swap)
        getattr(swap, what)(2)  # named by the look, and not written before it
        ledger = Ledger(SLOTS, swap.unchanged, sees_frees=False, sees_zeros=False)
        epoch = ledger.close_epoch(records, swap.look())
        assert (len(epoch.events), len(epoch.content)) == (0, 0), what
    # The device missed that the slot was freed, so it still holds the other's page; but the write is seen to come.
    swap = Swap()
    records = given_up(swap)
    swap.on_its_way(2)
    ledger = Ledger(SLOTS, lambda asked: np.ones(len(asked), np.bool_), sees_frees=False, sees_zeros=False)
    epoch = ledger.close_epoch(records, replace(swap.look(), soon=np.array([2])))
    assert (len(epoch.events), len(epoch.content)) == (0, 0)
