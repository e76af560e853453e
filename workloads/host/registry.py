"""What a recorder has made on this host, written down before it is made, so that it can be removed when it was killed.

One journal a process, a line an entry, in `/run/cswap` (or $CSWAP_RUN): `{"what": "device", "name": "zram1"}`. A
journal names its process by number and start time; it goes when the process has removed everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workloads.errors import HostError


def folder() -> Path:
    """Where the journals lie: gone after a restart, as is what they name."""
    return Path(os.environ.get("CSWAP_RUN", "/run/cswap"))


def started(pid: int) -> int | None:
    """When a process began, in clock ticks since the machine did; None when there is none of that number."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "XZ" else int(fields[19])


@dataclass(frozen=True)
class Entry:
    """One thing: `what` it is (device, swap, cgroup, instance, mount, adding) and its name or path."""

    what: str
    name: str


class Journal:
    """The entries of one process. Use `own_journal()`; a second one in the same process would be the same file."""

    def __init__(self, path: Path, pid: int, start: int) -> None:
        self.path, self.pid, self.start = path, pid, start

    @property
    def alive(self) -> bool:
        """Whether the process that wrote it is still there."""
        return started(self.pid) == self.start

    def add(self, what: str, name: str) -> Entry:
        """Write an entry to disk; only then make the thing. Raises HostError when the folder cannot be written."""
        entry = Entry(what, name)
        try:
            self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps({"what": what, "name": name}) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise HostError(
                f"{self.path}: cannot be written ({error.strerror}); what is added to the kernel is noted there "
                f"first; run as root or name a folder in CSWAP_RUN"
            ) from error
        return entry

    def remove(self, entry: Entry) -> None:
        """Cross an entry out once the thing is gone; the journal goes with its last one."""
        left = self.entries()
        if entry in left:  # two clean-ups may be at it
            left.remove(entry)
        if not left:
            self.path.unlink(missing_ok=True)
            return
        part = self.path.with_suffix(".part")
        part.write_text("".join(json.dumps({"what": e.what, "name": e.name}) + "\n" for e in left))
        os.replace(part, self.path)

    def entries(self) -> list[Entry]:
        """Read them, in the order they were made; a line that was not written to its end is left out."""
        try:
            lines = self.path.read_text().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                body = json.loads(line)
                found.append(Entry(str(body["what"]), str(body["name"])))
            except (ValueError, KeyError, TypeError):
                continue
        return found


def own_journal() -> Journal:
    """The journal of this process."""
    pid = os.getpid()
    start = started(pid) or 0
    return Journal(folder() / f"{pid}-{start}.journal", pid, start)


@contextmanager
def noted(what: str, name: str, remove: Callable[[], None]) -> Iterator[None]:
    """Note a thing before the `with` block makes it; afterwards `remove` it, made or not, and cross it out.

    What cannot be removed stays noted. Raises HostError when it cannot be noted; then the block does not run.
    """
    journal = own_journal()
    entry = journal.add(what, name)
    try:
        yield
    finally:
        remove()
        journal.remove(entry)


def journals() -> Iterator[Journal]:
    """All there are, those of living processes too."""
    for path in sorted(folder().glob("*-*.journal")):
        pid, _, start = path.stem.partition("-")
        if pid.isdigit() and start.isdigit():
            yield Journal(path, int(pid), int(start))
