"""Published codec times: what a file may say, and what becomes of the times of a trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim import Experiment, Timing, run
from sim.errors import Remark, UserError
from sim.experiment.preparation import prepare
from sim.timing.codec_costs import read_codec_costs
from sim.timing.costs import Cost, Costs, read_costs
from sim.timing.kernel_codecs import as_in_the_kernel
from workloads import Events, Sizes, Trace
from workloads.progress import silent

TEXT = """
["zstd:level=3"]
compress = { mb_per_s = [18, 50] }
decompress = { ns_per_page = 41_000 }
source = "mine"
"""


def written(folder: Path, text: str = TEXT) -> str:
    file = folder / "own.toml"
    file.write_text(text)
    return str(file)


def sized(codec: str = "zstd:level=3", compress: tuple[int, ...] = (1000, 3000, 500, 8000)) -> Sizes:
    """Four pages, the third same-filled."""
    sizes = Sizes.given(np.array([100, 2000, 20, 3000]))
    times = np.array(compress)
    same = np.array([False, False, True, False])
    return replace(sizes, same_filled=same, compress_ns=times, decompress_ns=times // 2, meta={"codec": codec})


USED = np.array([2, 1, 100, 0])


def mean(ns: object) -> float:
    return float(np.average(np.asarray(ns), weights=[2, 1, 0, 0]))


def slow_kernel() -> Costs:
    """Costs by which the kernel's zstd compresses in three times the time."""
    ratio = Cost("codec.zstd_compress", 3.0, "ratio", "measured here")
    costs = read_costs()
    return replace(costs, entries={**costs.entries, ratio.name: ratio})


def test_the_mean_of_the_page_outs_is_the_published_one(tmp_path: Path) -> None:
    costs, own = read_codec_costs(written(tmp_path)), sized()
    found = costs.scaled(own, USED, 4096, 1.0)
    assert mean(found.compress_ns) == pytest.approx(4096e3 / 30, abs=1), "30 MB/s is the geometric mean"
    assert mean(found.decompress_ns) == pytest.approx(41_000, abs=1)
    assert found.compress_ns / found.compress_ns[0] == pytest.approx(own.compress_ns / own.compress_ns[0], rel=1e-4)
    assert found.size.tolist() == own.size.tolist()
    assert found.meta == own.meta | {"published": "compress decompress"}
    assert (as_in_the_kernel(found, slow_kernel()).compress_ns == found.compress_ns).all(), (
        "published ones are kernels'"
    )
    assert mean(as_in_the_kernel(own, slow_kernel()).compress_ns) == pytest.approx(3 * mean(own.compress_ns), abs=1)


def test_pages_of_other_sizes_and_cpu_scale(tmp_path: Path) -> None:
    costs = read_codec_costs(written(tmp_path))
    found = costs.scaled(sized(), USED, 16384, 2.0)
    assert 2 * mean(found.compress_ns) == pytest.approx(4 * 4096e3 / 30, abs=2)
    assert 2 * mean(found.decompress_ns) == pytest.approx(4 * 41_000, abs=2)


def test_where_no_page_has_a_time_each_gets_the_mean(tmp_path: Path) -> None:
    costs = read_codec_costs(written(tmp_path))
    assert costs.scaled(sized(compress=(0, 0, 0, 0)), USED, 4096, 1.0).decompress_ns.tolist() == [41_000] * 4
    empty = sized().take(np.array([], np.int64))
    assert len(costs.scaled(empty, USED[:0], 4096, 1.0)) == 0


def test_page_outs_of_same_filled_pages_alone(tmp_path: Path) -> None:
    found = read_codec_costs(written(tmp_path)).scaled(sized(), np.array([0, 0, 7, 0]), 4096, 1.0)
    assert found.decompress_ns.mean() == pytest.approx(41_000, abs=1)


def test_another_codec_and_another_part_keep_theirs(tmp_path: Path) -> None:
    text = TEXT.replace("decompress = { ns_per_page = 41_000 }", "")
    costs = read_codec_costs(written(tmp_path, text))
    assert costs.scaled(sized(), USED, 4096, 1.0).decompress_ns.tolist() == sized().decompress_ns.tolist()
    assert costs.scaled(sized("lz4"), USED, 4096, 1.0).digest() == sized("lz4").digest()
    assert (costs.lacks("zstd:level=3"), costs.lacks("lz4")) == (["decompress"], ["compress", "decompress"])


def test_both_ends_of_a_range(tmp_path: Path) -> None:
    costs = read_codec_costs(written(tmp_path))
    ends = list(costs.varied(["zstd:level=3", "lz4", "zstd:level=3"]))
    assert [(cost.name, cost.value) for cost, _ in ends] == [
        ("zstd:level=3 compress mb_per_s", 18),
        ("zstd:level=3 compress mb_per_s", 50),
    ]
    slow = ends[0][1].scaled(sized(), USED, 4096, 1.0)
    assert mean(slow.compress_ns) == pytest.approx(4096e3 / 18, abs=1)
    assert mean(slow.decompress_ns) == pytest.approx(41_000, abs=1)


def test_the_description_has_figures_and_sources(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.replace("zstd:level=3", "zstd"))
    told = read_codec_costs(path).describe()
    assert told["file"] == path
    assert told["codecs"] == {
        "zstd:level=3": {
            "compress": {"mb_per_s": [18, 50]},
            "decompress": {"ns_per_page": 41_000},
            "source": "mine",
        }
    }
    other = read_codec_costs(written(tmp_path, TEXT.replace("50", "51"))).describe()
    assert told["digest"] != other["digest"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (TEXT, "", "has no codec"),
        (TEXT, "zstd = 3", "zstd: is not a table"),
        ("zstd:level=3", "zsdt", "[zsdt]: unknown compressor 'zsdt'"),
        ("zstd:level=3", "zstd:level=99", "[zstd:level=99]: "),
        (TEXT, f'{TEXT}[zstd]\ncompress = {{ mb_per_s = 3 }}\nsource = "x"', "[zstd]: zstd:level=3 is there twice"),
        ("compress =", "compres =", "unknown key compres (did you mean compress?)"),
        ('source = "mine"', "", "[zstd:level=3]: source is missing"),
        ('source = "mine"', 'source = " "', "source is missing"),
        ('source = "mine"', "source = 3", "source is missing"),
        ("[18, 50]", "[50, 18]", "mb_per_s=[50, 18] is wrong; give the smaller number first"),
        ("[18, 50]", "[18]", "compress: mb_per_s=[18] is wrong"),
        ("[18, 50]", "[1, 2, 3]", "give a number above 0, or a range of two"),
        ("[18, 50]", "[18, '50']", "give a number above 0"),
        ("[18, 50]", "0", "mb_per_s=0 is wrong"),
        ("[18, 50]", "-1", "mb_per_s=-1 is wrong"),
        ("[18, 50]", "nan", "mb_per_s=nan is wrong"),
        ("[18, 50]", "inf", "mb_per_s=inf is wrong"),
        ("[18, 50]", "true", "mb_per_s=True is wrong"),
        ("[18, 50]", f"1{'0' * 400}", "is wrong; give a number above 0"),
        ("[18, 50]", "1e-320", "is out of range"),
        ("[18, 50]", "1e12", "is out of range"),
        ("41_000", "1e-9", "decompress: ns_per_page=1e-09 is out of range"),
        ("{ ns_per_page = 41_000 }", "41_000", "decompress=41000 is wrong; give one of ns_per_page and mb_per_s"),
        ("{ ns_per_page = 41_000 }", "{ ns_per_page = 1, mb_per_s = 2 }", "give one of ns_per_page and mb_per_s"),
        ("{ ns_per_page = 41_000 }", "{ us = 1 }", "give one of ns_per_page and mb_per_s"),
        (TEXT, '[lz4]\nsource = "x"', "[lz4]: has no times"),
        (TEXT, "[lz4", "is not TOML: "),
    ],
)
def test_what_is_wrong_is_told_with_file_and_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(UserError) as error:
        read_codec_costs(path)
    assert said in str(error.value)
    assert path in str(error.value)
    assert "\n" not in str(error.value).strip()


def own_trace() -> Trace:
    """Three pages of which two are compressed, sized by three codecs; each is paged out and in again."""
    slots = np.array([0, 1, 2, 0, 1, 2])
    events = Events.of(np.repeat([0, 1], 3), slots, np.where(np.arange(6) < 3, slots, -1))
    codecs = {codec: sized(codec).take(np.array([0, 2, 3])) for codec in ("lz4", "zstd:level=3")}
    return Trace.from_arrays("own", events, None, codecs)


def test_runs_with_and_without_and_at_both_ends(tmp_path: Path) -> None:
    path = written(tmp_path)
    timing = Timing(codec_costs=(None, path), sensitivity=True, cpu_scale=4.0)
    with pytest.warns(Remark, match="own.toml: has no times of lz4, which keeps its own"):
        result = run(Experiment((own_trace(),), compressors=("lz4", "zstd"), allocators=("zbud",), timing=timing))
    frame = result.latency.set_index(["compressor", "codec_costs", "operation", "part"]).sort_index()
    for operation, part, us in (("page-out", "compress", 4.096e3 / 30), ("page-in", "decompress", 41.0)):
        row = frame.loc[("zstd:level=3", "own.toml", operation, part)]
        assert row["mean_us"] * row["count"] == pytest.approx(2 * us, rel=1e-3), "two of three are compressed"
        assert row["codec_times"] == "own.toml (published)"
        before = frame.loc[("zstd:level=3", "measured", operation, part)]
        kernel = read_costs().entries[f"codec.zstd_{part}"].value
        assert before["mean_us"] * before["count"] == pytest.approx(
            4 * kernel * {"compress": 9, "decompress": 4.5}[part]
        )
        assert before["codec_times"].startswith("the machine of the trace")
    same = [frame.loc[("lz4", name)]["mean_us"].tolist() for name in ("measured", "own.toml")]
    assert same[0] == same[1]
    varied = result.sensitivity[result.sensitivity["price"] == "zstd:level=3 compress mb_per_s"]
    assert set(varied["value"]) == {18.0, 50.0}
    assert set(varied["codec_costs"]) == {"own.toml"}
    assert set(varied["compressor"]) == {"zstd:level=3"}
    outs = varied[varied["operation"] == "page-out"].set_index("value")
    assert outs.loc[18.0, "mean_change"] > 0 > outs.loc[50.0, "mean_change"]
    told = result.provenance
    assert told["experiment"]["timing"]["codec_costs"] == [None, "own.toml"]
    assert told["codec_costs"]["file"] == "own.toml"
    assert told["codec_costs"]["codecs"]["zstd:level=3"]["source"] == "mine"


def test_codecs_of_the_frontend_too(tmp_path: Path) -> None:
    timing = Timing(codec_costs=written(tmp_path))
    experiment = Experiment((own_trace(),), ("zram:recompress=zstd,every=1",), ("lz4",), ("zbud",), timing=timing)
    with pytest.warns(Remark, match="has no times of lz4, which keeps its own"):
        _, jobs, *_ = prepare(experiment, lambda stage: silent)
    plain, timed = jobs
    assert timed.sizes.digest() == plain.sizes.digest()
    assert timed.secondary[0].decompress_ns[[0, 2]].mean() == pytest.approx(41_000, abs=1)
    assert plain.secondary[0].decompress_ns[[0, 2]].mean() == 2250
    assert not run(experiment).latency.empty
