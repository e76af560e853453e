"""`cswap trace time`, and where it shows."""

from __future__ import annotations

import json
from pathlib import Path

import platformdirs
import pytest
from cli_kit import good, refused, run

import sim.calibration.machine as machines
from sim import Result
from sim.sizing.sizing import size_pages
from workloads import open_sample, sample_slots, save_trace


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and an idle machine."""
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    monkeypatch.setattr(machines, "BUSY", 1e9)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "small.cswap"
    save_trace(sample_slots(open_sample("redis"), 0.1, seed=0), folder)
    return folder


def test_the_new_times_are_in_use_and_say_how_far_apart_they_are(small: Path, tmp_path: Path) -> None:
    assert json.loads(good("trace", "info", small, "--json"))["codec_times"] == {}
    rows = json.loads(good("trace", "time", small, "-c", "lz4", "-c", "lz4", "--processes", 2, "--json"))
    assert [(row["compressor"], row["part"], row["processes"]) for row in rows] == [
        ("lz4", "compress", 2),
        ("lz4", "decompress", 2),
    ]
    told = json.loads(good("trace", "info", small, "--json"))["codec_times"]["lz4"]
    assert told["processes"] == 2
    assert "codec times: lz4" in good("trace", "info", small)
    for row in rows:
        assert 0 < row["p50_low_us"] <= row["p50_high_us"]
        assert told[f"{row['part']}_p50_us"] == pytest.approx([row["p50_low_us"], row["p50_high_us"]], abs=5e-4)
    words = ["run", small, "-a", "zbud", "-c", "lz4", "-c", "deflate"]
    result = run(*words, "--timing", "--json", "--out", tmp_path / "out")
    spreads = {row["compressor"]: row["codec_spread"] for row in json.loads(result.stdout)}
    assert spreads == {"lz4": told, "deflate:level=6": None}
    loaded = Result.load(tmp_path / "out")
    assert loaded.provenance["codec_spread"] == {"redis": {"lz4": told}}
    frame = loaded.latency[loaded.latency["operation"] == "codec"].set_index(["compressor", "part"])
    assert frame["p50_low_us"].dropna().tolist() == [told[f"{p}_p50_us"][0] for p in ("compress", "decompress")]
    assert frame.loc[("lz4", "compress"), "p50_us"] == pytest.approx(rows[0]["p50_us"])
    assert "or by several processes (their medians, us: redis, lz4: compress" in run(*words, "--full").stdout


def test_the_table(small: Path) -> None:
    text = good("trace", "time", small, "-c", "lz4", "--processes", 1)
    assert "redis: codec times, us; 1 process" in text
    assert "p50 by process" in text


def test_a_busy_machine_is_told(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "BUSY", -1.0)
    answer = run("trace", "time", small, "-c", "lz4", "--processes", 1)
    assert answer.exit_code == 0
    assert "cswap: warning: the machine was not idle (load " in answer.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gcc"], "gcc: has no contents, so its codec times cannot be taken again; give gcc-sample"),
        (["bell:events=9,slots=3"], "bell: has no contents"),
        (["redis-sample", "bell:events=9,slots=3"], "bell: has no contents"),
        (["nope"], "nope: there is no such trace"),
        (["redis-sample", "-c", "nope"], "unknown compressor 'nope'"),
        (["redis-sample", "--processes", "0"], "'--processes'"),
        ([], "TRACE"),
    ],
)
def test_refused(words: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert said in refused("trace", "time", *words)


def test_ctrl_c_leaves_the_old_times(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sim.plugins import COMPRESSORS
    from workloads import open_trace

    def interrupted(*given: object) -> None:
        raise KeyboardInterrupt

    before = size_pages(open_trace(small), COMPRESSORS.make("lz4"))
    monkeypatch.setattr("sim.calibration.retake.apart", interrupted)
    answer = run("trace", "time", small, "-c", "lz4")
    assert (answer.exit_code, answer.stdout, answer.stderr) == (130, "", "cswap: interrupted\n")
    assert size_pages(open_trace(small), COMPRESSORS.make("lz4")).digest() == before.digest()
