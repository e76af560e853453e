"""Which runs the coalescing allocator joins, by hand: no kernel has it, so there are no golden rows."""

from __future__ import annotations

from allocators.coalesce import Coalesce


def parts(allocator: Coalesce, handle: int) -> list[tuple[int, int, int]]:
    return list(allocator.placement(handle).parts)


def test_sizes_round_up_to_16() -> None:
    allocator = Coalesce()
    assert [parts(allocator, allocator.alloc(size)) for size in (1, 17, 4016)] == [
        [(0, 0, 16)],
        [(0, 16, 32)],
        [(0, 48, 4016)],
    ]


def test_a_tail_is_continued_in_a_new_page() -> None:
    allocator = Coalesce()
    allocator.alloc(3000)  # takes 3008
    assert parts(allocator, allocator.alloc(2000)) == [(0, 3008, 1088), (1, 0, 912)]
    assert allocator.pages == 2


def test_a_tail_joins_the_tightest_head_of_another_page() -> None:
    allocator = Coalesce()
    firsts = [(allocator.alloc(size), allocator.alloc(4096 - size)) for size in (2048, 1600)]
    allocator.alloc(3008)  # leaves the only tail: 1088 of page 2
    for first, _ in firsts:
        allocator.free(first)
    assert parts(allocator, allocator.alloc(2640)) == [(2, 3008, 1088), (1, 48, 1552)]


def test_head_and_tail_of_one_page_are_not_joined() -> None:
    allocator = Coalesce()
    head = allocator.alloc(1600)
    allocator.alloc(800)
    allocator.free(head)
    assert parts(allocator, allocator.alloc(2000)) == [(0, 2400, 1696), (1, 0, 304)]


def test_behind_the_head_of_the_tail_s_own_page_lies_another() -> None:
    allocator = Coalesce()
    own = allocator.alloc(1600)
    allocator.alloc(800)
    filler = allocator.alloc(1696)
    other = allocator.alloc(1600)
    allocator.alloc(2496)
    for handle in (filler, other, own):
        allocator.free(handle)
    # Two heads of 1600, that of page 0 first on their list; the tail is page 0's.
    assert parts(allocator, allocator.alloc(2000)) == [(0, 2400, 1696), (1, 1296, 304)]


def test_the_tightest_run_of_either_end_is_taken() -> None:
    allocator = Coalesce()
    head = allocator.alloc(1600)
    allocator.alloc(800)
    allocator.free(head)  # 1600 at the head, 1696 at the tail
    assert parts(allocator, allocator.alloc(1500)) == [(0, 96, 1504)]
    assert parts(allocator, allocator.alloc(1500)) == [(0, 2400, 1504)]


def test_a_hole_is_lost_until_it_reaches_an_end() -> None:
    allocator = Coalesce()
    first, hole, _ = (allocator.alloc(size) for size in (1024, 1024, 2048))
    allocator.free(hole)
    assert parts(allocator, allocator.alloc(1024))[0][0] == 1
    allocator.free(first)
    assert parts(allocator, allocator.alloc(2048)) == [(0, 0, 2048)]
