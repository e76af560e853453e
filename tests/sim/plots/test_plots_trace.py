"""Pictures of a trace: what stands in them."""

from __future__ import annotations

import numpy as np
import pytest
from picture_kit import caption, clipped, legend, panels

from sim import Analysis
from sim.errors import UserError
from workloads import FREE, IN, OUT, Events, Sizes, Trace


def trace_of(times: list[int] | None) -> Trace:
    kind, slot, page = [OUT, OUT, OUT, IN, FREE], [0, 1, 0, 0, 1], [0, 1, 0, -1, -1]
    return Trace.from_arrays("t$x$", Events.of(kind, slot, page, times), None, {"given": Sizes.given([9, 9])})


def test_live_slots_and_traffic() -> None:
    drawn = Analysis(trace_of([0, 10**9, 10**9, 3 * 10**9, 4 * 10**9])).plot_live()
    above, below = np.ravel(drawn)
    assert above.lines[0].get_xdata().tolist() == [0, 0, 1, 1, 3, 4]
    assert above.lines[0].get_ydata().tolist() == [0, 1, 2, 2, 2, 1]
    rates = [patch.get_data() for patch in below.patches]
    areas = [float(data.values @ np.diff(data.edges)) for data in rates]
    assert areas == pytest.approx([3, 1], abs=1.01), "a jump at 0 is before the axis"
    assert legend(drawn) == ["page-outs", "page-ins"]
    assert "most: 2 slots" in caption(drawn)
    assert clipped(drawn) == []


@pytest.mark.parametrize("timed", [True, False])
def test_lifetimes_and_reuse_are_cumulative(timed: bool) -> None:
    analysis = Analysis(trace_of([0, 10**9, 10**9, 3 * 10**9, 4 * 10**9] if timed else None))
    drawn = analysis.plot_lifetimes()
    axes = [axis for axis in np.ravel(drawn) if axis.axison]
    assert len(axes) == 1 + timed
    assert legend(drawn) == ["freed", "overwritten"]
    assert [line.get_ydata()[-1] for line in axes[0].lines] == pytest.approx([100 / 3, 100 / 3])
    assert "1 of 3 page-outs are still in their slots" in caption(drawn)
    assert clipped(drawn) == []
    reuse = analysis.plot_reuse()
    assert np.ravel(reuse)[0].lines[0].get_ydata()[-1] == 100
    assert "1 page-ins" in caption(reuse)
    assert panels(reuse)


def test_nothing_to_draw() -> None:
    empty = Analysis(Trace.from_arrays("none", Events.of([], [], []), None, {"given": Sizes.given([])}))
    for draw in (empty.plot_live, empty.plot_lifetimes, empty.plot_reuse, empty.plot_sizes):
        with pytest.raises(UserError):
            draw()
