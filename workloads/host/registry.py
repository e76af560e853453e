"""What a recorder has made on this host, written down before it is made, so that it can be removed when it was killed.

One journal per process, a line per entry, in `/run/cswap` (or $CSWAP_RUN): `{"what": "device", "name": "zram1",
"marks": {"diskseq": "12", ...}}`; by its marks a later zram1 is told from it (`workloads.host.identity`). A journal
names its process by number and start time; it goes when the process has removed everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from workloads.errors import HostError
from workloads.host.identity import Marks


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
    """One thing: `what` it is (device, swap, cgroup, instance, mount, adding), its name or path, and its marks.

    Without marks it was noted and not yet made, for all that is known.
    """

    what: str
    name: str
    marks: Marks = field(default_factory=dict)

    def same(self, other: Entry) -> bool:
        """Whether both are of the same name."""
        return (self.what, self.name) == (other.what, other.name)

    @property
    def line(self) -> str:
        """As it stands in a journal."""
        return json.dumps({"what": self.what, "name": self.name, "marks": dict(self.marks)}) + "\n"


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
                file.write(entry.line)
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
        left = [other for other in self.entries() if not other.same(entry)]  # two clean-ups may be at it
        if left:
            self._rewrite(left)
        else:
            self.path.unlink(missing_ok=True)

    def mark(self, entry: Entry, marks: Marks) -> None:
        """Add the marks of a thing that is there now."""
        marked = Entry(entry.what, entry.name, marks)
        self._rewrite([marked if other.same(entry) else other for other in self.entries()])

    def _rewrite(self, entries: Iterable[Entry]) -> None:
        part = self.path.with_suffix(".part")
        part.write_text("".join(entry.line for entry in entries))
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
                marks = {str(name): str(value) for name, value in body.get("marks", {}).items()}
                found.append(Entry(str(body["what"]), str(body["name"]), marks))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return found


def own_name() -> str:
    """A name that no other process has, before or after: its number, and when it started."""
    pid = os.getpid()
    return f"{pid}-{started(pid) or 0}"


def own_journal() -> Journal:
    """The journal of this process."""
    pid, _, start = own_name().partition("-")
    return Journal(folder() / f"{pid}-{start}.journal", int(pid), int(start))


@contextmanager
def noted(what: str, name: str, remove: Callable[[], None]) -> Iterator[Callable[[Marks], None]]:
    """Note a thing before the `with` block makes it; afterwards `remove` it, made or not, and cross it out.

    The block calls what it is given with the marks of the thing, as soon as they are known. What cannot be removed
    stays noted. Raises HostError when it cannot be noted; then the block does not run.
    """
    journal = own_journal()
    entry = journal.add(what, name)
    try:
        yield partial(journal.mark, entry)
    finally:
        remove()
        journal.remove(entry)


def journals() -> Iterator[Journal]:
    """All there are, those of living processes too."""
    for path in sorted(folder().glob("*-*.journal")):
        pid, _, start = path.stem.partition("-")
        if pid.isdigit() and start.isdigit():
            yield Journal(path, int(pid), int(start))
