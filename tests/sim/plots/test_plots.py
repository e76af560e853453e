from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from sim import Experiment, Result, run
from sim.errors import UserError
from sim.plots.density import plot_density
from sim.plots.timeline import plot_timeline

mpl.use("Agg")
TRACES = ("bell:events=2000,slots=300", "random:events=400,slots=80,pages=30")


@pytest.fixture(scope="module")
def result() -> Result:
    return run(
        Experiment(TRACES, allocators=("zsmalloc", "zsmalloc:era=2012", "zbud", "ideal"), compressors=("lz4", "lzo"))
    )


def panels(figure: Any) -> dict[str, Any]:
    return {axis.get_title(): axis for axis in figure.axes if axis.axison}


def names(axis: Any) -> list[str]:
    """What stands at the ticks, shown or not."""
    return list(axis.yaxis.get_major_formatter().format_ticks(axis.get_yticks()))


def test_density_has_a_panel_a_workload_and_codec_with_bars_and_the_ideal(result: Result) -> None:
    figure = plot_density(result.density)
    found = panels(figure)
    assert list(found) == ["bell, compressed by given", "random, compressed by lz4", "random, compressed by lzo"]
    for title, axis in found.items():
        trace, codec = title.split(", compressed by ")
        rows = result.density[(result.density["trace"] == trace) & (result.density["compressor"] == codec)]
        density = rows.set_index("allocator")["density"]
        labels = names(axis)
        assert sorted(labels) == ["zbud", "zsmalloc", "zsmalloc 2012"]
        bars = {label: bar.get_width() for label, bar in zip(labels, axis.patches, strict=True)}
        assert bars["zbud"] == density["zbud"]
        assert bars["zsmalloc 2012"] == density["zsmalloc:era=2012"]
        (ideal,) = [line for line in axis.lines if line.get_linestyle() == "--"]
        assert set(ideal.get_xdata()) == {density["ideal"]}
        assert f"ideal {density['ideal']:.2f}" in [text.get_text() for text in axis.texts]
    named = [title for title, axis in found.items() if axis.yaxis.get_tick_params()["labelleft"]]
    assert named == list(found)[:2], "the first panel of each row names the allocators"
    assert "physical page" in figure.get_suptitle()
    assert "more is better" in figure.get_supxlabel()


def test_without_a_run_of_ideal_the_line_is_that_of_the_bytes(result: Result) -> None:
    rows = result.density[(result.density["allocator"] == "zbud") & (result.density["trace"] == "bell")]
    (axis,) = panels(plot_density(rows)).values()
    (ideal,) = [line for line in axis.lines if line.get_linestyle() == "--"]
    assert ideal.get_xdata()[0] == rows["ideal_density"].iloc[0]


def test_an_allocator_whose_name_begins_with_ideal_has_its_bar(result: Result) -> None:
    rows = result.density[result.density["trace"] == "bell"].replace("zbud", "idealist")
    (axis,) = panels(plot_density(rows)).values()
    assert "idealist" in names(axis)


def test_timeline_has_a_line_an_allocator(result: Result) -> None:
    figure = plot_timeline(result.timeline)
    found = panels(figure)
    assert list(found) == ["bell, given in zram", "random, lz4 in zram"]
    for axis in found.values():
        lines = {line.get_label(): line for line in axis.lines}
        assert list(lines) == ["zsmalloc", "zsmalloc 2012", "zbud", "ideal"]
        assert axis.get_xlabel() == "events"
        trace = axis.get_title().partition(",")[0]
        rows = result.timeline[(result.timeline["trace"] == trace) & (result.timeline["allocator"] == "zbud")]
        rows = rows[rows["compressor"] == rows["compressor"].iloc[0]]
        assert np.array_equal(lines["zbud"].get_ydata(), rows["pages"])
    assert figure.axes[0].get_ylabel().startswith("pages")
    same = [line for line in figure.axes[0].lines if "zsmalloc" in str(line.get_label())]
    assert same[0].get_color() == same[1].get_color()
    assert same[0].get_linestyle() != same[1].get_linestyle()


def test_times_are_seconds(result: Result) -> None:
    timeline = result.timeline.assign(time_s=result.timeline["event"] / 10)
    axis = plot_timeline(timeline).axes[0]
    assert axis.get_xlabel() == "seconds"
    assert np.max(axis.lines[0].get_xdata()) == timeline["time_s"][timeline["trace"] == "bell"].max()


def test_no_runs_no_picture() -> None:
    for plot in (plot_density, plot_timeline):
        with pytest.raises(UserError, match="no runs to plot"):
            plot(pd.DataFrame())


def test_pictures_are_written_whole(result: Result, tmp_path: Path) -> None:
    written = result.save_plots(tmp_path)
    assert [path.name for path in written] == ["density.png", "timeline.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert len(list(tmp_path.iterdir())) == 2
