"""Pictures with numbers on their axes: density by a parameter, compressed sizes, loss by size class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from picture_kit import caption, clipped, legend, panels

from sim import Experiment, Result, run
from sim.errors import UserError
from sim.plots.density_by import plot_density_by, swept
from sim.plugins import make_allocator
from sim.results.parameters import PARAMETERS, with_parameters
from sim.results.saving import FRAMES, ON_DEMAND

CHAINS = (4, 8, 16)


@pytest.fixture(scope="module")
def result() -> Result:
    allocators = (*(f"zsmalloc:chain={chain}" for chain in CHAINS), "order1", "zbud")
    return run(
        Experiment(
            ("random:events=900,slots=200,pages=90",), allocators=allocators, compressors=("lz4", "zstd:level=1")
        )
    )


def test_density_by_chain_is_a_line_on_an_axis_of_numbers(result: Result) -> None:
    assert swept(result.density) == {"chain": "allocator"}
    large = replace(result, density=result.density.assign(small=False))
    drawn = large.plot_density_by("chain")
    ((title, axis),) = panels(drawn).items()
    assert title == "random"
    rows = result.density.query("allocator_name == 'zsmalloc' and compressor == 'lz4'")
    line = axis.lines[0]
    assert line.get_xdata().tolist() == list(CHAINS)
    assert line.get_ydata().tolist() == rows["density"].tolist()
    assert legend(drawn) == ["lz4", "zstd level 1"]
    positions = [axis.transData.transform((x, 0))[0] for x in CHAINS]
    assert (positions[2] - positions[1]) / (positions[1] - positions[0]) == pytest.approx(2)
    assert "not shown here: allocator order1, zbud" in caption(drawn)
    assert clipped(drawn) == []
    assert "density-by-chain" in large.plots()
    assert "density-by-chain" not in result.plots(), "its pool is too small to judge"
    (axis,) = panels(result.plot_density_by("chain")).values()
    assert not axis.lines
    assert "too small to judge" in axis.texts[0].get_text()


def test_what_is_swept_for_all_has_a_line_per_allocator(result: Result) -> None:
    frames = [result.density.assign(small=False, unusable=share, zone_pages=90) for share in (0.0, 0.5, 0.9)]
    density = pd.concat(frames).drop(columns="chain")
    assert swept(density) == {"unusable": "memory"}
    drawn = plot_density_by(density, "unusable")
    assert list(panels(drawn)) == ["random, compressed by lz4", "random, compressed by zstd level 1"]
    assert legend(drawn) == ["zsmalloc chain=4", "zsmalloc", "zsmalloc chain=16", "order1", "zbud"]
    assert [line.get_xdata().tolist() for line in panels(drawn)["random, compressed by lz4"].lines] == [
        [0, 0.5, 0.9]
    ] * 6


def test_codec_parameters_are_numbers_too(result: Result) -> None:
    rows = result.density[result.density["compressor"] != "lz4"]
    density = pd.concat(rows.assign(compressor=f"zstd:level={n}", compressor_level=n, small=False) for n in (1, 3, 9))
    assert swept(density) == {"chain": "allocator", "compressor_level": "compressor"}
    axis = np.ravel(plot_density_by(density, "compressor_level"))[0]
    assert axis.lines[0].get_xdata().tolist() == [1, 3, 9]


def test_what_does_not_vary_is_refused(result: Result) -> None:
    with pytest.raises(
        UserError, match="density by era: no allocator, compressor or frontend has several values; there are"
    ):
        result.plot_density_by("era")


def test_parameters_are_columns(result: Result) -> None:
    rows = result.density[result.density["compressor"] == "lz4"].set_index("allocator")
    assert rows["chain"]["zsmalloc"] == 8, "the default is said, too"
    assert rows["chain"].dropna().tolist() == [4, 8, 16]
    assert rows["era"]["zsmalloc"] == "6.12"
    assert rows["allocator_name"].tolist() == ["zsmalloc"] * 3 + ["order1", "zbud"]
    assert result.density["compressor_level"].dropna().unique().tolist() == [1]


def test_what_specs_leave_out_is_told_where_others_say_it() -> None:
    rows = [
        {"frontend": frontend, "compressor": "lz4", "allocator": "own", PARAMETERS: {"density": 2, "odd": [1]}}
        for frontend in ("zram", "zram:era=2012", "zswap:ram_pages=90")
    ]
    frame = with_parameters(pd.DataFrame([row | {"density": 1.5} for row in rows]))
    assert frame["frontend_era"].tolist()[1] == "2012"
    assert frame["frontend_era"].notna().tolist() == [True, True, False]
    assert frame["allocator_density"].tolist() == [2, 2, 2]
    assert frame["density"].tolist() == [1.5] * 3
    assert frame["odd"].tolist() == ["[1]"] * 3


def test_no_frame_has_an_empty_column(result: Result) -> None:
    for name in (*FRAMES, *ON_DEMAND):
        frame = getattr(result, name)
        assert not [column for column in frame if len(frame) and frame[column].isna().all()], name


def test_sizes_have_the_share_of_page_outs_and_the_classes(result: Result) -> None:
    sizes = result.sizes[result.sizes["compressor"] == "lz4"]
    row = result.density.query("compressor == 'lz4'").iloc[0]
    assert sizes["page_outs"].sum() == row["stored"] + row["huge"]
    drawn = result.plot_sizes()
    found = panels(drawn)
    assert list(found) == ["random, compressed by lz4", "random, compressed by zstd level 1"]
    for axis in found.values():
        (steps,) = axis.patches
        assert steps.get_data().values.sum() == pytest.approx(100)
        ends = sorted({at for lines in axis.collections for (at, _), _ in lines.get_segments()})
        assert ends[:3] == [24, 40, 56], "handles of 8 bytes below classes of 32, 48, 64"
        assert ends[-1] == make_allocator("zsmalloc:chain=4").huge_size - 1
    assert clipped(drawn) == []


def test_losses_by_class_add_up_to_the_pages_held(result: Result) -> None:
    losses = ["rounding", "unused", "tail"]
    assert set(result.classes["allocator"]) == {"zsmalloc", "zsmalloc:chain=4", "zsmalloc:chain=16", "order1"}
    for _, rows in result.classes.groupby(["compressor", "allocator"]):
        pages = (rows["zspages"] * rows["class_pages"]).sum()
        assert rows[["stored", *losses]].to_numpy().sum() == pages * 4096
        assert (rows[losses] >= 0).all(axis=None)
    drawn = result.plot_classes("zsmalloc:chain=4")
    axis = panels(drawn)[next(title for title in panels(drawn) if "lz4" in title)]
    mine = result.classes.query("allocator == 'zsmalloc:chain=4' and compressor == 'lz4'")
    heights = sum(np.ptp(bar.vertices[:, 1]) for bars in axis.collections for bar in bars.get_paths())
    assert heights == pytest.approx(mine[losses].to_numpy().sum() / 4096)
    assert "zsmalloc:chain=16, order1" in caption(drawn)
    assert clipped(drawn) == []
    with pytest.raises(UserError, match="no size classes of zbud to plot; there are those of zsmalloc chain=4"):
        result.plot_classes("zbud")
