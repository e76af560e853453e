"""`cswap validate --latency`: predicted latency beside that of a zram device."""

from __future__ import annotations

from sim.cli.device import check_device


def show_latency(trace: str, device: str, codec: str, count: int, repeats: int, chain: int | None, json: bool) -> None:
    """Measure, predict and print."""
    from sim.calibration.machine import describe, machine
    from sim.cli.output import print_json, print_line, print_table
    from sim.cli.progress import progress
    from sim.compressors.registry import compressor
    from sim.experiment.inputs import open_input
    from sim.validate.latency import compare_latency

    check_device(device)
    opened, about = open_input(trace), machine()
    rows = compare_latency(opened, compressor(codec), count, repeats, chain, progress)
    if json:
        print_json({"trace": opened.name, "compressor": codec, "repeats": repeats, "machine": about, "latency": rows})
        return
    print_line(f"{opened.name}, {codec}, {repeats} repeats; {describe(about)}")
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
