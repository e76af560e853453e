"""Two results compared: ratios, intervals over workloads, the clocks' noise, and which rows belong together."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim import Result, differences
from sim.errors import UserError
from sim.results.differences import open_result
from sim.results.differences.chance import interval, quantile

NONE = pd.DataFrame()


def result(pages: dict[str, float], codec: str = "lz4", about: dict[str, Any] | None = None, **more: Any) -> Result:
    """One run a trace, which holds these pages."""
    rows = pd.DataFrame(
        [
            {"trace": trace, "frontend": "zram", "compressor": codec, "allocator": "zsmalloc", **more}
            | {"density": 9000 / held, "pages_peak": held, "small": False}
            for trace, held in pages.items()
        ]
    )
    return Result(rows, NONE, NONE, NONE, about or {})


def timed(us: dict[str, float], spread: float | None = None, digest: str = "") -> Result:
    """Times by trace, of page-outs and the codec; the medians of the processes that took them are so far apart."""
    rows = [
        {"trace": trace, "frontend": "", "compressor": "lz4", "allocator": "", "operation": operation, "part": part}
        | {"p50_us": figure}
        for trace, figure in us.items()
        for operation, part in (("codec", "compress"), ("codec", "decompress"), ("page-out", "total"))
    ]
    bounds = spread and {f"{part}_p50_us": [1.0, spread] for part in ("compress", "decompress")}
    about = {
        "codec_spread": {trace: {"lz4": bounds} for trace in us} if bounds else {},
        "sizes": {trace: {"lz4": {"times": digest + trace}} for trace in us} if digest else {},
    }
    return Result(NONE, NONE, pd.DataFrame(rows), NONE, about)


def of(a: Result, b: Result, measure: str = "pages_peak") -> dict[str, Any]:
    rows = differences(a, b).measures.set_index("measure")
    found: dict[str, Any] = rows.loc[measure].to_dict()
    return found


def test_the_interval_is_that_of_students_t() -> None:
    assert interval([1.0, 2.0, 3.0, 4.0]) == pytest.approx((2.5 - 2.0541, 2.5 + 2.0541), abs=1e-3)
    assert interval([1.0]) == (-math.inf, math.inf)
    assert quantile(40) == pytest.approx(2.0211, abs=2e-3)
    assert quantile(120) == pytest.approx(1.9799, abs=2e-3)
    steps = [quantile(n) for n in range(1, 50)]
    assert steps == sorted(steps, reverse=True)


def test_the_same_is_identical() -> None:
    a = result({"x": 3000, "y": 4000})
    assert set(differences(a, a).measures["verdict"]) == {"identical"}
    assert differences(a, a).significant(0, either=True).empty


def test_exact_figures_that_all_change_in_one_way_differ_and_the_mean_is_geometric() -> None:
    found = of(result({"x": 3000, "y": 4000}), result({"x": 6000, "y": 4000}))
    assert found["ratio"] == pytest.approx(math.sqrt(2))
    assert (found["verdict"], found["effect"], found["workloads"]) == ("larger", "worse", 2)
    assert found["low"] < 1 < found["high"], "which says how other workloads may behave"
    assert of(result({"x": 3000}), result({"x": 6000}), "density")["effect"] == "worse"
    assert of(result({"x": 3000}), result({"x": 1500}), "density")["effect"] == "better"


def test_where_workloads_disagree_the_interval_decides() -> None:
    a = result({"x": 3000, "y": 3000, "z": 3000})
    assert of(a, result({"x": 3100, "y": 2900, "z": 3010}))["verdict"] == "not significant"
    b = result({"x": 3000, "y": 3000, "z": 3000, "u": 3000, "v": 3000})
    assert of(b, result({"x": 6000, "y": 6100, "z": 5900, "u": 5800, "v": 2999}))["verdict"] == "larger"


@pytest.mark.parametrize(
    ("a", "b", "verdict"),
    [
        (timed({"x": 5.0}, 1.05), timed({"x": 5.4}, 1.05), "not significant"),  # 8 %, and 5 % either side
        (timed({"x": 5.0}, 1.05), timed({"x": 6.0}, 1.05), "larger"),
        (timed({"x": 5.0}), timed({"x": 6.0}), "not significant"),  # one workload, and no known noise
        (timed({"x": 5.0, "y": 5.0}), timed({"x": 6.0, "y": 6.01}), "larger"),
        (timed({"x": 5.0, "y": 5.0}, 1.05), timed({"x": 9.0, "y": 4.0}, 1.05), "not significant"),
        (timed({"x": 5.0}, 1.05, "t"), timed({"x": 5.4}, 1.05, "t"), "larger"),  # the same times: no chance
    ],
)
def test_timed_figures_must_differ_by_more_than_the_clocks_noise(a: Result, b: Result, verdict: str) -> None:
    assert of(a, b, "page-out median, us")["verdict"] == verdict


def test_bare_codec_times_may_be_others_than_those_of_the_digest() -> None:
    a, b = timed({"x": 5.0}, digest="t"), timed({"x": 5.4}, digest="t")
    assert of(a, b, "compress median, us")["verdict"] == "not significant"
    assert of(a, a, "compress median, us")["verdict"] == "identical"


def test_what_differs_throughout_is_compared_and_the_rest_matched() -> None:
    found = differences(result({"x": 3000, "y": 5000}), result({"y": 4000, "x": 2400}, codec="zstd", ram=1 << 30))
    assert found.compared == {"compressor": ("lz4", "zstd"), "ram": ("", str(1 << 30))}
    assert list(found.rows[found.rows["measure"] == "pages_peak"]["ratio"]) == pytest.approx([0.8, 0.8])
    assert found.alone == (0, 0)


def test_rows_without_a_partner_are_counted_and_none_at_all_is_an_error() -> None:
    found = differences(result({"x": 3000, "y": 5000}), result({"x": 3000, "z": 1, "u": 1}))
    assert found.alone == (1, 2)
    with pytest.raises(UserError, match="no run of A is in B"):
        differences(result({"x": 3000, "y": 5000}), result({"u": 3000, "v": 1}))
    twice = result({"x": 3000})
    twice = Result(pd.concat([twice.density] * 2), NONE, NONE, NONE, {})
    with pytest.raises(UserError, match="several rows of A are alike"):
        differences(twice, twice)


def test_seeds_are_workloads_and_their_numbers_match_whatever_their_type() -> None:
    seeds = [result({"x": held}, seed=seed).density for seed, held in enumerate((3000, 3100))]
    a = Result(pd.concat(seeds).astype({"seed": "Int64"}), NONE, NONE, NONE, {})
    b = Result(pd.concat(seeds).astype({"seed": float}).assign(pages_peak=6000), NONE, NONE, NONE, {})
    assert of(a, b)["workloads"] == 2
    assert not np.isnan(of(a, b)["low"])


def test_figures_from_zero_have_no_ratio_but_a_direction() -> None:
    a, b = (result({"x": 3000, "y": 3000}, refused=refused) for refused in (0, 7))
    found = of(a, b, "refused")
    assert (found["verdict"], found["effect"]) == ("larger", "worse")
    assert math.isnan(found["ratio"])
    assert len(differences(a, b).significant(0.01)) == 1


def test_other_contents_and_versions_are_told() -> None:
    a, b = (
        result({"x": 3000}, about={"traces": {"x": {"digest": d}}, "versions": {"lz4": v}}) for d, v in ("p4", "q5")
    )
    assert differences(a, b).notes == ["other contents in B: trace x", "in B lz4 5, was 4"]


def test_a_frame_as_csv_is_a_result(tmp_path: Path) -> None:
    a = result({"1.0": 3000, "y": 4000})
    a.density.to_csv(tmp_path / "mine.csv", index=False)
    assert differences(a, open_result(tmp_path / "mine.csv")).alone == (0, 0)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name, message in (("other.csv", "is no density, ram or latency frame"), ("none", "no provenance.json")):
        with pytest.raises(UserError, match=message):
            open_result(tmp_path / name)


def test_of_one_workload_every_difference_is_real() -> None:
    """One allocator that is much worse is told, though another is a little better."""
    a, b = (
        Result(pd.concat([result({"one": zs}).density, other.density]), NONE, NONE, NONE, {})
        for zs, other in (
            (1000, result({"one": 1000}, allocator="zbud")),
            (999, result({"one": 2000}, allocator="zbud")),
        )
    )
    assert [of(a, b)[name] for name in ("verdict", "effect")] == ["larger", "worse"]
    assert list(differences(a, b).significant()["measure"]) == ["density", "pages_peak"]


def test_what_is_no_longer_zero_in_one_row_is_told_beside_rows_that_do_not_change() -> None:
    a, b = result({"one": 9, "two": 9}), result({"one": 9, "two": 9})
    for one, refused in ((a, [0, 0]), (b, [0, 500])):
        one.density["refused"] = refused
    found = differences(a, b)
    assert math.isnan(of(a, b, "refused")["ratio"])
    assert list(found.significant(0.5)["measure"]) == ["refused"]
    a.density["refused"], b.density["refused"] = [0, 7], [5, 0]
    assert of(a, b, "refused")["verdict"] == "not significant", "rows that are 0 on either side disagree"


def test_numbers_of_pages_of_other_sizes_are_not_compared() -> None:
    found = differences(result({"one": 1000}, page_size=4096), result({"one": 300}, page_size=16384))
    assert [*found.measures["measure"]] == ["density"]
    assert any("other sizes in B" in note for note in found.notes)
