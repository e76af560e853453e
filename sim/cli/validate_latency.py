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
    json: Json = False,
) -> None:
    """Time writes and reads of a trace's pages on a zram device of this host (root), beside their prediction.

    Let nothing else run. The exit status does not depend on the times.
    """
    from sim.calibration.machine import describe, machine
    from sim.cli.output import print_json, print_line, print_table
    from sim.cli.progress import progress
    from sim.experiment.inputs import open_input
    from sim.plugins import COMPRESSORS
    from sim.validate.latency import compare_latency

    opened, about = open_input(trace), machine()
    rows = compare_latency(opened, COMPRESSORS.make(compressor), count, repeats, chain, progress)
    if json:
        print_json(
            {"trace": opened.name, "compressor": compressor, "repeats": repeats, "machine": about, "latency": rows}
        )
        return
    print_line(f"{opened.name}, {compressor}, {repeats} repeats; {describe(about)}")
    print_table(
        "a page through zram and O_DIRECT, us",
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
