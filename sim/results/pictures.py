"""The pictures of a result: which there are, each drawn on new axes or on the caller's, and written as PNG."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError, one_line
from sim.interrupts import held
from sim.results.density import mark_small, small_pools
from sim.results.saving import is_picture, naming, part_of
from sim.timing.latency import MEMORY, run_columns

if TYPE_CHECKING:
    import pandas as pd

    from sim.plots.curves import Curves
    from sim.plots.panels import Drawn


class Pictures:
    """What draws a result's frames.

    Each `plot_...` draws on new axes, or on `ax`: one Axes, or an array of as many as there are panels. It returns
    that one or the array. `title` replaces the picture's. Raises UserError where there is nothing to draw.
    """

    density: pd.DataFrame
    timeline: pd.DataFrame
    latency: pd.DataFrame
    events: pd.DataFrame
    sizes: pd.DataFrame
    classes: pd.DataFrame
    ram: pd.DataFrame
    provenance: dict[str, Any]

    def plot_density(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Allocators side by side for each trace and compressor, with the ideal line."""
        from sim.plots.density import plot_density
        from sim.plots.style import by_sweep

        return plot_density(by_sweep(mark_small(self.density)), ax=ax, title=title, note=self._limits())

    def plot_density_by(self, parameter: str, ax: Any = None, title: str | None = None) -> Drawn:
        """Density against a column of numbers, such as `chain`: lines by compressor, or by allocator if several."""
        from sim.plots.density_by import plot_density_by

        return plot_density_by(mark_small(self.density), parameter, ax=ax, title=title, note=self._limits(parameter))

    def plot_timeline(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Pages held over the trace, by allocator; one panel per trace, compressor and frontend."""
        from sim.plots.style import by_sweep
        from sim.plots.timeline import plot_timeline

        return plot_timeline(by_sweep(self.timeline), ax=ax, title=title, note=self._limits())

    def plot_sizes(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Compressed sizes of the pages that are paged out, with the size classes of the first zsmalloc there is."""
        from sim.plots.sizes import plot_sizes

        specs = [spec for spec in self.density["allocator"] if spec.partition(":")[0] == "zsmalloc"]
        return plot_sizes(self.sizes, specs[0] if specs else "zsmalloc", self._page_size(), ax=ax, title=title)

    def plot_classes(self, allocator: str | None = None, ax: Any = None, title: str | None = None) -> Drawn:
        """What each size class of an allocator, a spec, wastes at the fullest moment; by default of the first."""
        from sim.plots.classes import plot_classes
        from sim.plots.style import by_sweep

        shown = self.classes
        if len(shown):
            small = self.density.assign(small=small_pools(self.density))
            keys = list(run_columns(shown.columns))
            shown = by_sweep(shown.merge(small[[*keys, "small"]], "left", keys))
        return plot_classes(shown, allocator, self._page_size(), ax=ax, title=title, note=self._limits())

    def plot_ram(self, live: Any = None, ax: Any = None, title: str | None = None) -> Drawn:
        """Page-ins, and the time lost where runs are timed, against the size of RAM; with measured points, if given."""
        from sim.plots.ram import plot_ram

        return plot_ram(self._curves(), live, ax=ax, title=title, note=self._policies())

    def plot_ram_worth(self, ax: Any = None, title: str | None = None) -> Drawn:
        """How much more RAM nothing but a swap device needs to be as good, against the size of RAM."""
        from sim.plots.ram import plot_worth

        return plot_worth(self._curves(), ax=ax, title=title, note=self._policies())

    def plot_memory(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Memory of the program, of the pool, and free, over time, on machines that the two share."""
        from sim.plots.ram import plot_memory

        return plot_memory(self.timeline, self._page_size(), ax=ax, title=title, note=self._policies())

    def plot_latency(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Distributions of latency, by compressor and allocator: exact with the per-event frame."""
        from sim.plots.latency_cdf import plot_latency_cdf

        return plot_latency_cdf(self.latency, self.events, ax=ax, title=title, note=self._clock())

    def plot_latency_parts(self, ax: Any = None, title: str | None = None) -> Drawn:
        """What page-outs and page-ins are made of, by compressor and allocator."""
        from sim.plots.latency_parts import plot_latency_parts

        return plot_latency_parts(self.latency, ax=ax, title=title, note=self._clock())

    def plot_latency_load(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Latency against the load, by compressor; of runs under several loads."""
        from sim.plots.latency_sweep import plot_latency_sweep

        return plot_latency_sweep(self.latency, "load", ax=ax, title=title, note=self._clock())

    def plot_latency_cpus(self, ax: Any = None, title: str | None = None) -> Drawn:
        """Latency against the number of CPUs, by allocator; of runs on several."""
        from sim.plots.latency_sweep import plot_latency_sweep

        return plot_latency_sweep(self.latency, "cpus", ax=ax, title=title, note=self._clock())

    def plots(self) -> dict[str, Callable[[], Drawn]]:
        """What there is to draw, by name."""
        from sim.plots.density_by import swept
        from sim.plots.latency import timed

        drawn: dict[str, Callable[[], Drawn]] = {}
        if len(self.density):
            drawn["density"] = self.plot_density
            judged = self.density[~small_pools(self.density)]
            drawn |= {f"density-by-{name}": partial(self.plot_density_by, name) for name in swept(judged)}
        drawn |= {"timeline": self.plot_timeline} if len(self.timeline) else {}
        drawn |= {"sizes": self.plot_sizes} if len(self.sizes) else {}
        drawn |= {"classes": self.plot_classes} if len(self.classes) else {}
        drawn |= {"ram": self.plot_ram} if len(self.ram) else {}
        if "ram" in self.ram:
            drawn |= {"ram-worth": self.plot_ram_worth}
            drawn |= {"memory": self.plot_memory} if self._shared().any() else {}
        rows = timed(self.latency)
        if len(rows):
            drawn |= {"latency": self.plot_latency, "latency-parts": self.plot_latency_parts}
            drawn |= {"latency-load": self.plot_latency_load} if rows["load"].nunique() > 1 else {}
            drawn |= {"latency-cpus": self.plot_latency_cpus} if rows["cpus"].nunique() > 1 else {}
        return drawn

    def save_plots(self, folder: str | Path) -> list[Path]:
        """Write every plot as PNG into the folder, made if need be, each in one step; the files.

        Pictures of what there is no more are removed.
        Raises UserError, OSError.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with part_of(Path(os.path.realpath(folder))) as part:
            wrong = draw_into(self.plots(), part, folder)
            written = [folder / path.name for name in self.plots() if (path := part / f"{name}.png").exists()]
            with held():
                for path in written:
                    with naming(path):
                        os.replace(part / path.name, path)
                for path in set(filter(is_picture, folder.iterdir())).difference(written):  # of other frames
                    if path.stem != "timeline" or len(self.timeline):  # not shipped, for its size
                        path.unlink()
        if wrong:
            raise UserError(wrong[0])
        return written

    def _curves(self) -> list[Curves]:
        """Of every trace, and every measure that there is."""
        from sim.plots.curves import curves

        measures = [name for name in ("page_ins", "time_lost_s") if name in self.ram]
        return [curve for measure in measures for curve in curves(self.ram, measure)]

    def _shared(self) -> pd.Series[bool]:
        """Which rows of the timeline are of machines that program and pool share."""
        import pandas as pd

        there = {"ram", "program"} <= set(self.timeline.columns)
        return self.timeline["ram"].notna() if there else pd.Series(dtype=bool)

    def _policies(self) -> str:
        """How pages are chosen that go out."""
        return f"modelled; policy {', '.join(map(str, self.ram['policy'].drop_duplicates()))}"

    def _page_size(self) -> int:
        return int(self.density["page_size"].iloc[0]) if len(self.density) and "page_size" in self.density else 4096

    def _limits(self, besides: str = "") -> str:
        """The memory that all runs had, where it was limited."""
        one = {name: self.density[name].dropna().unique() for name in MEMORY if name in self.density}
        words = {"zone_pages": "in {:,} physical pages", "unusable": "unusable free space index {:.2f}"}
        return ", ".join(
            text.format(one[name][0])
            for name, text in words.items()
            if name != besides and name in one and len(one[name]) == 1
        )

    def _clock(self) -> str:
        """Where the times come from."""
        from sim.plots.latency import timed
        from sim.plots.style import in_order

        rows = timed(self.latency)
        there = "codec_times" in rows  # not in results from before there was that column
        taken = rows["codec_times"].dropna() if there else _texts(self.provenance.get("codec_times", ""))
        told = "; ".join(map(str, in_order(taken)))
        return f"modelled; codec times: {told}" if told else "modelled"


def draw_into(plots: Mapping[str, Callable[[], Any]], part: Path, folder: Path) -> list[str]:
    """Draw every picture into `part`, which becomes `folder`; what was wrong with those that could not be drawn."""
    import warnings

    import matplotlib.pyplot as plt

    wrong = []
    for name, draw in plots.items():
        before = plt.get_fignums()
        try:
            # Names are not formulas; what the font has no sign for is drawn as a box.
            with plt.rc_context({"text.parse_math": False}), warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                draw()
                with naming(folder / f"{name}.png"):
                    plt.gcf().savefig(part / f"{name}.png", dpi=150, format="png")
        except OSError:
            raise
        except Exception as error:  # whatever a strange name makes matplotlib do must not cost the figures
            (part / f"{name}.png").unlink(missing_ok=True)
            wrong.append(f"{folder / name}.png: cannot be drawn ({one_line(error)})")
        finally:
            for number in set(plt.get_fignums()).difference(before):
                plt.close(number)
    return wrong


def _texts(told: Any) -> Iterator[str]:
    """All texts in nested mappings."""
    for part in told.values() if isinstance(told, dict) else ():
        yield from _texts(part)
    if isinstance(told, str) and told:
        yield told
