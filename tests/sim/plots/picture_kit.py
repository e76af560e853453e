"""What the tests of pictures ask of one."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.text import Text

mpl.use("Agg")


def figure_of(drawn: Any) -> Any:
    """The figure of the axes that a plot returned."""
    return np.ravel(drawn)[0].figure


def panels(drawn: Any) -> dict[str, Any]:
    """The axes in use by the first line of their titles."""
    return {" ".join(axis.get_title().split("\n")): axis for axis in np.ravel(drawn) if axis.axison}


def legend(drawn: Any) -> list[str]:
    """The texts of the legend."""
    return [text.get_text() for text in figure_of(drawn).legends[0].get_texts()]


def caption(drawn: Any) -> str:
    """The text below, in one line."""
    return " ".join(figure_of(drawn).get_supxlabel().split())


def clipped(drawn: Any) -> list[str]:
    """Texts that lie outside the figure, in part or whole."""
    figure = figure_of(drawn)
    figure.draw_without_rendering()
    whole = figure.bbox.padded(1)
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    hidden = {id(text) for axis in figure.axes if not axis.axison for text in axis.findobj(Text)}
    for axis in figure.axes:  # ticks beyond the ends of an axis are not drawn
        for side in (axis.xaxis, axis.yaxis):
            shown = {id(tick.label1) for tick in side._update_ticks()} if axis.axison else set()
            hidden |= {id(t) for tick in side.get_major_ticks() for t in (tick.label1, tick.label2)} - shown
    found = []
    for text in texts:
        box = text.get_window_extent()
        inside = whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1
        if id(text) not in hidden and not inside:
            found.append(text.get_text())
    return found
