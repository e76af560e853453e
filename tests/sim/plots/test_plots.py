from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from picture_kit import caption, clipped, figure_of, legend, panels

from sim import Experiment, Result, run
from sim.errors import UserError
from sim.plots.density import plot_density
from sim.plots.timeline import plot_timeline

TRACES = ("bell:events=2000,slots=300", "random:events=400,slots=80,pages=30")


@pytest.fixture(scope="module")
def result() -> Result:
    return run(
        Experiment(TRACES, allocators=("zsmalloc", "zsmalloc:era=2012", "zbud", "ideal"), compressors=("lz4", "lzo"))
    )


def names(axis: Any) -> list[str]:
    """What stands at the ticks, shown or not."""
    return list(axis.yaxis.get_major_formatter().format_ticks(axis.get_yticks()))


def test_density_has_a_panel_per_trace_and_compressor_with_bars_and_the_ideal(result: Result) -> None:
    drawn = plot_density(result.density.drop(columns="small"))
    found = panels(drawn)
    assert list(found) == ["bell, sizes given", "random, compressed by lz4", "random, compressed by lzo"]
    for title, axis in found.items():
        trace, codec = title.replace("sizes given", "compressed by given").split(", compressed by ")
        rows = result.density[(result.density["trace"] == trace) & (result.density["compressor"] == codec)]
        density = rows.set_index("allocator")["density"]
        labels = names(axis)
        assert sorted(labels) == ["zbud", "zsmalloc 2012", "zsmalloc 6.12"]
        bars = {label: bar.get_width() for label, bar in zip(labels, axis.patches, strict=True)}
        assert bars["zbud"] == density["zbud"]
        assert bars["zsmalloc 2012"] == density["zsmalloc:era=2012"]
        (ideal,) = [line for line in axis.lines if line.get_linestyle() == "--"]
        assert set(ideal.get_xdata()) == {density["ideal"]}
        texts = [text.get_text() for text in axis.texts]
        assert f"ideal {density['ideal']:.2f}" in texts
        assert f"{density['zbud']:.2f}" in texts
    named = [title for title, axis in found.items() if axis.yaxis.get_tick_params()["labelleft"]]
    assert named == list(found)[:2], "the first panel of each row names the allocators"
    assert "physical page" in figure_of(drawn).get_suptitle()
    assert "dot: mean over time" in caption(drawn)
    assert "may lie beyond the dashed line" in caption(drawn)


def test_a_pool_too_small_to_judge_has_words_in_place_of_bars(result: Result) -> None:
    density = result.density.assign(small=result.density["trace"] == "bell")
    for title, axis in panels(plot_density(density)).items():
        texts = [text.get_text() for text in axis.texts]
        pages = result.density["pages_peak"][result.density["trace"] == "bell"].max()
        small = f"pool of {pages:,} pages: too small to judge"
        assert (texts == [small]) == title.startswith("bell")
        assert (len(axis.patches) == 0) == title.startswith("bell")
        if not title.startswith("bell"):
            assert names(axis), "its rows of bars are named, whatever stands above"
    assert clipped(plot_density(density)) == []
    result.plot_density()
    assert result.density["small"].all()
    assert not any(axis.patches for axis in np.ravel(result.plot_density()))


def test_without_a_run_of_ideal_the_line_is_that_of_the_bytes(result: Result) -> None:
    density = result.density.assign(small=False)
    rows = density[(density["allocator"] == "zbud") & (density["trace"] == "bell")]
    (axis,) = panels(plot_density(rows)).values()
    (ideal,) = [line for line in axis.lines if line.get_linestyle() == "--"]
    assert ideal.get_xdata()[0] == rows["ideal_density"].iloc[0]


def test_an_allocator_whose_name_begins_with_ideal_has_its_bar(result: Result) -> None:
    density = result.density.assign(small=False)
    rows = density[density["trace"] == "bell"].replace("zbud", "idealist")
    (axis,) = panels(plot_density(rows)).values()
    assert "idealist" in names(axis)


def test_timeline_has_a_panel_per_compressor_and_a_line_per_allocator(result: Result) -> None:
    drawn = plot_timeline(result.timeline)
    found = panels(drawn)
    assert list(found) == ["bell, sizes given, in zram", "random, lz4 in zram", "random, lzo in zram"]
    for title, axis in found.items():
        lines = {line.get_label(): line for line in axis.lines}
        assert list(lines) == ["zsmalloc 6.12", "zsmalloc 2012", "zbud", "ideal"]
        assert axis.get_xlabel() == "events"
        timeline, (trace, codec) = (
            result.timeline,
            title.replace("sizes given,", "given").removesuffix(" in zram").split(", "),
        )
        rows = timeline[(timeline["trace"] == trace) & (timeline["compressor"] == codec)]
        rows = rows[rows["allocator"] == "zbud"]
        assert np.array_equal(lines["zbud"].get_ydata(), rows["pages"])
    first = next(iter(found.values()))
    assert first.get_ylabel() == "physical pages"
    same = [line for line in first.lines if "zsmalloc" in str(line.get_label())]
    for told in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(same[0], told)() != getattr(same[1], told)()
    assert legend(drawn) == ["zsmalloc 6.12", "zsmalloc 2012", "zbud", "ideal"]


def test_times_are_seconds(result: Result) -> None:
    timeline = result.timeline.assign(time_s=result.timeline["event"] / 10)
    axis = np.ravel(plot_timeline(timeline))[0]
    assert axis.get_xlabel() == "seconds"
    assert np.max(axis.lines[0].get_xdata()) == timeline["time_s"][timeline["trace"] == "bell"].max()


def test_every_run_is_drawn_or_named_as_left_out(result: Result) -> None:
    one = result.timeline[(result.timeline["trace"] == "random") & (result.timeline["compressor"] == "lz4")]
    frontends = pd.concat([one.assign(frontend=f"own:n={n}") for n in range(70)])
    drawn = plot_timeline(frontends)
    shown = {title.split(" in ")[1] for title in panels(drawn)}
    assert len(shown) == 60
    for n in range(60, 70):
        assert f"random, lz4 in own n={n}" in caption(drawn)
    rows = result.density[result.density["compressor"] == "lz4"]
    drawn = plot_density(pd.concat([rows.assign(trace=f"t{n}") for n in range(70)]))
    assert len(panels(drawn)) == 60
    assert "not shown here: trace t60, t61" in caption(drawn)


def test_no_runs_no_picture() -> None:
    for plot in (plot_density, plot_timeline):
        with pytest.raises(UserError, match="no runs to plot"):
            plot(pd.DataFrame())


def test_pictures_are_written_whole(result: Result, tmp_path: Path) -> None:
    written = result.save_plots(tmp_path)
    assert [path.name for path in written] == ["density.png", "timeline.png", "sizes.png", "classes.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("length", [1, 40, 200])
@pytest.mark.parametrize("space", [" ", "_"])
def test_no_text_is_clipped_however_long_names_are(result: Result, length: int, space: str) -> None:
    long = (f"Wg{space}$x_1$".ljust(9, "w") + space) * length

    def named(frame: pd.DataFrame) -> pd.DataFrame:
        names = {"zbud": f"zbud:word={long[:120]}", "random": long[: 8 * length], "lzo": f"lzo:word={long[:60]}"}
        return frame.replace(names).assign(frontend=f"zram:word={long[:90]}")

    for drawn in (plot_density(named(result.density)), plot_timeline(named(result.timeline))):
        assert clipped(drawn) == []
    many = pd.concat([result.timeline.replace("zbud", f"zbud:n={n}") for n in range(40)])
    assert clipped(plot_timeline(many)) == []


def test_plots_draw_on_given_axes_and_return_them(result: Result) -> None:
    rows = result.density[result.density["trace"] == "bell"].assign(small=False)
    figure, axis = plt.subplots()
    assert plot_density(rows, ax=axis, title="mine") is axis
    assert axis.get_title() == "mine"
    assert "dot: mean" in axis.get_xlabel()
    assert plt.get_fignums() == [figure.number]
    assert clipped(axis) == []
    figure, axes = plt.subplots(1, 3)
    assert list(np.ravel(plot_timeline(result.timeline, ax=axes))) == list(axes)
    assert clipped(axes) == []
    with pytest.raises(UserError, match=r"ax: 1 Axes for 6 panels; give an array of 2 x 3 Axes, or choose rows"):
        plot_density(result.density, ax=axis)


def test_a_plot_makes_one_figure_and_returns_axes(result: Result) -> None:
    for draw in result.plots().values():
        before = plt.get_fignums()
        drawn = draw()
        assert all(isinstance(axis, plt.Axes) for axis in np.ravel(drawn))
        assert len(plt.get_fignums()) == len(before) + 1


def test_a_result_is_shown_as_its_summary(result: Result) -> None:
    large = replace(result, density=result.density.assign(small=result.density["trace"] == "bell"))
    shown = large._repr_html_()
    assert shown.count("<tr") == 1 + 1 + 3  # heads, and a row per trace and compressor
    assert "too small to judge" in shown
    assert list(large.summary.columns) == ["zsmalloc", "zsmalloc:era=2012", "zbud", "ideal"]
    assert large.summary.loc["bell"].isna().all(axis=None), "of a pool too small to judge no density is shown"
    rows = result.density[(result.density["trace"] == "random") & (result.density["compressor"] == "lzo")]
    for allocator, density in zip(rows["allocator"], rows["density"], strict=True):
        assert large.summary.loc[("random", "lzo"), allocator] == density
        assert f"{density:.2f}" in shown
    frames = (frame.replace("zbud", "<script>") for frame in (large.density, large.timeline))
    assert "<script" not in Result(*frames, result.latency, result.counters, {})._repr_html_()
