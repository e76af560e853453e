"""What is read of a process: its anonymous pages, all of them and nothing else."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import numpy as np
import pytest

from workloads.host.process_memory import ProcessMemory

PAGE = mmap.PAGESIZE
PAGES = 9
MLOCK_ONFAULT = 1


def _number(memory: mmap.mmap) -> int:
    """Number of the first page of a mapping that can be written."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory)) // PAGE


@pytest.fixture
def own() -> ProcessMemory:
    return ProcessMemory(os.getpid(), PAGE)


def _mapping(flags: int = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) -> mmap.mmap:
    memory = mmap.mmap(-1, PAGES * PAGE, flags=flags)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    # A page that is paged out is nobody's alone; so it stays, if we may, once it is there.
    ctypes.CDLL(None).mlock2(ctypes.c_void_p(_number(memory) * PAGE), ctypes.c_size_t(len(memory)), MLOCK_ONFAULT)
    return memory


def test_written_pages_are_seen_and_read(own: ProcessMemory) -> None:
    memory = _mapping()
    for page in (0, 1, 2, 5, 8):
        memory[page * PAGE : (page + 1) * PAGE] = bytes([page + 1]) * PAGE
    first = _number(memory)
    with own:
        numbers, exclusive = own.anonymous()
        here = (numbers >= first) & (numbers < first + PAGES)
        assert (numbers[here] - first).tolist() == [0, 1, 2, 5, 8]
        assert exclusive[here].all()
        assert (np.diff(numbers) > 0).all()
        read = [(n, p.copy()) for n, p in own.read(numbers[here])]
    assert np.concatenate([n for n, _ in read]).tolist() == numbers[here].tolist()
    assert [page.tobytes() for page in np.concatenate([p for _, p in read])] == [
        bytes([n + 1]) * PAGE for n in (0, 1, 2, 5, 8)
    ]


@pytest.mark.parametrize("holes", [0, 511, 512, 4095, 4096, 9000])
def test_each_page_is_seen_once_however_many_holes_there_are(own: ProcessMemory, holes: int) -> None:
    memory = mmap.mmap(-1, (2 * holes + 1) * PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    for page in range(0, 2 * holes + 1, 2):
        memory[page * PAGE] = 1
    first = _number(memory)
    with own:
        numbers, _ = own.anonymous()
    assert (np.diff(numbers) > 0).all()
    here = numbers[(numbers >= first) & (numbers < first + 2 * holes + 1)]
    assert (here - first).tolist() == list(range(0, 2 * holes + 1, 2))


def test_memory_that_was_only_read_is_the_zero_page_and_not_ours_alone(own: ProcessMemory) -> None:
    memory = _mapping()
    assert memory[3 * PAGE] == 0
    with own:
        numbers, exclusive = own.anonymous()
    assert not exclusive[numbers == _number(memory) + 3].any()


def test_shared_memory_and_files_are_left_out(own: ProcessMemory, tmp_path: Path) -> None:
    shared = _mapping(mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    shared[:] = b"s" * len(shared)
    path = tmp_path / "file"
    path.write_bytes(b"f" * 2 * PAGE)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 2 * PAGE, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    mapped[PAGE] = 1  # a private copy of the second page
    assert mapped[0] == ord("f")
    with own:
        numbers, _ = own.anonymous()
    assert not ((numbers >= _number(shared)) & (numbers < _number(shared) + PAGES)).any()
    assert _number(mapped) not in numbers
    assert _number(mapped) + 1 in numbers


def test_pages_that_are_gone_are_left_out_and_those_behind_them_are_not(own: ProcessMemory) -> None:
    memory = _mapping()
    memory[:] = b"x" * len(memory)
    first = _number(memory)
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.munmap(ctypes.c_void_p((first + 4) * PAGE), ctypes.c_size_t(PAGE)) == 0
    with own:
        read = np.concatenate([numbers for numbers, _ in own.read(np.arange(first, first + PAGES))])
    assert (read - first).tolist() == [0, 1, 2, 3, 5, 6, 7, 8]


def test_a_process_that_is_gone_is_an_error() -> None:
    with pytest.raises(OSError, match="No such"):
        ProcessMemory(2**22 - 3, PAGE)
