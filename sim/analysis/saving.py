"""An analysis as a folder: its frames as CSV, its pictures as PNG."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import UserError
from sim.interrupts import held
from sim.results.pictures import draw_into
from sim.results.saving import check_folder, naming, part_of, publish

if TYPE_CHECKING:
    from sim.analysis.analysis import Analysis


def save(analysis: Analysis, folder: Path) -> list[Path]:
    """Write all of it in one step; the files. Raises UserError for a folder that holds anything, OSError."""
    folder = check_folder(folder)
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder}: is not empty; give a new folder as --out")
    with part_of(folder) as part:
        for name, frame in frames(analysis).items():
            with naming(folder / f"{name}.csv"):
                frame.to_csv(part / f"{name}.csv", index=False)
        wrong = draw_into(plots(analysis), part, folder)
        written = sorted(folder / path.name for path in part.iterdir())
        with held():
            publish(part, folder)
    if wrong:
        raise UserError(f"{wrong[0]}; everything else is written")
    return written


def frames(analysis: Analysis) -> dict[str, Any]:
    """The frames by name; both units of lifetimes and of reuse distances in one."""
    import pandas as pd

    def both(frame_of: Callable[[str], pd.DataFrame], first: str) -> pd.DataFrame:
        frames = [frame_of(unit).assign(unit=unit) for unit in (first, "ns")]
        return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)

    return {
        "live": analysis.df_live(),
        "lifetimes": both(analysis.df_lifetimes, "events"),
        "reuse": both(analysis.df_reuse, "page_outs"),
        "contents": analysis.df_contents(),
        "sizes": analysis.df_sizes(),
        "tasks": analysis.df_tasks(),
    }


def plots(analysis: Analysis) -> dict[str, Callable[[], Any]]:
    """What there is to draw, by name."""
    drawn: dict[str, Callable[[], Any]] = {}
    drawn |= {"live": analysis.plot_live} if analysis.trace.n_events else {}
    drawn |= {"lifetimes": analysis.plot_lifetimes} if set(analysis.df_lifetimes()["end"]) - {"held"} else {}
    drawn |= {"reuse": analysis.plot_reuse} if len(analysis.reuse[0]) else {}
    drawn |= {"sizes": analysis.plot_sizes} if analysis.classes and len(analysis.df_sizes()) else {}
    return drawn
