"""The machine that traces are replayed on: how much RAM the program has, alone or together with its pool."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from sim.errors import UserError
from sim.experiment.fields import described, several
from sim.plugins import POLICIES

if TYPE_CHECKING:
    from sim.ram.base import Policy
    from sim.ram.closed import Capacity
    from workloads.traces.trace import Trace

MIB = 1 << 20


class TooSmall(UserError):
    """A machine of which the recording tells nothing."""


class MachinePoint(NamedTuple):
    """One machine: of `ram` bytes for program and pool, or of `limit` bytes for the program alone."""

    ram: int | None
    limit: int | None
    policy: Policy

    @property
    def size(self) -> int:
        """Bytes of either."""
        return self.ram if self.ram is not None else self.limit or 0

    def columns(self) -> dict[str, Any]:
        """The columns of the frames that tell machines apart."""
        return {"ram": self.ram, "limit": self.limit, "policy": self.policy.spec}

    def capacity(self, trace: Trace, recorded: int) -> Capacity:
        """Of a trace recorded in so many bytes. Raises TooSmall if that was more."""
        from sim.ram.closed import Capacity

        if self.size < recorded:
            raise TooSmall(
                f"{trace.name}: {_mib(self.size)} is less than the {_mib(recorded)} it was recorded in, so nothing is "
                f"known; give {_mib(recorded)} or more, or record it again in less"
            )
        pages = (self.size // trace.page_size, recorded // trace.page_size)
        return Capacity(*pages, self.policy, shared=self.ram is not None)


@dataclass(frozen=True)
class Machine:
    """Every size and policy is a run of its own; without `ram` and `limit` traces are replayed as they were recorded.

    `ram`: bytes that program and pool share. `limit`: bytes of the program alone, the pool lies outside, as with the
    limit of a control group. `policy`: which page goes out next. `recorded`: bytes of the memory in which traces were
    recorded that do not tell it themselves. Raises UserError for what is out of range.
    """

    ram: tuple[int | None, ...] = (None,)
    limit: tuple[int | None, ...] = (None,)
    policy: tuple[str | Policy, ...] = ("lru",)
    recorded: int | None = None

    def __post_init__(self) -> None:
        for name in ("ram", "limit"):
            for size in several(self, name, "machine"):
                if size is not None and not _is_size(size):
                    raise UserError(f"machine: {name}={size!r}; give a number of bytes, at least 1")
        for policy in several(self, "policy", "machine"):
            if not isinstance(policy, str) and not POLICIES.covers(type(policy)):
                raise UserError(f"machine: policy holds {policy!r}; give specs or policy objects")
        if self.recorded is not None and not _is_size(self.recorded):
            raise UserError(f"machine: recorded={self.recorded!r}; give a number of bytes, at least 1")
        if not self.closed and self != Machine():
            raise UserError("machine: policy and recorded have no effect without ram or limit; give one of these")

    @property
    def closed(self) -> bool:
        """Whether any size is given."""
        return self.ram != (None,) or self.limit != (None,)

    def points(self) -> Iterator[MachinePoint]:
        """Every machine."""
        sizes = [(ram, None) for ram in self.ram if ram] + [(None, limit) for limit in self.limit if limit]
        for (ram, limit), policy in product(sizes, self.policy):
            yield MachinePoint(ram, limit, POLICIES.make(policy))

    def of(self, trace: Trace) -> list[MachinePoint | None]:
        """Those of which a trace tells something; None if it is replayed as it was recorded.

        Raises UserError if there is none, and if nothing tells in how much memory it was recorded.
        """
        if not self.closed:
            return [None]
        recorded, found = self.recorded_in(trace), []
        for point in self.points():
            try:
                point.capacity(trace, recorded)
                found.append(point)
            except TooSmall as error:
                small = error
        if not found:
            raise small
        return list(found)

    def recorded_in(self, trace: Trace) -> int:
        """Bytes of the memory in which a trace was recorded. Raises UserError."""
        told = trace.source.get("limit")
        if isinstance(told, int) and _is_size(told):
            return told
        if self.recorded is None:
            raise UserError(f"{trace.name}: does not tell in how much memory it was recorded; give it as --recorded")
        return self.recorded

    def describe(self) -> dict[str, Any]:
        """The fields in JSON-safe form."""
        return {field.name: described(getattr(self, field.name)) for field in fields(self)}


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 53


def _mib(size: int) -> str:
    return f"{size / MIB:g}M"
