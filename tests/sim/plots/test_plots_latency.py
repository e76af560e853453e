"""The pictures of latency, drawn from frames whose figures are known."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from picture_kit import caption, clipped, figure_of, legend, panels

from sim import Experiment, Result, Timing, run
from sim.errors import UserError
from sim.plots.latency_cdf import plot_latency_cdf
from sim.plots.latency_parts import plot_latency_parts
from sim.plots.latency_sweep import plot_latency_sweep
from sim.timing.latency import FIGURES, PARTS, QUANTILES, frame
from sim.timing.latency import frame as latency_frame

SETTING = {"mapping": "copy", "cpus": 2, "arrivals": "closed", "load": 1.0, "device": "nvme", "page_cluster": 0}
ALLOCATORS = ("zsmalloc", "zsmalloc:era=2012", "xvmalloc")


def run_of(trace: str, codec: str, allocator: str, **setting: Any) -> dict[str, Any]:
    return {
        "trace": trace,
        "frontend": "zram",
        "compressor": codec,
        "allocator": allocator,
        **SETTING,
        **setting,
    }


def rows_of(run: dict[str, Any], operation: str, **parts: float) -> list[dict[str, Any]]:
    means = dict.fromkeys(PARTS, 0.0) | parts
    means["total"] = sum(means.values())
    return [
        {**run, "operation": operation, "part": part, **dict.fromkeys(FIGURES, mean), "p99_us": 2 * mean, "count": 9}
        for part, mean in means.items()
    ]


def latency(**sweep: list[Any]) -> pd.DataFrame:
    """Two traces, two codecs, three allocators; the lock is waited for longer, the later the value in the sweep."""
    rows = []
    (name, values) = next(iter(sweep.items()), ("cpus", [2]))
    for trace in ("gcc", "pandas"):
        for codec, us in (("lz4", 5.0), ("zstd:level=3", 12.0)):
            for slow, allocator in enumerate(ALLOCATORS):
                for step, value in enumerate(values):
                    run = run_of(trace, codec, allocator, **{name: value})
                    rows += rows_of(run, "page-out", path=0.5, compress=us, lock=1.0 * slow * step)
                    rows += rows_of(run, "page-in", path=0.5, decompress=us / 3)
                    rows += rows_of(run, "free", path=0.3)
    return frame(rows)


def test_captions_say_where_the_times_of_the_codec_were_taken_as_the_frame_does(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        '[lz4]\ncompress = { ns_per_page = 9_000 }\ndecompress = { ns_per_page = 3_000 }\nsource = "mine"\n'
    )
    timing = Timing(codec_costs=str(file))
    trace = "random:events=400,slots=80,pages=30"
    result = run(Experiment((trace,), compressors=("lz4",), allocators=("zbud",), timing=timing))
    for drawn in (result.plot_latency(), result.plot_latency_parts()):
        assert "modelled; codec times: own.toml (published)" in caption(drawn)
        assert "machine" not in caption(drawn)


@pytest.mark.parametrize("times", [1, 30, 300, 3_000, 30_000, 300_000])
@pytest.mark.parametrize("slow", [1, 700])
def test_tick_labels_do_not_touch(times: int, slow: int) -> None:
    rows = latency()
    rows["p999_us"] = rows["max_us"] = rows["p99_us"] * times
    us = [name for name in rows if name.endswith("_us")]
    rows[us] *= slow
    for draw in (plot_latency_cdf, plot_latency_parts):
        drawn = draw(rows)
        figure_of(drawn).draw_without_rendering()
        for axis in panels(drawn).values():
            low, high = axis.get_xlim()
            ticks = [tick for tick in axis.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
            boxes = [tick.label1.get_window_extent() for tick in ticks]
            assert boxes
            assert all(left.x1 + 4 < right.x0 for left, right in pairwise(boxes)), [
                tick.label1.get_text() for tick in ticks
            ]


def test_parts_are_stacked_to_the_mean() -> None:
    figure = plot_latency_parts(latency())
    found = panels(figure)
    assert list(found) == ["gcc: a page-out", "gcc: a page-in", "pandas: a page-out", "pandas: a page-in"]
    axis = found["gcc: a page-out"]
    names = [label.get_text() for label in found["gcc: a page-out"].get_yticklabels()]
    assert names[:2] == ["lz4, zsmalloc 6.12", "lz4, zsmalloc 2012"]
    assert names[-1] == "zstd level 3, xvmalloc"
    ends = {round(bar.get_y() + bar.get_height() / 2): 0.0 for bar in axis.patches}
    for bar in axis.patches:
        y = round(bar.get_y() + bar.get_height() / 2)
        assert bar.get_x() == pytest.approx(ends[y]), "each part begins where the one before ends"
        ends[y] = bar.get_x() + bar.get_width()
    assert ends == pytest.approx({0: 5.5, 1: 5.5, 2: 5.5, 3: 12.5, 4: 12.5, 5: 12.5})
    assert [text.get_text() for text in axis.texts] == ["5.5"] * 3 + ["12.5"] * 3
    assert legend(figure) == ["the kernel's way there and back", "compressing", "decompressing"]
    assert "2 CPUs, arrivals closed" in caption(figure)


def test_allocators_alike_share_a_bar_where_there_are_many() -> None:
    rows = []
    for number in range(20):
        slow = 0.3 if number in (7, 13) else 0.01 * number  # of 5 us, 6 % and up to 4 %
        run = run_of("gcc", "lz4", f"own{number}")
        rows += rows_of(run, "page-out", compress=5.0 + slow) + rows_of(run, "page-in", decompress=2.0)
    figure = plot_latency_parts(frame(rows))
    names = [label.get_text() for label in panels(figure)["gcc: a page-out"].get_yticklabels()]
    assert names == ["lz4, own0 and 17 alike", "lz4, own7 and 1 alike"]
    assert "within 5%: lz4, own0: also own1, own2," in caption(figure)


def test_a_line_an_allocator_over_the_cpus() -> None:
    figure = plot_latency_sweep(latency(cpus=[1, 2, 4]), "cpus")
    found = panels(figure)
    assert list(found) == ["gcc: a page-out", "gcc: a page-in", "pandas: a page-out", "pandas: a page-in"]
    means = {line.get_label(): line for line in found["gcc: a page-out"].lines if line.get_linewidth() > 1}
    assert list(means) == legend(figure) == ["zsmalloc 6.12", "zsmalloc 2012", "xvmalloc"]
    assert means["xvmalloc"].get_xdata().tolist() == [1, 2, 4]
    assert means["xvmalloc"].get_ydata().tolist() == [5.5, 7.5, 9.5]
    assert means["zsmalloc 6.12"].get_ydata().tolist() == [5.5, 5.5, 5.5]
    high = [line for line in found["gcc: a page-out"].lines if line.get_linewidth() < 1]
    assert high[0].get_ydata().tolist() == [11.0, 11.0, 11.0]
    assert [line.get_marker() for line in high] == [line.get_marker() for line in means.values()], "also in grey"
    assert "lz4 in zram, arrivals closed" in caption(figure)


def test_a_line_a_codec_over_the_load() -> None:
    figure = plot_latency_sweep(latency(load=[0.5, 1.0, 8.0]), "load")
    axis = panels(figure)["gcc: a page-out"]
    means = {line.get_label(): line for line in axis.lines if line.get_linewidth() > 1}
    assert list(means) == legend(figure) == ["lz4", "zstd level 3"]
    assert means["zstd level 3"].get_xdata().tolist() == [0.5, 1.0, 8.0]
    assert means["zstd level 3"].get_ydata().tolist() == [12.5, 12.5, 12.5]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["0.5", "1", "8"]
    assert "zsmalloc in zram, 2 CPUs, arrivals closed" in caption(figure)


def test_with_one_codec_a_line_an_allocator_over_the_load() -> None:
    rows = latency(load=[1.0, 8.0])
    figure = plot_latency_sweep(rows[rows["compressor"] == "lz4"], "load")
    assert legend(figure) == ["zsmalloc 6.12", "zsmalloc 2012", "xvmalloc"]
    assert "lz4 in zram, 2 CPUs" in caption(figure)


def test_a_large_spread_is_drawn_on_a_logarithmic_scale() -> None:
    rows = latency(load=[1.0, 2.0])
    assert {axis.get_yscale() for axis in panels(plot_latency_sweep(rows, "load")).values()} == {"linear"}
    rows.loc[rows["load"] == 2.0, ["mean_us", "p99_us"]] *= 1000
    assert {axis.get_yscale() for axis in panels(plot_latency_sweep(rows, "load")).values()} == {"log"}


def test_a_sweep_of_one_value_is_none() -> None:
    with pytest.raises(UserError, match="latency against cpus needs runs of several; give --cpus more than once"):
        plot_latency_sweep(latency(), "cpus")


def test_distributions() -> None:
    rng = np.random.default_rng(1)
    events = []
    for codec, us in (("lz4", 5.0), ("zstd:level=3", 12.0)):
        for allocator in ALLOCATORS[:2]:
            for operation in ("page-out", "page-in", "free"):
                times = us * rng.lognormal(0, 0.2, 500)
                run = run_of("gcc", codec, allocator)
                events.append(pd.DataFrame(run | {"operation": operation, "total_us": times}))
    frame = pd.concat(events)
    rows = [
        {**dict(zip(("trace", "frontend", "compressor", "allocator", "operation"), key, strict=True)), "part": "total"}
        | {**SETTING, "count": len(one)}
        | {name: np.quantile(one["total_us"], q) for name, q in QUANTILES.items()}
        for key, one in frame.groupby(["trace", "frontend", "compressor", "allocator", "operation"], sort=False)
    ]
    latency = latency_frame(rows)
    for events in (frame, None):  # without them, from the percentiles that the latency frame has
        check_distributions(plot_latency_cdf(latency, events), frame)


def check_distributions(figure: Any, frame: pd.DataFrame) -> None:
    found = panels(figure)
    assert clipped(figure) == []
    assert found["gcc: page-outs"].get_xlabel() == "µs"
    assert list(found) == ["gcc: page-outs", "gcc: page-ins"]
    assert legend(figure) == ["lz4", "zstd level 3", "zsmalloc 6.12", "zsmalloc 2012"]
    first = found["gcc: page-outs"].lines[0]
    mine = frame.query("compressor == 'lz4' and allocator == 'zsmalloc' and operation == 'page-out'")["total_us"]
    for percent in (25, 50, 75):
        drawn = np.interp(percent, first.get_ydata(), first.get_xdata())
        assert drawn == pytest.approx(np.percentile(mine, percent), rel=0.01)


def test_without_timed_runs() -> None:
    rows = latency()
    for draw in (plot_latency_parts, plot_latency_cdf, lambda frame: plot_latency_sweep(frame, "cpus")):
        with pytest.raises(UserError, match="no timed runs to plot; run with --timing"):
            draw(rows[rows["operation"] == "free"])


def test_every_setting_is_drawn_or_named_and_what_is_unusual_stands_in_the_title() -> None:
    rows = latency(cpus=[1, 2, 4]).assign(cpu_scale=8.0)
    mapped = pd.concat([rows, rows.assign(mapping="vmap")])
    for figure in (plot_latency_parts(mapped), plot_latency_cdf(mapped), plot_latency_sweep(mapped, "cpus")):
        assert figure_of(figure).get_suptitle().endswith("cpu-scale 8)")
        rows_of_panels = {title.partition(":")[0] for title in panels(figure)}
        assert rows_of_panels == {f"{trace}, mapping {of}" for trace in ("gcc", "pandas") for of in ("copy", "vmap")}
        assert clipped(figure) == []
    beside = plot_latency_sweep(pd.concat([rows, rows.assign(frontend="zswap")]), "cpus")
    assert "frontend zswap; compressor zstd:level=3" in caption(beside).partition("not shown here: ")[2]
    assert "zstd level 3, xvmalloc (zswap)" in str(
        plot_latency_parts(pd.concat([rows, rows.assign(frontend="zswap")]))[0, 0].get_yticklabels()
    )
    assert "not shown here: cpus 2, 4" in caption(plot_latency_parts(rows))
    assert "(" not in figure_of(plot_latency_parts(latency())).get_suptitle()
    assert "(mapping vmap)" in figure_of(plot_latency_parts(latency(mapping=["vmap"]))).get_suptitle()


def test_panels_have_one_scale_and_say_so() -> None:
    rows = latency(load=[1.0, 2.0])
    slow = (rows["trace"] == "pandas") & (rows["operation"] == "page-in") & (rows["load"] == 2.0)
    rows.loc[slow, [*QUANTILES, "mean_us"]] *= 1000
    axes = panels(plot_latency_sweep(rows, "load")).values()
    assert {axis.get_yscale() for axis in axes} == {"log"}
    assert {axis.get_ylabel() for axis in axes} == {"µs (logarithmic)", ""}
    assert {axis.get_xlabel() for axis in axes} == {"load, times the recorded one (linear)", ""}
    rows.loc[rows["trace"] == "pandas", [*QUANTILES]] *= 1000
    axes = panels(plot_latency_cdf(rows)).values()
    assert {(axis.get_xscale(), axis.get_xlabel()) for axis in axes} == {("log", "µs (logarithmic)")}


@pytest.mark.parametrize("length", [3, 30])
def test_no_text_is_clipped_however_long_names_are(length: int) -> None:
    long = "averylongname_" * length
    rows = latency(cpus=[1, 2, 4]).replace({"gcc": long, "xvmalloc": f"own:{long}=1", "nvme": long})
    for figure in (plot_latency_parts(rows), plot_latency_cdf(rows), plot_latency_sweep(rows, "cpus")):
        assert clipped(figure) == []


def test_a_result_draws_what_it_has(tmp_path: Path) -> None:
    trace = "random:events=300,slots=60,pages=30"
    plain = run(Experiment((trace,), allocators=("zsmalloc",), compressors=("lz4",)))
    assert list(plain.plots()) == ["density", "timeline", "sizes", "classes"]
    timed = run(
        Experiment(
            (trace,),
            allocators=("zsmalloc",),
            compressors=("lz4",),
            timing=Timing(cpus=(1, 2), loads=(1, 2), events=True),
        )
    )
    names = ["density", "timeline", "sizes", "classes", "latency", "latency-parts", "latency-load", "latency-cpus"]
    assert list(timed.plots()) == names
    timed.save(tmp_path)
    written = Result.load(tmp_path).save_plots(tmp_path)
    assert [path.name for path in written] == [f"{name}.png" for name in names]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
