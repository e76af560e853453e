"""An existing Dask cluster as the executor of a sweep."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from sim.errors import UserError, one_line
from sim.experiment.finished import sources, versions

SAME = "install the same ones there"
ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^/\s]+:[0-9]{1,5}/?")
PATIENCE_S = 5  # for the scheduler


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """The cluster of the scheduler at `tcp://HOST:PORT`. Raises UserError where Dask is not installed, nobody answers,
    or a worker has another cswap than this process.
    """
    try:
        import distributed
    except ImportError as error:
        raise UserError("--dask: distributed is not installed; pip install 'cswap[cluster]'") from error
    new: Any = distributed.Client
    for name in logging.root.manager.loggerDict:  # each has a level of its own
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what is wrong is told in one line, by us
    if not ADDRESS.fullmatch(address):  # the client would hang on some of these
        raise UserError(f"--dask {address}: is no address of a scheduler; give tcp://HOST:PORT of one")
    try:
        client: Any = new(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        wrong = one_line(error) or type(error).__name__
        raise UserError(f"--dask {address}: no scheduler answers ({wrong}); give tcp://HOST:PORT of one") from error
    try:
        _check_workers(client)
        yield client.get_executor(pure=False)
    finally:
        client.close(timeout=1)


def program() -> tuple[str, list[str]]:
    """What this process computes with: the digest of cswap's sources, and the releases of libraries."""
    return sources(), versions()


def _check_workers(client: Any) -> None:
    for worker, answer in client.run(program, on_error="return").items():
        if isinstance(answer, BaseException):
            raise UserError(f"--dask: worker {worker} cannot run cswap ({one_line(answer)}); {SAME}")
        if tuple(answer) != program():
            raise UserError(f"--dask: worker {worker} has another cswap, or other libraries; {SAME}")
