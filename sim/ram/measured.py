"""What recordings at several limits taught: how much of more memory counts.

A program that is given more memory does not keep only more of the pages that reclaim would have taken next: files and
page tables grow too, and pages that are no longer used stay on the active list. Two recordings that bracket a size say
what share of the difference counts, and between them the model interpolates.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from sim.errors import SpecError, UserError
from sim.plugins import POLICIES
from sim.toml import read_toml
from workloads.files import read_regular
from workloads.toml import BYTES

FORMAT = 1
PAGE = 4096  # bytes: shares are of bytes, so this only rounds
MOST_SHARE = 4.0
REMEDY = "make it with cswap validate ram A.cswap B.cswap -o FILE"

Bytes = Annotated[int, Meta(ge=1, le=1 << 50)]
Count = Annotated[int, Meta(ge=0, le=1 << 40)]
Share = Annotated[float, Meta(ge=0, le=MOST_SHARE)]


class Interval(Struct, frozen=True, forbid_unknown_fields=True, rename={"smaller": "from", "larger": "to"}):
    """From a recording under one limit to those under a larger one."""

    smaller: Bytes
    larger: Bytes
    share: Share  # of the difference, that counts: with it the policy predicts as many page-outs and page-ins as live
    page_outs: Count  # of the live recordings at the larger limit, mean
    page_ins: Count

    def __post_init__(self) -> None:
        if self.smaller >= self.larger:
            raise ValueError(f"from {self.smaller} is not less than to {self.larger}")


class Measured(Struct, frozen=True, forbid_unknown_fields=True):
    """What `cswap validate ram -o` writes, and `cswap run --policy-from` reads."""

    format: Annotated[int, Meta(ge=FORMAT, le=FORMAT)]
    policy: Annotated[str, Meta(min_length=1, max_length=200)]
    error: Annotated[float, Meta(ge=0, le=1e6)]  # median deviation of the policy from the live counts, without shares
    intervals: Annotated[list[Interval], Meta(min_length=1, max_length=10_000)]

    @property
    def limits(self) -> list[int]:
        """All that were measured, in bytes, ascending."""
        return sorted({limit for one in self.intervals for limit in (one.smaller, one.larger)})

    def knots(self, recorded: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """For a trace recorded under that limit: limits in bytes, int64[k], and the pages more that count at each.

        The first is the recorded limit itself, with none; between two of them it is a straight line. Raises UserError
        if nothing was measured from that limit on.
        """
        larger = sorted((one.larger, one.share) for one in self.intervals if one.smaller == recorded)
        if not larger:
            known = ", ".join(_mib(limit) for limit in self.limits[:-1])
            raise UserError(
                f"the policy measured says nothing of a trace recorded at {_mib(recorded)}, only of {known}; "
                f"give a trace of one of these, or measure again with this one"
            )
        limits = np.array([recorded, *(limit for limit, _ in larger)], np.int64)
        shares = np.array([0.0, *(share for _, share in larger)])
        return limits, np.rint((limits - recorded) * shares / PAGE).astype(np.int64)

    def extra_for(self, limit: int, recorded: int) -> tuple[str, int]:
        """The policy, and the pages more than recorded that count under `limit` bytes, of a trace recorded so.

        Beyond the largest limit measured the share of the last interval goes on (see `between`). Raises as `knots`.
        """
        limits, pages = self.knots(recorded)
        if limit <= limits[-1]:
            return self.policy, round(float(np.interp(limit, limits, pages)))
        slope = (pages[-1] - pages[-2]) / (limits[-1] - limits[-2])
        return self.policy, round(float(pages[-1] + (limit - limits[-1]) * max(slope, 0.0)))

    def share_for(self, limit: int, recorded: int) -> tuple[str, float]:
        """The policy, and the share of the difference that counts (see `sim.ram.closed.Capacity`). As `extra_for`."""
        policy, pages = self.extra_for(limit, recorded)
        return policy, pages * PAGE / (limit - recorded) if limit > recorded else 1.0

    def between(self, limit: int, recorded: int) -> str:
        """In words, what an answer for `limit` rests on. Raises as `knots`."""
        limits = [int(known) for known in self.knots(recorded)[0]]
        if limit in limits:
            return f"measured at {_mib(limit)}"
        if limit > limits[-1]:
            return f"extrapolated beyond {_mib(limits[-1])}, the largest limit measured"
        if limit < limits[0]:
            return f"below {_mib(limits[0])}, the limit recorded"
        at = int(np.searchsorted(limits, limit))
        return f"interpolated between {_mib(limits[at - 1])} and {_mib(limits[at])}, which were measured"


def load(path: Path) -> Measured:
    """Read a file of `save`, which may be a stranger's. Raises OSError, TraceError, or UserError naming the place."""
    if path.suffix == ".toml":
        body: Any = read_toml(path)
    else:
        path.stat()  # says by itself that there is none
        data = read_regular(path, BYTES, REMEDY, follow=True)
        try:
            body = msgspec.json.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise UserError(f"{path}: is no JSON ({error}); {REMEDY}") from error
    try:
        found = msgspec.convert(body, Measured)
        POLICIES.make(found.policy)
    except (msgspec.ValidationError, SpecError) as error:
        raise UserError(f"{path}: {error}; {REMEDY}") from error
    pairs = [(one.smaller, one.larger) for one in found.intervals]
    twice = next((pair for pair in pairs if pairs.count(pair) > 1), None) if len(set(pairs)) < len(pairs) else None
    if twice:
        raise UserError(f"{path}: intervals: {twice[0]} to {twice[1]} is there twice; {REMEDY}")
    return found


def save(path: Path, measured: Measured) -> None:
    """Write as JSON, or as TOML if the name ends with .toml."""
    if path.suffix == ".toml":
        path.write_text(_toml(measured))
    else:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(measured)) + b"\n")


def _toml(measured: Measured) -> str:
    body = msgspec.to_builtins(measured)
    tables: Sequence[dict[str, Any]] = body.pop("intervals")
    lines = [_line(*item) for item in body.items()]
    for table in tables:
        lines += ["", "[[intervals]]", *(_line(*item) for item in table.items())]
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any) -> str:
    return f"{key} = {msgspec.json.encode(value).decode()}"


def _mib(size: int) -> str:
    return f"{size / (1 << 20):g} MiB"
