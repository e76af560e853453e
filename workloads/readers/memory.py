"""The memory of a process that runs, as `cswap record --snapshot` sees it: `/proc/PID/mem`.

Source: proc_pid_mem(5), proc_pid_pagemap(5); ptrace(2) tells whose memory one may read.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

import numpy as np

from workloads.errors import TraceError
from workloads.host.process_memory import ProcessMemory
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.elf import VIRTUAL
from workloads.readers.image import zeros
from workloads.readers.input import Head, Input

PATH = re.compile(r"/proc/(\d{1,10}|self)(/mem)?", re.ASCII)
ALLOWED = "give a process of yours, as root or with kernel.yama.ptrace_scope at 0"


class Memory(Reader):
    """Anonymous pages, present or swapped out, go to the slots of their page numbers, ascending.

    Pages of files and of shared memory are none of them; neither is the zero page where nothing was written yet.
    """

    name: ClassVar[str] = "memory"
    title: ClassVar[str] = "memory of a process (/proc/PID/mem)"

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """See `Reader.sniff`."""
        return PATH.fullmatch(str(head.path)) is not None

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        found = PATH.fullmatch(str(file.path))
        if found is None:
            raise TraceError.at(file.path, "path", "is no memory of a process", "give /proc/PID/mem")
        if file.page_size != mmap.PAGESIZE:
            remedy = f"give --page-size {mmap.PAGESIZE}"
            raise TraceError.at(file.path, "page size", f"is {file.page_size}, not this machine's", remedy)
        facts |= {"addresses": VIRTUAL, "moment": "page by page, as the process ran on", "zero pages": 0}
        try:
            with ProcessMemory(os.getpid() if found[1] == "self" else int(found[1]), file.page_size) as memory:
                numbers, exclusive = memory.anonymous()
                facts["gone before they were read"] = len(numbers)
                for read, pages in memory.read(numbers):
                    facts["gone before they were read"] -= len(read)
                    there = exclusive[np.searchsorted(numbers, read)] | (pages.view(np.uint64).any(axis=1))
                    facts["zero pages"] += zeros(pages[there])
                    yield Batch.dump(pages[there], read[there].astype(np.uint64))
                    with suppress(IndexError):
                        file.moved(int(read[-1]))
        except PermissionError as error:
            raise TraceError.at(file.path, "process", f"cannot be read ({error.strerror})", ALLOWED) from error
        except OSError as error:
            wrong = f"cannot be read ({error.strerror})"
            raise TraceError.at(file.path, "process", wrong, "give one that runs") from error
