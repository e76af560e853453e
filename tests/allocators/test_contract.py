"""`allocators.contract` passes what keeps the contract and names what does not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import ClassVar

import pytest

from allocators import Allocator, CheckFailed, Placement, TooLarge, UnknownHandle, check_contract
from sim.plugins import ALLOCATORS


class Whole(Allocator):
    """An object a page, right; each subclass breaks one promise."""

    name: ClassVar[str] = "whole"

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self.new = count()

    def alloc(self, size: int) -> int:
        if size > self.page_size:
            raise TooLarge("too large")
        handle = next(self.new)
        self.held[handle] = size
        return handle

    def free(self, handle: int) -> None:
        if self.held.pop(handle, None) is None:
            raise UnknownHandle("unknown")

    @property
    def pages(self) -> int:
        return len(self.held)


class Leaks(Whole):
    most = 0

    @property
    def pages(self) -> int:
        self.most = max(self.most, len(self.held))
        return self.most


class TooDense(Whole):
    @property
    def pages(self) -> int:
        return len(self.held) // 4


class TakesAll(Whole):
    page_size = 4096

    def alloc(self, size: int) -> int:
        handle = next(self.new)
        self.held[handle] = size
        return handle


class FreesTwice(Whole):
    def free(self, handle: int) -> None:
        self.held.pop(handle, None)


class SameHandle(Whole):
    def alloc(self, size: int) -> int:
        return super().alloc(size) % 50


class Negative(Whole):
    def alloc(self, size: int) -> int:
        return super().alloc(size) - 1


class Loses(Whole):
    def alloc(self, size: int) -> int:
        handle = super().alloc(size)
        return handle + 7000 * (handle > 9)


class Forgetful(Whole):
    life: ClassVar[Callable[[], int]] = count().__next__

    def __init__(self) -> None:
        super().__init__()
        self.more = type(self).life()

    @property
    def pages(self) -> int:
        return len(self.held) + self.more * bool(self.held)


class OnEachOther(Whole):
    def placement(self, handle: int) -> Placement:
        return Placement(((handle // 2, 0, self.held[handle]),))


class Beyond(Whole):
    def placement(self, handle: int) -> Placement:
        return Placement(((handle, 9, self.held[handle]),))


class Short(Whole):
    def placement(self, handle: int) -> Placement:
        return Placement(((handle, 0, 1),))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (Leaks, "are left when nothing is held"),
        (TooDense, "bytes are held in"),
        (TakesAll, "raise TooLarge"),
        (FreesTwice, "raise UnknownHandle"),
        (SameHandle, "is given twice"),
        (Negative, "is no number of 0 or more"),
        (Loses, "is not known, though"),
        (Forgetful, "in a second life"),
        (OnEachOther, "two objects lie at byte"),
        (Beyond, "lies beyond page"),
        (Short, "bytes are placed in 1"),
    ],
)
def test_each_broken_promise_is_told(broken: type[Whole], told: str) -> None:
    with pytest.raises(CheckFailed, match=told):
        check_contract(broken, steps=600)


def test_what_keeps_them_passes() -> None:
    assert check_contract(Whole, steps=600) > 100


def test_a_built_in_one_passes() -> None:
    assert check_contract(lambda: ALLOCATORS.make("zbud"), steps=300) > 10
