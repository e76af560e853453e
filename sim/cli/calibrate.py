"""`cswap calibrate`: measures this host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from sim.timing.costs import Cost

SAMPLE = "gcc-sample"
CODECS = ("lz4", "lzo-rle", "zstd")


def calibrate(
    trace: Annotated[
        str,
        typer.Argument(
            metavar="[TRACE]", help="Source of the pages: NAME.cswap, a shipped sample, or a generator spec."
        ),
    ] = SAMPLE,
    compressor: Annotated[
        list[str] | None, typer.Option("-c", "--compressor", metavar="SPEC", help="May be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the costs to this TOML file, for --costs.")
    ] = None,
    pages: Annotated[int, typer.Option("-n", "--pages", min=1, help="Pages to measure.")] = 1000,
    processes: Annotated[int, typer.Option(min=1, help="Repeat everything in this many new processes.")] = 3,
    device: Annotated[
        str | None, typer.Option(metavar="zram", help="Also measure the path to a zram device (root).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Measure this host: compressors on real pages, copies, page faults, the path to a zram device.

    FILE is for `cswap run --costs FILE`; the raw samples are written beside it, as FILE.parquet. Let nothing else run.
    """
    from sim.calibration.calibrate import Plan, sample_pages
    from sim.calibration.machine import machine
    from sim.errors import UserError
    from sim.experiment.inputs import open_input
    from sim.plugins import COMPRESSORS

    if device not in (None, "zram"):
        raise UserError(f"--device {device}: only zram devices can be added; give --device zram")
    if out is not None:
        _check(out)
    codecs = tuple(dict.fromkeys(COMPRESSORS.make(spec).spec for spec in compressor or CODECS))
    opened = open_input(trace)
    plan = Plan(codecs, sample_pages(opened, pages), device == "zram", seed=0)
    about = {"trace": opened.name, "pages": len(plan.pages), **machine()}
    frame, complete = _measured(plan, processes)
    if frame is not None:
        about["processes"] = frame["process"].nunique()
        _report(frame, about, out, json)
    if not complete:
        raise KeyboardInterrupt


def _check(out: Path) -> None:
    """Raise UserError, before the work is done, if the file cannot be written."""
    from sim.errors import UserError

    if not out.absolute().parent.is_dir():
        raise UserError(f"{out}: there is no such folder; give another -o")
    part = out.with_name(f".{out.name}.part")
    try:
        part.touch()
        part.unlink()
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror}); give another -o") from error


def _measured(plan: Any, processes: int) -> tuple[pd.DataFrame | None, bool]:
    """All samples, and whether all processes finished; None if none did."""
    import pandas as pd

    from sim.calibration.calibrate import calibrate as measured
    from sim.cli.progress import progress

    frames, complete = [], True
    try:
        with progress(f"{len(plan.pages)} pages in {processes} processes") as done:
            for frame in measured(plan, processes, done):
                frames.append(frame)
    except KeyboardInterrupt:
        complete = False
    return (pd.concat(frames, ignore_index=True) if frames else None), complete


def _report(frame: pd.DataFrame, about: dict[str, Any], out: Path | None, json: bool) -> None:
    from sim.calibration.costs import measured_costs
    from sim.calibration.summary import codec_rows
    from sim.cli.output import print_json, print_line

    found, codecs = measured_costs(frame), codec_rows(frame)
    if out is not None:
        _write(out, frame, found, codecs, about)
    if json:
        print_json(
            {"about": about, "codecs": codecs, "costs": {p.name: {"value": p.value, "unit": p.unit} for p in found}}
        )
        return
    _show(found, codecs, about)
    if out is not None:
        print_line(f"written to {out}; raw samples in {samples_path(out)}")


def _write(out: Path, frame: pd.DataFrame, found: list[Cost], codecs: list[dict[str, Any]], about: Any) -> None:
    from sim.calibration.costs import to_toml
    from sim.calibration.samples import save

    save(frame, samples_path(out))
    comments = ["Costs that `cswap calibrate` measured on one host; for `cswap run --costs`.", ""]
    comments += [f"{key}: {value}" for key, value in about.items()]
    comments += ["", "Compressors, us per page (the times that runs use are kept with the trace):"]
    comments += [
        f"{row['codec']} {row['part']}, {row['pages']} pages: p50 {row['p50_us']:.2f} "
        f"(processes: {row['p50_low_us']:.2f} to {row['p50_high_us']:.2f}), p99 {row['p99_us']:.2f}"
        for row in codecs
    ]
    part = out.with_name(f".{out.name}.part")
    part.write_text(to_toml(found, comments))
    part.replace(out)


def samples_path(out: Path) -> Path:
    """Where the raw samples go."""
    return out.with_name(f"{out.name}.parquet")


def _show(found: list[Cost], codecs: list[dict[str, Any]], about: dict[str, Any]) -> None:
    from sim.calibration.machine import describe, not_idle
    from sim.cli.output import print_line, print_table

    print_line(f"{about['pages']} pages of {about['trace']}, processes: {about['processes']}; {describe(about)}")
    if told := not_idle(about):
        print_line(told)
    print_table(
        "compressors, us per page",
        (
            {
                "compressor": row["codec"],
                "part": row["part"],
                "pages": row["pages"],
                "p50": f"{row['p50_us']:.2f}",
                "p50 by process": f"{row['p50_low_us']:.2f} to {row['p50_high_us']:.2f}",
                "p95": f"{row['p95_us']:.2f}",
                "p99": f"{row['p99_us']:.2f}",
            }
            for row in codecs
        ),
    )
    print_table(
        "costs",
        (
            {"cost": p.name, "value": f"{p.value:g} {p.unit}", "what": p.source.removeprefix("measured: ")}
            for p in found
        ),
    )
