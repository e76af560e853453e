"""What can be compared: folders of results, their provenance.json, and single frames as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sim.errors import UserError, one_line
from sim.results.reading import read_csv
from sim.results.result import Result
from sim.results.saving import MARK

if TYPE_CHECKING:
    import pandas as pd

# What tells a frame, by the columns that it alone has; the first that fits.
TOLD_BY = {
    "latency": {"operation", "part", "p50_us"},
    "ram": {"page_ins", "page_outs", "policy"},
    "density": {"density", "pages_peak"},
}


def open_result(path: str | Path) -> Result:
    """A result's folder, its provenance.json, or a density, ram or latency frame as CSV, which is a result of its own.

    Raises UserError.
    """
    path = Path(path)
    if path.name == MARK:
        path = path.parent
    return _of_frame(path) if path.suffix == ".csv" and path.is_file() else Result.load(path)


def _of_frame(file: Path) -> Result:
    import pandas as pd

    try:
        frame = read_csv(file)
    except (ValueError, OSError) as error:
        raise UserError(
            f"{file}: cannot be read as a frame ({one_line(error)}); give a frame that cswap wrote"
        ) from error
    name = next((name for name, columns in TOLD_BY.items() if columns <= set(frame)), None)
    if name is None or "trace" not in frame:
        raise UserError(f"{file}: is no density, ram or latency frame; give one of those, or the result's folder")
    frames: dict[str, pd.DataFrame] = dict.fromkeys(("density", "timeline", "latency", "counters"), pd.DataFrame())
    return Result(**(frames | {name: frame}), provenance={})
