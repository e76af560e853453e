"""Results: tidy frames, one row a run or a sample, with their provenance; written and read as a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sim.jobs import Rows

FRAMES = ("density", "timeline", "latency", "counters")
ON_DEMAND = ("timing", "sensitivity", "events")  # written if they have rows; the last as Parquet only
MARK = "provenance.json"


def _none() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True, eq=False)
class Result:
    """What an experiment gave.

    `density`: one row a run; columns trace, frontend, compressor, allocator, density, density_mean, density_end,
    effective_density (and _mean, _end), ideal_density, pages_peak, objects_peak, bytes_peak,
    same_filled_peak, refused_peak, pages_end,
    and numbers of page-outs: stored, same_filled, huge, refused; missing page-ins;
    lost page-outs, whose contents the recorder did not catch; page_size in bytes.
    `timeline`: about 500 samples a run; event, time_s, pages, objects, bytes, same_filled, refused.
    `latency`: one row a run, operation and part; see `sim.timing.latency`.
    `counters`: one row a run and counter; counter, value. What the frontend counted, see its `stats`.

    Empty unless asked for (docs/timing.md): `timing`, one row a timed run and counter; `sensitivity`, one row a timed
    run, price, value and operation; `events`, one row an operation of a timed run, with its parts.
    """

    density: pd.DataFrame
    timeline: pd.DataFrame
    latency: pd.DataFrame
    counters: pd.DataFrame
    provenance: dict[str, Any]
    timing: pd.DataFrame = field(default_factory=_none)
    sensitivity: pd.DataFrame = field(default_factory=_none)
    events: pd.DataFrame = field(default_factory=_none)

    @classmethod
    def of(cls, rows: Rows, provenance: dict[str, Any]) -> Result:
        """From the rows of runs."""
        import pandas as pd

        from sim.timing.latency import frame
        from sim.timing.sensitivity import compared

        frames = (pd.DataFrame(rows.density), pd.DataFrame(rows.timeline), frame(rows.latency))
        sensitivity = pd.DataFrame(compared(rows.varied, rows.latency))
        events = [pd.DataFrame(columns) for columns in rows.events]
        return cls(
            *frames,
            pd.DataFrame(rows.counters),
            provenance,
            pd.DataFrame(rows.timing),
            sensitivity,
            pd.concat(events, ignore_index=True) if events else _none(),
        )

    def save(self, folder: str | Path) -> None:
        """Write every frame as CSV and Parquet, and the provenance last; each file appears whole or not at all.

        Raises UserError for a folder that holds something else than a result.
        """
        folder = Path(folder)
        check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).unlink(missing_ok=True)
        (folder / f".{MARK}").write_text("{}")
        for name in (*FRAMES, *ON_DEMAND):
            frame, csv, parquet = getattr(self, name), folder / f"{name}.csv", folder / f"{name}.parquet"
            if name in ON_DEMAND and frame.empty:  # nor is that of an earlier result kept
                csv.unlink(missing_ok=True)
                parquet.unlink(missing_ok=True)
                continue
            if name != "events":
                _replace(csv, lambda path, frame=frame: frame.to_csv(path, index=False))
            _replace(parquet, lambda path, frame=frame: frame.to_parquet(path, index=False))
        text = json.dumps(self.provenance, indent=2, sort_keys=True) + "\n"
        _replace(folder / MARK, lambda path: Path(path).write_text(text))
        (folder / f".{MARK}").unlink()

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read what `save` wrote. Raises UserError."""
        import pandas as pd

        folder = Path(folder)
        if not (folder / MARK).is_file():
            raise UserError(f"{folder}: no {MARK}, so no result; give a folder that `cswap run --out` wrote")
        try:
            there = [name for name in ON_DEMAND if (folder / f"{name}.parquet").exists()]
            frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in (*FRAMES, *there)}
            about = json.loads((folder / MARK).read_text())
        except (ValueError, OSError) as error:
            raise UserError(f"{folder}: {' '.join(str(error).split())}; run the experiment again") from error
        return cls(**frames, provenance=about)

    def plot_density(self) -> Figure:
        """Allocators side by side for each workload and codec, with the ideal line."""
        from sim.plots.density import plot_density

        return plot_density(self.density)

    def plot_timeline(self) -> Figure:
        """Pages held over the trace, by allocator, one panel a workload."""
        from sim.plots.timeline import plot_timeline

        return plot_timeline(self.timeline)

    def plot_latency_parts(self) -> Figure:
        """What page-outs and page-ins are made of, by codec and allocator. Raises UserError without timed runs."""
        from sim.plots.latency_parts import plot_latency_parts

        return plot_latency_parts(self.latency)

    def plot_latency_load(self) -> Figure:
        """Latency against the load, by codec. Raises UserError without timed runs of several loads."""
        from sim.plots.latency_sweep import plot_latency_sweep

        return plot_latency_sweep(self.latency, "load")

    def plot_latency_cpus(self) -> Figure:
        """Latency against the number of CPUs, by allocator. Raises UserError without timed runs of several."""
        from sim.plots.latency_sweep import plot_latency_sweep

        return plot_latency_sweep(self.latency, "cpus")

    def plot_latency(self) -> Figure:
        """Distributions of latency, by codec and allocator. Raises UserError without the per-event frame."""
        from sim.plots.latency_cdf import plot_latency_cdf

        return plot_latency_cdf(self.events)

    def plots(self) -> dict[str, Callable[[], Figure]]:
        """What there is to draw, by name."""
        from sim.plots.latency import timed

        drawn = {"density": self.plot_density, "timeline": self.plot_timeline}
        rows = timed(self.latency)
        if len(rows):
            drawn["latency-parts"] = self.plot_latency_parts
            drawn |= {"latency-load": self.plot_latency_load} if rows["load"].nunique() > 1 else {}
            drawn |= {"latency-cpus": self.plot_latency_cpus} if rows["cpus"].nunique() > 1 else {}
        if len(self.events):
            drawn["latency"] = self.plot_latency
        return drawn

    def save_plots(self, folder: str | Path) -> list[Path]:
        """Write every plot as PNG into the folder; the files."""
        import matplotlib.pyplot as plt

        written = []
        for name, draw in self.plots().items():
            figure = draw()
            path = Path(folder) / f"{name}.png"
            _replace(path, lambda part, figure=figure: figure.savefig(part, dpi=150, format="png"))
            plt.close(figure)
            written.append(path)
        return written


def check_folder(folder: Path) -> None:
    """Raise UserError unless results may be written there: nothing, an empty folder, or an earlier result."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: is a file; give another --out")
    held = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if held and not held & {MARK, f".{MARK}"}:
        raise UserError(f"{folder}: holds other files; give an empty or a new folder as --out")


def _replace(path: Path, write: Any) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
