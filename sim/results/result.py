"""Results: tidy frames, one row per run or a sample, with their provenance; written and read as a folder."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.interrupts import held
from sim.results.pictures import Pictures, draw_into
from sim.results.reading import read_frames
from sim.results.saving import (
    FRAMES,
    MARK,
    ON_DEMAND,
    check_folder,
    naming,
    part_of,
    provenance_in,
    publish,
    remove_unfinished,
    result_in,
)
from workloads.traces.digests import digest_file

if TYPE_CHECKING:
    import pandas as pd

    from sim.experiment.jobs import Rows

PARTIAL = ".partial"  # what is added to the name of a folder that holds a complete result when one is not
ALWAYS = ("density", "density_mean", "effective_density", "effective_density_mean", "ideal_density", "pages_mean")


def _none() -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame()


@dataclass(frozen=True, eq=False, repr=False)
class Result(Pictures):
    """What an experiment gave.

    `density`: one row per run; columns trace, frontend, compressor, allocator, allocator_name, the parameters
    (`sim.results.parameters`), density, density_mean, density_end,
    effective_density (and _mean, _end), ideal_density, pages_peak, objects_peak, bytes_peak,
    same_filled_peak, refused_peak, pages_end,
    and numbers of page-outs: stored, same_filled, huge, refused; missing page-ins;
    lost page-outs, whose contents the recorder did not catch; page_size in bytes.
    `timeline`: about 500 samples a run; event, time_s, pages, objects, bytes, same_filled, refused.
    `latency`: one row per run, operation and part; see `sim.timing.latency`.
    `counters`: one row per run and counter; counter, value. What the frontend counted, see its `stats`.

    `sizes`: one row per trace, compressor and size; bytes, page_outs. `classes`: one row per run and size class in use
    at the trace's fullest moment; see `Allocator.class_usage`.

    `zone_pages`, `unusable`, `unusable_order`, `seed`, `ram`, `limit` and `policy` are columns of every frame where the
    experiment sets them. A column for which no row has a value is left out.

    Empty unless asked for: `ram`, one row per run on a machine of another size, and per setting where it is timed
    (`sim.results.ram`); `mm_stat`, two rows per run of zram, at the moment `fullest` of its trace and at the `end`,
    with the kernel's nine fields; and, in docs/timing.md, `timing`, one row per timed run and counter; `sensitivity`,
    one row per timed run, price, value and operation; `events`, one row per operation of a timed run, with its parts.
    """

    density: pd.DataFrame
    timeline: pd.DataFrame
    latency: pd.DataFrame
    counters: pd.DataFrame
    provenance: dict[str, Any]
    ram: pd.DataFrame = field(default_factory=_none)
    timing: pd.DataFrame = field(default_factory=_none)
    sensitivity: pd.DataFrame = field(default_factory=_none)
    events: pd.DataFrame = field(default_factory=_none)
    sizes: pd.DataFrame = field(default_factory=_none)
    classes: pd.DataFrame = field(default_factory=_none)
    mm_stat: pd.DataFrame = field(default_factory=_none)

    @classmethod
    def of(cls, rows: Rows, provenance: dict[str, Any]) -> Result:
        """From the rows of runs."""
        import pandas as pd

        from sim.results.density import mark_small
        from sim.results.parameters import with_parameters
        from sim.results.ram import ram_frame
        from sim.timing.latency import frame
        from sim.timing.sensitivity import compared

        events = [pd.DataFrame(columns) for columns in rows.events]
        frames = {
            "density": with_parameters(mark_small(_frame(rows.density))),
            "timeline": _frame(rows.timeline),
            "latency": frame(rows.latency),
            "counters": _frame(rows.counters),
            "ram": ram_frame(rows.ram, rows.lost),
            "timing": _frame(rows.timing),
            "sensitivity": _frame(compared(rows.varied, rows.latency)),
            "events": pd.concat(events, ignore_index=True) if events else _none(),
            "sizes": _frame(rows.sizes),
            "classes": _frame(rows.classes),
            "mm_stat": _frame(rows.mm_stat),
        }
        return cls(**{name: _filled(made) for name, made in frames.items()}, provenance=provenance)

    @property
    def summary(self) -> pd.DataFrame:
        """Density at each trace's fullest moment: a row per trace and compressor, a column per allocator."""
        from sim.results.summary import summary

        return summary(self.density)

    def _repr_html_(self) -> str:
        from sim.results.summary import as_html

        return as_html(self.density)

    def __repr__(self) -> str:
        runs = f"{len(self.density)} run{'s' if len(self.density) != 1 else ''}"
        table = self.summary.round(2)
        return f"Result of {runs}\n{table if table.size else 'no pool is large enough to judge'}"

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
            wrong = draw_into(self.plots(), part, folder) if plots else []
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

        Of a sweep, the result that it was joined to. Raises UserError, also for frames that are not those of its
        provenance.
        """
        folder = result_in(Path(folder))
        about = provenance_in(folder)
        if about is None:
            lacks = f"{MARK} is damaged or not cswap's" if (folder / MARK).exists() else f"no {MARK}"
            raise UserError(f"{folder}: {lacks}, so no result; give a folder that `cswap run` or `sweep` wrote")
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


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The rows; numbers of pages stay whole beside "no limit", which is empty."""
    import pandas as pd

    made = pd.DataFrame(rows)
    return made.astype({name: "Int64" for name in ("zone_pages", "max_comp_streams", "ram", "limit") if name in made})


def _filled(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without columns that are empty throughout, besides those that every result has."""
    empty = [name for name in frame if name not in ALWAYS and frame[name].isna().all()] if len(frame) else []
    return frame.drop(columns=empty)


def _finite(value: Any) -> Any:
    """The same with None for numbers that JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
