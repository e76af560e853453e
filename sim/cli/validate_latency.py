"""`cswap validate latency`: predicted latency beside that of a zram device."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.options import Chain, Compressor, Json, TraceText


def latency(
    trace: TraceText,
    compressor: Compressor,
    count: Annotated[int, typer.Option("-n", min=1, help="Pages of TRACE.")] = 2000,
    repeats: Annotated[int, typer.Option(min=1, help="New devices, one after the other.")] = 5,
    chain: Chain = None,
    swap: Annotated[bool, typer.Option("--swap", help="Page a process out and fault its pages in.")] = False,
    json: Json = False,
) -> None:
    """Time writes and reads of a trace's pages on a zram device of this host (root), beside their prediction.

    With --swap the device is swap, and a process in a memory cgroup of its own is timed: MADV_PAGEOUT and page faults.
    Let nothing else run. The exit status does not depend on the times.
    """
    from sim.calibration.machine import describe, machine, not_idle
    from sim.cli.output import print_json, print_line, print_table
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from sim.plugins import COMPRESSORS
    from sim.validate.latency import compare_latency
    from sim.validate.swap_latency import compare_swap

    opened, about = open_input(trace), machine()
    given = (opened, COMPRESSORS.make(compressor), count, repeats, chain, progress)
    rows, left_out = compare_swap(*given) if swap else (compare_latency(*given), 0)
    if json:
        run = {"trace": opened.name, "compressor": compressor, "path": "swap" if swap else "direct", "repeats": repeats}
        print_json(run | {"left_out": left_out, "machine": about, "latency": rows})
        return
    print_line(f"{opened.name}, {compressor}, {repeats} repeats; {describe(about)}")
    if told := not_idle(about):
        print_line(told)
    if left_out:
        print_line(f"{left_out} pages left out, which did not go out when told to or come back by a major fault")
    print_table(
        "a page through reclaim and a fault, us" if swap else "a page through zram and O_DIRECT, us",
        (
            {
                "operation": row["operation"],
                "percentile": row["percentile"],
                "predicted": f"{row['predicted_us']:.2f}",
                "measured": f"{row['measured_us']:.2f}",
                "ratio": f"{row['ratio']:.2f}",
                "of repeats": f"{row['ratio_low']:.2f} to {row['ratio_high']:.2f}",
            }
            for row in rows
        ),
    )
