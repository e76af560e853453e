"""`cswap record snapshot`: records without privilege."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.recording import FINEST, Duration, Out, Words, check, follow
from sim.cli.size import size_of

SECONDS_MAX = 3600


def record_snapshot(
    command: Words = None,
    out: Out = None,
    limit: Annotated[str, typer.Option(metavar="SIZE", help="Memory that CMD would have.")] = "256M",
    interval: Annotated[float, typer.Option(metavar="S", help="Seconds between two snapshots.")] = 0.5,
    duration: Duration = None,
) -> None:
    """Look at CMD's memory at intervals and simulate its reclaim; needs no root.

    Sees no reads, and only guesses what the kernel would page out; docs/recording.md explains how.
    """
    from sim.errors import UserError
    from workloads.recorder.snapshot.recording import SnapshotPlan, record_snapshots

    command, out = check(command, out, duration)
    size = size_of("--limit", limit)
    if not FINEST <= interval <= SECONDS_MAX:
        raise UserError(f"--interval {interval}: give seconds from {FINEST} to {SECONDS_MAX}")
    plan = SnapshotPlan(tuple(command), out, size, interval, duration)
    follow(out, lambda watch, done: record_snapshots(plan, watch, done))
