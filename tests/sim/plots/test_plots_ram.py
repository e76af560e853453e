"""Pictures of machines of other sizes: every trace and measure has its panel, and nothing is drawn for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sim.errors import UserError
from sim.plots.curves import MIB, curves
from sim.plots.ram import plot_memory, plot_ram, plot_worth
from sim.plots.style import colour


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def frame(traces: int = 2, timed: bool = True) -> pd.DataFrame:
    sizes = np.array([400, 500, 600]) * MIB
    rows = [
        pd.DataFrame(
            {
                "trace": f"p{i}",
                "frontend": frontend,
                "compressor": codec,
                "allocator": "none" if frontend == "device" else "zsmalloc",
                "ram": sizes,
                "policy": "lru",
                "page_ins": [900, 500, 0],
                "below": 0.0,
                "over": 0.0,
                **({"time_lost_s": [3.0, 1.0, 0.0]} if timed else {}),
            }
        )
        for i in range(traces)
        for frontend, codec in (("zram", "lz4"), ("zram", "zstd"), ("device", "none"))
    ]
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("draw", [plot_ram, plot_worth])
def test_a_panel_for_each_trace_and_measure(draw: object) -> None:
    ram = frame()
    given = [curve for measure in ("page_ins", "time_lost_s") for curve in curves(ram, measure)]
    axes = draw(given)  # type: ignore[operator]
    titles = [axis.get_title() for axis in axes.flat]
    assert len(titles) == 4
    assert [title.split(":")[0] for title in titles] == ["p0", "p0", "p1", "p1"]
    assert all(len(axis.lines) >= 3 for axis in axes.flat), "two codecs, and the device or zero"
    one = draw(list(curves(frame(1, timed=False))), ax=plt.subplots()[1])  # type: ignore[operator]
    assert "page-ins" in one.get_title()


@pytest.mark.parametrize("draw", [plot_ram, plot_worth])
def test_without_such_runs_it_says_so(draw: object) -> None:
    with pytest.raises(UserError, match="no runs on machines of other sizes"):
        draw([])  # type: ignore[operator]


def test_memory_adds_up_to_the_machine_whatever_its_pages() -> None:
    rows = frame(1).query("frontend == 'zram' and compressor == 'lz4'").assign(event=0, time_s=0.0)
    timeline = pd.concat([rows.assign(time_s=float(t), pages=100 * t, program=20_000) for t in range(3)])
    for page_size in (4096, 16384):
        grid = plot_memory(timeline, page_size)
        axis = grid.flat[0]
        tops = [area.get_paths()[0].vertices[:, 1].max() for area in axis.collections]
        assert tops[-1] == pytest.approx(400), "free memory fills it up"
        assert tops[0] == pytest.approx(min(400, 20_000 * page_size / MIB))
    untimed = plot_memory(timeline.drop(columns="time_s"), 4096)
    assert untimed.flat[0].get_xlabel() == "events"
    with pytest.raises(UserError, match="give --ram"):
        plot_memory(timeline.drop(columns="program"))


def test_an_allocator_has_its_colour_and_every_way_its_marker() -> None:
    ram = frame(1)
    several = pd.concat([ram, ram[ram["frontend"] == "zram"].assign(allocator="zbud")], ignore_index=True)
    for rows, colours in ((several, {colour("zsmalloc"), colour("zbud")}), (ram, {"#0072B2", "#009E73"})):
        (axis,) = np.ravel(plot_ram([next(curves(rows, "page_ins"))]))
        lines = [line for line in axis.lines if line.get_color() != "black"]
        assert {line.get_color().upper() for line in lines} == colours
        assert len({line.get_marker() for line in lines}) == len(lines)
