"""The machine that traces are replayed on: how much RAM the program has, alone or together with its pool."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import FieldError, SpecError, UserError
from sim.experiment.fields import described, several
from sim.parameters import BYTES, Parameter
from sim.plugins import POLICIES
from sim.spec import MOST, values_of
from sim.units import UNITS, bytes_of, mib_text
from workloads.traces.source import is_size, recorded_limit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sim.ram.base import Policy
    from sim.ram.closed import Capacity
    from sim.ram.measured import Measured
    from workloads.traces.events import Events
    from workloads.traces.trace import Trace

SIZE = Parameter("size", (int,), None, unit=BYTES)
STEPS = 12  # of a baseline, from the recorded memory to one in which nothing goes out
AUTO, CHOSEN = "auto", 5  # sizes that a trace itself suggests, and how many
FINER = 4  # sizes are rounded to a fourth of what lies between them, or less


class TooSmall(UserError):
    """A machine of which the recording tells nothing."""


class MachinePoint(NamedTuple):
    """One machine: of `size` bytes, `shared` by program and pool, or the program's alone.

    `measured` is what recordings at several limits told, where that is given.
    """

    size: int
    shared: bool
    policy: Policy
    measured: Measured | None = None

    def columns(self) -> dict[str, Any]:
        """The columns of the frames that tell machines apart."""
        ram, limit = (self.size, None) if self.shared else (None, self.size)
        return {"ram": ram, "limit": limit, "policy": self.policy.spec}

    def capacity(self, trace: Trace, recorded: int) -> Capacity:
        """Of a trace recorded in so many bytes. Raises TooSmall if that was more."""
        from sim.ram.closed import Capacity

        if self.size < recorded:
            size, least = (mib_text(n) if n >= UNITS["M"] else f"{n} bytes" for n in (self.size, recorded))
            raise TooSmall(
                f"{trace.name}: {size} is less than the {least} it was recorded in, so nothing is known; "
                f"give {least} or more, or record it again in less"
            )
        told = limits_of(trace)
        share = self.measured.share_for(self.size, recorded)[1] if self.measured else 1.0
        pages = self.size // trace.page_size
        return Capacity(pages, told or recorded // trace.page_size, self.policy, self.shared, share)

    def basis(self, recorded: int) -> dict[str, str]:
        """In words, what the figures rest on, where anything was measured."""
        if self.measured is None:
            return {}
        missed = f"live counts were missed by {self.measured.error:.0%} in the median"
        return {"basis": f"{self.measured.between(self.size, recorded)}; {missed}"}


def limits_of(trace: Trace) -> Callable[[Events], npt.NDArray[np.int64]] | None:
    """What tells, for each event of a batch, in how many pages a trace was recorded whose limit followed its pool."""
    frame = trace.memory if is_size(trace.source.get("ram")) else None
    if frame is None or "limit" not in frame or not trace.has_time or frame.empty:
        return None
    import numpy as np

    at, pages = frame["time_ns"].to_numpy(), frame["limit"].to_numpy() // trace.page_size

    def told(events: Events) -> npt.NDArray[np.int64]:
        assert events.time_ns is not None
        return pages[np.maximum(np.searchsorted(at, events.time_ns, side="right") - 1, 0)]

    return told


@dataclass(frozen=True)
class Machine:
    """Every size and policy is a run of its own; without `ram` and `limit` traces are replayed as they were recorded.

    `ram`: bytes that program and pool share. `limit`: bytes of the program alone, the pool lies outside, as with the
    limit of a control group. `policy`: which page goes out next. `recorded`: bytes of the memory in which traces were
    recorded that do not tell it themselves. Sizes may be texts, `400M`, or ranges, `300M..600M:25M`, or `auto`, which
    stands for a few that suit the trace. Raises UserError for what is out of range, OSError for a file that cannot be
    read.

    `together`: all traces run at the same time on each machine (`workloads.traces.together`).
    `policy_from`: a file of `cswap validate ram -o`, which gives the policy, and how much of more memory counts.
    """

    ram: tuple[int | str | None, ...] = (None,)
    limit: tuple[int | str | None, ...] = (None,)
    policy: tuple[str | Policy, ...] = ("lru",)
    policy_from: str | None = None
    recorded: int | str | None = None
    together: bool = False

    def __post_init__(self) -> None:
        for name in ("ram", "limit"):
            sizes = (size for item in several(self, name, "machine") for size in _sizes(name, item))
            object.__setattr__(self, name, tuple(dict.fromkeys(sizes)))
            for size in getattr(self, name):
                if size is not None and size != AUTO and not is_size(size):
                    raise FieldError("machine", f"<{name}>={{!r}}; give a size such as 400M, or auto", size)
        for policy in several(self, "policy", "machine"):
            if not isinstance(policy, str) and not POLICIES.covers(type(policy)):
                raise FieldError("machine", "<policy> holds {!r}; give specs or policy objects", policy)
        if isinstance(self.recorded, str):
            object.__setattr__(self, "recorded", bytes_of(self.recorded) or self.recorded)
        if self.recorded is not None and not is_size(self.recorded):
            raise FieldError("machine", "<recorded>={!r}; give a size such as 400M", self.recorded)
        if self.policy_from is not None:
            if not isinstance(self.policy_from, str | os.PathLike):
                raise FieldError("machine", "<policy_from>={!r}; give the name of a file", self.policy_from)
            object.__setattr__(self, "policy_from", os.fspath(self.policy_from))
            if self.policy != ("lru",):
                raise FieldError("machine", "<policy> and <policy_from>: give one of them")
            _ = self.measured  # what is wrong there is told here
        if not isinstance(self.together, bool):
            raise FieldError("machine", "<together>={!r}; give true or false", self.together)
        default = {"policy": ("lru",), "policy_from": None, "recorded": None, "together": False}
        given = [name for name, value in default.items() if getattr(self, name) != value]
        if given and not self.closed:
            raise FieldError("machine", f"<{given[0]}> has no effect without <ram> or <limit>; give one of these")

    @property
    def closed(self) -> bool:
        """Whether any size is given."""
        return self.ram != (None,) or self.limit != (None,)

    def points(self, trace: Trace) -> Iterator[MachinePoint]:
        """Every machine for a trace. Raises as `recorded_in`."""
        sizes = [(size, shared) for shared in (True, False) for size in self._sizes_for(trace, shared)]
        policies = (self.measured.policy,) if self.measured else self.policy
        for (size, shared), policy in product(sizes, policies):
            yield MachinePoint(size, shared, POLICIES.make(policy), self.measured)

    def _sizes_for(self, trace: Trace, shared: bool) -> list[int]:
        """Sizes in bytes, each once.

        Those of `auto` end with one in which nothing goes out. They begin with the recorded memory; where the pool
        shares it, with a third of the contents more, which leaves that memory to the program if they pack well. They
        are round, but no rounder than lets them be told apart: whole MiB, or of small traces fewer pages.
        """
        given = self.ram if shared else self.limit
        sizes = [size for size in given if isinstance(size, int)]
        if AUTO in given:
            recorded, most = self.recorded_in(trace), trace.fullest.slots * trace.page_size
            least = most // 3 if shared else 0
            unit = _unit((most - least) // (CHOSEN - 1), trace.page_size)
            more = (least + (most - least) * i // (CHOSEN - 1) for i in range(CHOSEN))
            sizes += [_up(recorded + size, unit) for size in more]
        return list(dict.fromkeys(sizes))

    @cached_property
    def measured(self) -> Measured | None:
        """What the file of `policy_from` says, read once. Raises UserError, OSError."""
        from sim.ram.measured import load

        return load(Path(self.policy_from)) if self.policy_from else None

    def of(self, trace: Trace) -> tuple[list[MachinePoint | None], list[TooSmall]]:
        """Those of which a trace tells something, None for itself as it was recorded; and why not of the others.

        Raises UserError if nothing tells in how much memory it was recorded, or if it holds some of its slots only.
        """
        if not self.closed:
            return [None], []
        found: list[MachinePoint | None] = []
        small = []
        recorded = self.recorded_in(trace)
        for point in self.points(trace):
            try:
                point.capacity(trace, recorded)
                found.append(point)
            except TooSmall as error:
                small.append(error)
        return found, small

    def baseline(self, trace: Trace) -> list[MachinePoint]:
        """Those on which a swap device alone is looked at: the same, smaller and larger ones until nothing goes out."""
        points = [point for point in self.of(trace)[0] if point]
        least = self.recorded_in(trace) if points else 0
        step = trace.fullest.slots * trace.page_size // STEPS
        unit = _unit(step, trace.page_size)
        step = max(unit, _up(step, unit))
        there = {(point.size, point.policy.spec) for point in points}
        shared = any(point.shared for point in points)
        for policy in {point.policy.spec: point.policy for point in points}.values():
            for size in range(least, least + (STEPS + 1) * step, step):
                if (size, policy.spec) not in there:
                    points.append(MachinePoint(size, shared, policy, self.measured))
        return points

    def recorded_in(self, trace: Trace) -> int:
        """Bytes of the memory in which a trace was recorded. Raises UserError."""
        if "sample" in trace.source:
            raise UserError(f"{trace.name}: holds some of its slots only, so no size of a machine fits; give it whole")
        if told := recorded_limit(trace.source):
            return told
        if not isinstance(self.recorded, int):
            wrong = "{} does not tell in how much memory it was recorded; give it as <recorded>"
            raise FieldError("machine", wrong, trace.name)
        return self.recorded

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form."""
        return {field.name: described(getattr(self, field.name)) for field in fields(self)}


def _sizes(name: str, item: Any) -> Iterator[Any]:
    """Those that a text stands for, `400M` or `300M..600M:25M`; anything else as it is."""
    if not isinstance(item, str) or item == AUTO:
        yield item
        return
    try:
        texts = list(values_of("machine", name, item, SIZE))
    except SpecError:
        texts = []
    if not 0 < len(texts) <= MOST:
        template = f"<{name}>={{}} is no range of sizes; write 300M..600M:25M, the smaller one first"
        raise FieldError("machine", template, item)
    for text in texts:
        size = bytes_of(text)
        yield text if size is None else size


def _unit(step: int, page_size: int) -> int:
    """What sizes that are `step` bytes apart are multiples of: a few pages, a MiB at most."""
    unit = page_size
    while 2 * unit <= min(UNITS["M"], step // FINER):
        unit *= 2
    return unit


def _up(size: int, unit: int) -> int:
    """The next multiple of a unit."""
    return -(-size // unit) * unit
