"""`cswap record`: records the swap traffic of a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from sim.cli.record_snapshot import record_snapshot
from sim.cli.recording import Duration, Out, Words, check, follow
from sim.cli.size import LEAST, size_of

if TYPE_CHECKING:
    from workloads.recorder.plan import Plan


class Record(TyperGroup):
    """`cswap record -o OUT ... -- CMD...` and its sub-commands."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """See click: what does not begin with a sub-command records a program, without naming one."""
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        return self.commands["program"].make_context(info_name, args, parent, **extra)


def former(flag: str, form: str) -> Any:
    """A flag that is now a sub-command: refused, naming the new form."""

    def refuse(given: bool) -> None:
        from sim.errors import UserError

        if given:
            raise UserError(f"{flag} is a sub-command now: {form}")

    return typer.Option(flag, hidden=True, is_eager=True, callback=refuse)


PROGRAM = {"allow_interspersed_args": False}  # the options behind the program's name are its own

app = typer.Typer(cls=Record, help="Record what a program swaps.")


@app.command("program", context_settings=PROGRAM)
def record(
    command: Words = None,
    out: Out = None,
    limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory that CMD may use, such as 256M; the rest is swapped.")
    ] = None,
    ram: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Instead of --limit: memory that CMD and the compressed pool share."),
    ] = None,
    fraction: Annotated[
        float | None,
        typer.Option(help="Instead of --limit: a share of the peak of a first run of CMD without limit."),
    ] = None,
    algorithm: Annotated[
        str, typer.Option("-c", "--algorithm", help="Compressor of the zram device that serves as swap.")
    ] = "lz4",
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="How to watch the kernel; by default the best that works here.")
    ] = None,
    duration: Duration = None,
    cleanup: Annotated[bool, former("--cleanup", "cswap record cleanup")] = False,
    snapshot: Annotated[bool, former("--snapshot", "cswap record snapshot -o OUT ... -- CMD...")] = False,
) -> None:
    """Run CMD under memory pressure and record what it swaps, with contents (root).

    Adds a zram device as swap and a memory cgroup, and removes them afterwards. CMD runs as the user who called sudo.
    Ends with CMD, after --duration or on Ctrl-C, with the exit status of CMD. docs/recording.md lists what cannot be
    seen.

    `cswap record snapshot -o OUT ... -- CMD...` needs no root, but simulates the reclaim.
    `cswap record cleanup` removes what killed recorders left in the kernel.
    """
    from sim.errors import UserError

    command, out = check(command, out, duration)
    if sum(given is not None for given in (limit, ram, fraction)) != 1:
        raise UserError("give one of --limit SIZE, --ram SIZE and --fraction SHARE")
    if fraction is not None and not 0.01 <= fraction <= 1:
        raise UserError(f"--fraction {fraction}: give a share of the peak from 0.01 to 1")
    from workloads.recorder.plan import Plan

    size = LEAST if limit is None else size_of("--limit", limit)
    if ram is not None:
        size = size_of("--ram", ram)
    _run(Plan(tuple(command), out, size, algorithm, ram is not None, backend, duration), fraction)


def _run(plan: Plan, fraction: float | None) -> None:
    from dataclasses import replace

    from sim.cli.progress import status_line
    from workloads.recorder.session import peak_of, record_program, require

    require(plan)
    if fraction is not None:
        with status_line() as say:
            say("first run, without limit, to see how much memory it needs")
            peak = peak_of(plan)
        notes = (("fraction", fraction), ("peak", peak))
        plan = replace(plan, limit=max(LEAST, int(peak * fraction)), notes=notes)
    follow(plan.out, lambda watch, done: record_program(plan, watch, done))


app.command("snapshot", context_settings=PROGRAM)(record_snapshot)


@app.command("cleanup")
def record_cleanup() -> None:
    """Remove what killed recorders left in the kernel."""
    from workloads.host.cleanup import cleanup as clean

    doubts: list[str] = []
    removed, running = clean(doubts.append)
    for line in (*(f"removed {entry.what} {entry.name}" for entry in removed), *doubts):
        print(line)
    if not removed and not doubts:
        print("nothing was left behind" + (f"; {running} recording(s) under way" if running else ""))
