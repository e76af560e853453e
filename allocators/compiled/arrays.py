"""Arrays of records that grow: compiled code indexes them, Python makes and enlarges them."""

from typing import Any

import numpy as np

ROOM = 1024  # records to begin with


def records(count: int, dtype: np.dtype[Any]) -> Any:
    """`count` zeroed records, with named fields in compiled code and in plain Python alike."""
    return np.zeros(count, dtype).view(np.recarray)


def grown(array: Any, room: int) -> Any:
    """The array with at least `room` more entries, at least doubled; new entries are zero."""
    count = len(array)
    shape = (count + max(count, room), *array.shape[1:])
    # Zeroed memory is not touched until it is used, so doubling costs address space only.
    larger = np.zeros(shape, array.dtype)
    if array.dtype.names:
        larger = larger.view(np.recarray)
    larger[:count] = array
    return larger


def extended(array: Any, count: int) -> Any:
    """The array, grown if it has fewer than `count` entries."""
    return array if count <= len(array) else grown(array, count - len(array))
