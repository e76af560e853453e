"""Whether an allocator of your own keeps the contract, before its figures are believed."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

from allocators.base import Allocator
from allocators.errors import CheckFailed, NoMemory, TooLarge, UnknownHandle

STEPS = 4000


def check_contract(make: Callable[[], Allocator], steps: int = STEPS, seed: int = 0) -> int:
    """Allocate and free at random, and check what every allocator promises; the most pages that it held.

    `make` is the class, or a function that makes a new, empty allocator. Raises CheckFailed, which tells the step and
    the promise: handles are new and 0 or more; as many bytes as are held have room in the pages; what has a place lies
    in whole, and alone; what is freed is unknown; too large an object is refused; in the end no page is left; and
    the same steps give the same pages. An allocator may keep a page for later, as `compact` gives it back.
    """
    first, again = (_pages(make(), steps, random.Random(seed)) for _ in range(2))
    for step, (pages, then) in enumerate(zip(first, again, strict=True)):
        _promise(pages == then, step, f"{pages} pages, but {then} in a second life of the same steps")
    return max(first)


def _pages(allocator: Allocator, steps: int, rng: random.Random) -> list[int]:
    """The pages after each step of growth, churn and decline."""
    held: dict[int, int] = {}
    found = []
    for step in range(steps):
        grows = rng.random() < (0.7 if step < steps // 2 else 0.45)
        if grows or not held:
            _alloc(allocator, held, rng, step)
        else:
            _free(allocator, held, rng.choice(list(held)), step)
        stored, pages = sum(held.values()), allocator.pages
        _promise(pages * allocator.page_size >= stored, step, f"{stored} bytes are held in {pages} pages")
        found.append(pages)
        if step % 100 == 0:
            _places(allocator, held, step)
            allocator.check()
    for handle in list(held):
        _free(allocator, held, handle, steps)
    allocator.compact()
    allocator.check()
    _promise(allocator.pages == 0, steps, f"{allocator.pages} pages are left when nothing is held")
    return found


def _alloc(allocator: Allocator, held: dict[int, int], rng: random.Random, step: int) -> None:
    page = allocator.page_size
    size = rng.choice((1, rng.randint(1, 200), rng.randint(1, page), rng.randint(page // 4, page // 2), page))
    try:
        handle = allocator.alloc(size)
    except (TooLarge, NoMemory):
        return
    _promise(isinstance(handle, int) and handle >= 0, step, f"the handle {handle!r} is no number of 0 or more")
    _promise(handle not in held, step, f"the handle {handle} is given twice")
    held[handle] = size
    most = allocator.unit * page
    try:
        allocator.alloc(most + 1)
    except TooLarge:
        return
    _promise(False, step, f"an object of {most + 1} bytes is taken; raise TooLarge")


def _free(allocator: Allocator, held: dict[int, int], handle: int, step: int) -> None:
    try:
        allocator.free(handle)
    except (UnknownHandle, KeyError):
        _promise(False, step, f"the handle {handle} is not known, though its object is held")
    del held[handle]
    try:
        allocator.free(handle)
    except (UnknownHandle, KeyError):
        return
    _promise(False, step, f"the handle {handle} is freed twice; raise UnknownHandle")


def _places(allocator: Allocator, held: dict[int, int], step: int) -> None:
    """Objects with a place lie in whole within pages, and nowhere on each other."""
    parts = []
    for handle, size in held.items():
        if (place := allocator.placement(handle)) is not None:
            length = sum(part for _, _, part in place.parts)
            _promise(length >= size, step, f"{size} bytes are placed in {length}")
            parts += [(page, offset, offset + part) for page, offset, part in place.parts]
    parts.sort()
    for (page, _, end), (other, offset, _) in pairwise(parts):
        _promise(page != other or end <= offset, step, f"two objects lie at byte {offset} of page {page}")
    wrong = [part for part in parts if part[1] < 0 or part[2] > allocator.page_size]
    _promise(not wrong, step, f"an object lies beyond page {wrong[0][0]}" if wrong else "")


def _promise(kept: bool, step: int, told: str) -> None:
    if not kept:
        raise CheckFailed(f"step {step}: {told}")
