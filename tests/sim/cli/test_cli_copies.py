"""`cswap trace strip` and `cswap trace sample`."""

from __future__ import annotations

import resource
import shutil
from pathlib import Path

import pytest
from cli_kit import good, process, refused

from sim.plugins import COMPRESSORS
from workloads import open_sample, open_trace, sample_slots, save_trace, verify
from workloads.samples import FOLDER


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A trace with contents and one size file beside it, in a folder of its own."""
    (tmp_path / "own").mkdir()
    save_trace(sample_slots(open_sample("pandas"), 0.1, seed=3), tmp_path / "own" / "small.cswap")
    return tmp_path / "own" / "small.cswap"


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_strip(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = bytes_in(small)
    monkeypatch.chdir(tmp_path)
    said = good("trace", "strip", small)
    stripped = open_trace(tmp_path / "pandas-stripped.cswap")
    verify(tmp_path / "pandas-stripped.cswap")
    assert not stripped.content
    assert stripped.sizes_codecs() == sorted(COMPRESSORS.make(name).spec for name in COMPRESSORS.names())
    assert bytes_in(small) == before, "the original is as it was, without sizes beside it"
    assert said.startswith(f"pandas-stripped.cswap: {stripped.n_events} events, ")
    assert "left out: " in said
    assert "no such" not in good("run", "pandas-stripped.cswap", "-a", "ideal", "-c", "zstd", "-c", "lzo", "--csv")

    # Once more: from what has no contents any more, with one of its codecs, and with all it has.
    good("trace", "strip", "pandas-stripped.cswap", "-c", "lz4", "-o", "less.cswap")
    assert open_trace("less.cswap").sizes_codecs() == ["lz4"]
    good("trace", "strip", "less.cswap", "-o", "again.cswap")
    assert open_trace("again.cswap").sizes_codecs() == ["lz4"]
    good("trace", "strip", "uniform:events=100,slots=9", "-o", "drawn.cswap")
    assert open_trace("drawn.cswap").sizes_codecs() == ["given"]


def test_chosen_codecs_and_the_whole_source(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    said = good("trace", "strip", small, "-o", out, "-c", "zstd:level=1", "-c", "lz4", "--keep-source")
    assert open_trace(out).sizes_codecs() == ["lz4", "zstd:level=1"]
    assert open_trace(out).source == open_trace(small).source
    assert said.endswith("left out: nothing\n")


def test_errors_leave_nothing(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "x.cswap"
    assert "there is no such trace" in refused("trace", "strip", tmp_path / "none.cswap", "-o", out)
    assert "create it first" in refused("trace", "strip", small, "-o", tmp_path / "no" / "x.cswap")
    assert "exists; remove it or choose another name" in refused("trace", "strip", small, "-o", small)
    assert "unknown compressor 'lz5'" in refused("trace", "strip", small, "-o", out, "-c", "lz5")

    free = shutil.copytree(FOLDER / "pandas.cswap", tmp_path / "free.cswap", ignore=shutil.ignore_patterns("sizes"))
    good("trace", "strip", free, "-o", tmp_path / "lz4.cswap", "-c", "lz4")
    assert "no contents, and no sizes for lzo; use -c lz4" in refused(
        "trace", "strip", tmp_path / "lz4.cswap", "-o", out, "-c", "lzo"
    )
    shutil.rmtree(tmp_path / "lz4.cswap" / "sizes")
    assert "there are neither contents nor sizes" in refused("trace", "strip", tmp_path / "lz4.cswap", "-o", out)
    assert not out.exists()


def test_a_disk_that_ends_in_between(small: Path, tmp_path: Path) -> None:
    """Files may not grow over 2 KiB, so the system itself refuses a write half way."""
    before = sorted(tmp_path.rglob("*"))
    running = process(
        *("trace", "strip", small, "-o", tmp_path / "x.cswap", "-c", "lz4"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048)),
    )
    out, err = running.communicate()
    assert (running.returncode, out, err.count("\n")) == (2, "", 1), err
    assert "File too large" in err
    assert sorted(tmp_path.rglob("*")) == before


def test_sample(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = good("trace", "sample", small, "--share", "0.3", "--seed", "2")
    made, expected = open_trace("pandas-sample.cswap"), sample_slots(open_trace(small), 0.3, seed=2)
    verify("pandas-sample.cswap")
    assert (made.digest, made.source["sample"]["share"]) == (expected.digest, 0.3)
    assert said.startswith(f"pandas-sample.cswap: {made.n_events} events, ")
    assert "exists; remove it" in refused("trace", "sample", small, "--share", "0.3")
    assert "give 0 < share <= 1" in refused("trace", "sample", small, "--share", "0", "-o", "x.cswap")
