"""Traces of caches as libCacheSim keeps them: binary records of requests, each of which knows the next of its kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from workloads.errors import TraceError
from workloads.readers.base import Batch, Facts, Reader
from workloads.readers.input import Head, Input
from workloads.traces.events import OUT

RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])
NEVER = (-1, np.iinfo(np.int64).max)  # what `next` is of an object that is not asked for again
LOOKED = 1000  # records that the format is told by
LARGEST = 1 << 31  # bytes of an object
LONGEST = 1 << 38  # records of a trace
PART = 1 << 16  # records read at once
REMEDY = "give a whole oracleGeneral file, or --format"


class OracleGeneral(Reader):
    """libCacheSim's oracleGeneral: records of 24 bytes, time in seconds, object, its size, the number of its next one.

    An object is a page, whatever its size; the format does not tell reads from writes, so that all are writes.
    """

    name: ClassVar[str] = "oracle-general"
    title: ClassVar[str] = "requests to a cache, libCacheSim's oracleGeneral"
    references: ClassVar[bool] = True

    @classmethod
    def sniff(cls, head: Head) -> bool:
        """By whole records, whose times do not decrease, and whose next ones are later."""
        whole = len(head.data) // RECORD.itemsize * RECORD.itemsize
        try:
            plain = head.name == head.path.name and head.path.is_file()
            size = head.path.stat().st_size if plain else 0
        except OSError:
            return False
        records = np.frombuffer(head.data[:whole], RECORD)[:LOOKED]
        if not len(records) or size % RECORD.itemsize:
            return False
        ordered = (records["time"][1:] >= records["time"][:-1]).all()
        sized = (records["size"] > 0) & (records["size"] <= LARGEST)
        later = (records["next"] > np.arange(len(records))) & (records["next"] < LONGEST)
        return bool(ordered and (sized & (later | np.isin(records["next"], NEVER))).all())

    def read(self, file: Input, facts: Facts) -> Iterator[Batch]:
        """See `Reader.read`."""
        facts["events"] = "references: the format does not tell reads from writes, all are taken as writes"
        facts["objects"] = "each is one page, whatever its size"
        facts["larger_than_a_page"] = 0
        done = 0
        for block in file.blocks(PART * RECORD.itemsize):
            rest = len(block) % RECORD.itemsize
            records = np.frombuffer(block[: len(block) - rest], RECORD)
            number = np.arange(done, done + len(records))
            wrong = (records["next"] >= 0) & (records["next"] <= number)
            good = int(wrong.argmax()) if wrong.any() else len(records)
            facts["larger_than_a_page"] += int((records["size"][:good] > file.page_size).sum())
            yield _batch(records[:good])
            if good < len(records):
                told = f"names {records['next'][good]} as the next one, which is not later"
                raise TraceError.at(file.path, f"record {done + good}", told, REMEDY)
            done += len(records)
            if rest:
                wrong_end = f"ends after {rest} of {RECORD.itemsize} bytes"
                raise TraceError.at(file.path, f"record {done}", wrong_end, REMEDY)


def _batch(records: npt.NDArray[np.void]) -> Batch:
    kind = np.full(len(records), OUT, np.uint8)
    return Batch(kind, records["id"].astype(np.uint64), time_ns=records["time"].astype(np.int64) * 10**9)
