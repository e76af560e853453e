"""A trace instance of our own in tracefs, apart from whatever else traces this host.

Source: Documentation/trace/ftrace.rst, "Instances" (6.18).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from workloads.errors import HostError
from workloads.host.identity import of_folder
from workloads.host.mounting import mount, unmount
from workloads.host.registry import noted, own_journal

PATIENCE_S = 5.0


def missing() -> str:
    """Why tracing is not possible; empty when it is."""
    if "\ttracefs\n" not in Path("/proc/filesystems").read_text():
        return "this kernel has no tracefs"
    return "tracing needs root" if os.geteuid() else ""


@contextmanager
def tracing() -> Iterator[Path]:
    """Mount tracefs privately: no other mount is relied on, or kept busy."""
    place = own_journal().path.with_suffix(".tracing")
    with noted("mount", str(place), partial(unmount, place)):
        place.mkdir(mode=0o700)
        mount("tracefs", place)
        yield place


@contextmanager
def instance(name: str) -> Iterator[Path]:
    """A trace instance, removed whatever happens. Raises HostError."""
    with tracing() as root:
        place = root / "instances" / name
        with noted("instance", str(place), partial(remove_instance, place)) as made:
            try:
                place.mkdir()
            except OSError as error:
                raise HostError(f"{place}: cannot be made ({error.strerror}); try --backend bpf") from error
            made(of_folder(place))
            yield place


def remove_instance(place: Path) -> None:
    """Remove an instance, again for as long as somebody reads it; nothing when it is gone."""
    end = time.monotonic() + PATIENCE_S
    with suppress(OSError):
        (place / "tracing_on").write_text("0")
    while place.is_dir():
        try:
            place.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if time.monotonic() > end:
                raise HostError(f"{place}: stays in use ({error.strerror}); end who reads it") from error
            time.sleep(0.02)
