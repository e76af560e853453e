"""A picture: panels in a grid, on a figure of its own or on axes that the caller has, with title, legend and caption.

All text is wrapped to the room it has. A figure of its own grows with it, so that nothing is clipped; one that the
caller has is laid out by matplotlib's constrained layout unless the caller chose another.
"""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import UserError

if TYPE_CHECKING:
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.text import Text

    Grid = npt.NDArray[Any]  # of Axes
    Drawn = Axes | Grid  # one panel, or a grid of them; those without a run are invisible

LABEL = 32  # characters of a line of a label
LEAST = 8  # of any line
MOST_PANELS = 60
LINE = 1.35  # of text, by its size
DOT = 72  # points an inch
TITLE, PANEL, SMALL = 14, 11, 9.5  # sizes of text, points


def label(text: str) -> str:
    """A label in lines that leave room for the rest."""
    return textwrap.fill(text, LABEL, break_on_hyphens=False)


class Panels:
    """`rows` x `columns` panels. Raises UserError when `ax` is not that many axes.

    `width` and `height` are those of a panel in inches, without what stands beside the grid; a height per row if those
    differ.
    """

    def __init__(
        self, rows: int, columns: int, width: float, height: float | list[float], ax: Any = None, **shared: Any
    ) -> None:
        import matplotlib.pyplot as plt

        heights = height if isinstance(height, list) else [height] * rows

        self.own = ax is None
        if self.own:
            size = (2.2 + width * columns, 1.3 + sum(heights))
            shared |= {"squeeze": False, "layout": "constrained", "height_ratios": heights}
            self.figure, self.grid = plt.subplots(rows, columns, figsize=size, **shared)
        else:
            given = np.array(ax, dtype=object).reshape(-1)
            if len(given) != rows * columns:
                several = f"an array of {rows} x {columns} Axes" if rows * columns > 1 else "one"
                raise UserError(f"ax: {len(given)} Axes for {rows * columns} panels; give {several}, or choose rows")
            self.figure, self.grid = given[0].figure, given.reshape(rows, columns)
        for axis in self.grid.flat:
            axis.spines[["top", "right"]].set_visible(False)

    def finish(self, title: str, given: str | None, caption: Sequence[str], handles: Sequence[Any] = ()) -> Drawn:
        """Title (or the one that was given), legend and caption (lines); the panels."""
        words = "\n".join(line for line in caption if line)
        if self.own:
            head = self.figure.suptitle(title if given is None else given, fontsize=TITLE, fontweight="bold")
            foot = self.figure.supxlabel(words, fontsize=SMALL)
            if handles:
                self.figure.legend(handles=list(handles), loc="outside right center", frameon=False, fontsize=SMALL)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # signs that the font has not: drawn as boxes
                _fit(self.figure, self.grid, head, foot)
        else:
            axes = [axis for axis in self.grid.flat if axis.axison]
            if given is not None:
                (axes[0].set_title if len(axes) == 1 else self.figure.suptitle)(given)
            if handles:
                axes[-1].legend(handles=list(handles), frameon=False, fontsize=SMALL - 1)
            axes[-1].set_xlabel("\n".join([axes[-1].get_xlabel(), words]).strip())
            if self.figure.get_layout_engine() is None:
                self.figure.set_layout_engine("constrained")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                self.figure.draw_without_rendering()
                for axis in axes:
                    _wrap(axis.title, axis.bbox.width)
                    _wrap(axis.xaxis.label, axis.bbox.width)
        drawn: Drawn = self.grid.item() if self.grid.size == 1 else self.grid
        return drawn


def flow(count: int, columns: int) -> tuple[int, int]:
    """Rows and columns for `count` panels, one after the other."""
    columns = min(max(count, 1), columns)
    return -(-count // columns) or 1, columns


def _fit(figure: Any, grid: Grid, head: Text, foot: Text) -> None:
    """Wrap what is wider than its room, and make the figure as much higher as the lines and the legend need."""
    figure.get_layout_engine().execute(figure)  # text has its place then, and nothing is drawn
    dots = figure.dpi / DOT
    room = 0.96 * figure.bbox.width
    lines = _wrap(head, room) * TITLE + _wrap(foot, room) * SMALL
    for row in grid:
        axes = [axis for axis in row if axis.axison]
        lines += max((_wrap(axis.title, axis.bbox.width) for axis in axes), default=0) * PANEL
        lines += max((_wrap(axis.xaxis.label, axis.bbox.width) for axis in axes), default=0) * PANEL
    higher = LINE * dots * lines
    legends = [legend.get_window_extent().height for legend in figure.legends]
    higher = max(higher, *(height + 2 * LINE * TITLE * dots - figure.bbox.height for height in legends), 0)
    figure.set_figheight((figure.bbox.height + higher) / figure.dpi)
    figure.get_layout_engine().execute(figure)
    for axis in grid.flat:
        _wrap(axis.yaxis.label, axis.bbox.height, upright=True)


def _wrap(text: Text, room: float, *, upright: bool = False) -> int:
    """Break a text into lines of at most so many dots; the lines that it has more than one."""
    words = text.get_text()
    extent = text.get_window_extent()
    width, longest = (extent.height if upright else extent.width), max(map(len, words.split("\n")))
    while words and width > room and longest > LEAST:
        longest = max(LEAST, min(longest - 1, int(longest * room / width)))
        parts = [textwrap.fill(line, longest, break_on_hyphens=False) for line in words.split("\n")]
        text.set_text("\n".join(parts))
        extent = text.get_window_extent()
        width = extent.height if upright else extent.width
    return text.get_text().count("\n")
