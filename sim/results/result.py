"""Results: tidy frames, one row per run or a sample, with their provenance; written and read as a folder."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError, one_line
from sim.interrupts import held
from sim.results.reading import read_frames
from sim.results.saving import (
    FRAMES,
    MARK,
    ON_DEMAND,
    PICTURES,
    check_folder,
    naming,
    part_of,
    provenance_in,
    publish,
    remove_unfinished,
)
from workloads.traces.digests import digest_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sim.experiment.jobs import Rows

PARTIAL = ".partial"  # what is added to the name of a folder that holds a complete result when one is not


def _none() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True, eq=False)
class Result:
    """What an experiment gave.

    `density`: one row per run; columns trace, frontend, compressor, allocator, density, density_mean, density_end,
    effective_density (and _mean, _end), ideal_density, pages_peak, objects_peak, bytes_peak,
    same_filled_peak, refused_peak, pages_end,
    and numbers of page-outs: stored, same_filled, huge, refused; missing page-ins;
    lost page-outs, whose contents the recorder did not catch; page_size in bytes.
    `timeline`: about 500 samples a run; event, time_s, pages, objects, bytes, same_filled, refused.
    `latency`: one row per run, operation and part; see `sim.timing.latency`.
    `counters`: one row per run and counter; counter, value. What the frontend counted, see its `stats`.

    `zone_pages`, `unusable` and `seed` are columns of every frame where the experiment sets them.

    Empty unless asked for (docs/timing.md): `timing`, one row per timed run and counter; `sensitivity`, one row per
    timed run, price, value and operation; `events`, one row per operation of a timed run, with its parts; `mm_stat`,
    two rows per run of zram, at the moment `fullest` of its trace and at the `end`, with the kernel's nine fields.
    """

    density: pd.DataFrame
    timeline: pd.DataFrame
    latency: pd.DataFrame
    counters: pd.DataFrame
    provenance: dict[str, Any]
    timing: pd.DataFrame = field(default_factory=_none)
    sensitivity: pd.DataFrame = field(default_factory=_none)
    events: pd.DataFrame = field(default_factory=_none)
    mm_stat: pd.DataFrame = field(default_factory=_none)

    @classmethod
    def of(cls, rows: Rows, provenance: dict[str, Any]) -> Result:
        """From the rows of runs."""
        import pandas as pd

        from sim.results.density import mark_small
        from sim.timing.latency import frame
        from sim.timing.sensitivity import compared

        frames = (mark_small(_frame(rows.density)), _frame(rows.timeline), frame(rows.latency))
        sensitivity = _frame(compared(rows.varied, rows.latency))
        events = [pd.DataFrame(columns) for columns in rows.events]
        return cls(
            *frames,
            _frame(rows.counters),
            provenance,
            _frame(rows.timing),
            sensitivity,
            pd.concat(events, ignore_index=True) if events else _none(),
            _frame(rows.mm_stat),
        )

    def save(self, folder: str | Path, *, plots: bool = False) -> Path:
        """Write every frame as CSV and Parquet, the pictures if wanted, and the provenance last; the folder written.

        All of it is put there in one step, in the place of an older result: whatever happens, the folder holds the
        older or the new one, whole. A result that is not complete does not take the place of one that is: it goes to
        `FOLDER.partial`. Raises UserError for a folder that holds something else, and, when all the rest is written,
        for a picture that cannot be drawn; OSError naming the file that could not be written.
        """
        folder = check_folder(Path(folder))
        if not self.provenance.get("complete", True) and (provenance_in(folder) or {}).get("complete"):
            folder = check_folder(folder.with_name(folder.name + PARTIAL))
        with part_of(folder) as part:
            files = {}
            for name, write in self._files():
                with naming(folder / name):
                    write(part / name)
                    files[name] = digest_file(part / name)
            wrong = self._draw_into(part, folder) if plots else []
            text = json.dumps(_finite(self.provenance | {"files": files}), indent=2, allow_nan=False) + "\n"
            with naming(folder / MARK):
                (part / MARK).write_text(text)
            with held():
                publish(part, folder)
                if self.provenance.get("complete", True):
                    remove_unfinished(folder.with_name(folder.name + PARTIAL))
        if wrong:
            raise UserError(f"{wrong[0]}; everything else is written")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Result:
        """Read what `save` wrote, or the CSV alone where no Parquet is left, as with shipped results: what is missing
        among those is empty.

        Raises UserError, also for frames that are not those of its provenance.
        """
        folder = Path(folder)
        about = provenance_in(folder)
        if about is None:
            lacks = f"{MARK} is damaged or not cswap's" if (folder / MARK).exists() else f"no {MARK}"
            raise UserError(f"{folder}: {lacks}, so no result; give a folder that `cswap run --out` wrote")
        return cls(**read_frames(folder, about.pop("files", {})), provenance=about)

    def _files(self) -> Iterator[tuple[str, Callable[[Path], None]]]:
        """The files of the frames by name, each with what writes it."""
        for name in (*FRAMES, *ON_DEMAND):
            frame: pd.DataFrame = getattr(self, name)
            if name in ON_DEMAND and frame.empty:
                continue
            if name != "events":
                yield f"{name}.csv", lambda path, frame=frame: frame.to_csv(path, index=False)  # type: ignore[misc]
            yield f"{name}.parquet", lambda path, frame=frame: frame.to_parquet(path, index=False)  # type: ignore[misc]

    def _draw_into(self, part: Path, folder: Path) -> list[str]:
        """Draw every picture into `part`; what was wrong with those that could not be drawn."""
        import warnings

        import matplotlib.pyplot as plt

        wrong = []
        for name, draw in self.plots().items():
            before = plt.get_fignums()
            try:
                # Names are not formulas; what the font has no sign for is drawn as a box.
                with plt.rc_context({"text.parse_math": False}), warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    figure = draw()
                    with naming(folder / f"{name}.png"):
                        figure.savefig(part / f"{name}.png", dpi=150, format="png")
            except OSError:
                raise
            except Exception as error:  # whatever a strange name makes matplotlib do must not cost the figures
                (part / f"{name}.png").unlink(missing_ok=True)
                wrong.append(f"{folder / name}.png: cannot be drawn ({one_line(error)})")
            finally:
                for number in set(plt.get_fignums()).difference(before):
                    plt.close(number)
        return wrong

    def plot_density(self) -> Figure:
        """Allocators side by side for each trace and compressor, with the ideal line."""
        from sim.plots.density import plot_density
        from sim.plots.style import by_sweep

        return plot_density(by_sweep(self.density))

    def plot_timeline(self) -> Figure:
        """Pages held over the trace, by allocator, one panel per trace."""
        from sim.plots.style import by_sweep
        from sim.plots.timeline import plot_timeline

        return plot_timeline(by_sweep(self.timeline))

    def plot_latency_parts(self) -> Figure:
        """What page-outs and page-ins are made of, by compressor and allocator. Raises UserError without timed runs."""
        from sim.plots.latency_parts import plot_latency_parts
        from sim.plots.style import by_sweep

        return plot_latency_parts(by_sweep(self.latency))

    def plot_latency_load(self) -> Figure:
        """Latency against the load, by compressor. Raises UserError without timed runs of several loads."""
        from sim.plots.latency_sweep import plot_latency_sweep
        from sim.plots.style import by_sweep

        return plot_latency_sweep(by_sweep(self.latency), "load")

    def plot_latency_cpus(self) -> Figure:
        """Latency against the number of CPUs, by allocator. Raises UserError without timed runs of several."""
        from sim.plots.latency_sweep import plot_latency_sweep
        from sim.plots.style import by_sweep

        return plot_latency_sweep(by_sweep(self.latency), "cpus")

    def plot_latency(self) -> Figure:
        """Distributions of latency, by compressor and allocator. Raises UserError without the per-event frame."""
        from sim.plots.latency_cdf import plot_latency_cdf
        from sim.plots.style import by_sweep

        return plot_latency_cdf(by_sweep(self.events))

    def plots(self) -> dict[str, Callable[[], Figure]]:
        """What there is to draw, by name."""
        from sim.plots.latency import timed

        drawn = {"density": self.plot_density} if len(self.density) else {}
        drawn |= {"timeline": self.plot_timeline} if len(self.timeline) else {}
        rows = timed(self.latency)
        if len(rows):
            drawn["latency-parts"] = self.plot_latency_parts
            drawn |= {"latency-load": self.plot_latency_load} if rows["load"].nunique() > 1 else {}
            drawn |= {"latency-cpus": self.plot_latency_cpus} if rows["cpus"].nunique() > 1 else {}
        if len(self.events):
            drawn["latency"] = self.plot_latency
        return drawn

    def save_plots(self, folder: str | Path) -> list[Path]:
        """Write every plot as PNG into the folder, each in one step; the files. Raises UserError, OSError."""
        folder = Path(folder)
        with part_of(Path(os.path.realpath(folder))) as part:
            wrong = self._draw_into(part, folder)
            written = [folder / path.name for name in self.plots() if (path := part / f"{name}.png").exists()]
            with held():
                for name in PICTURES:  # none stays that is not of these frames
                    if name == "timeline" and self.timeline.empty:  # not shipped, for its size
                        continue
                    path = folder / f"{name}.png"
                    with naming(path):
                        if path in written:
                            os.replace(part / path.name, path)
                        else:
                            path.unlink(missing_ok=True)
        if wrong:
            raise UserError(wrong[0])
        return written


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows; numbers of pages stay whole beside "no limit", which is empty."""
    import pandas as pd

    made = pd.DataFrame(rows)
    return made.astype({name: "Int64" for name in ("zone_pages", "max_comp_streams") if name in made})


def _finite(value: Any) -> Any:
    """The same with None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
