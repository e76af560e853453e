"""What strangers' files say to the command line, and what of it reaches the terminal."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from cli_kit import GOLDEN, good, refused

from sim.plugins import COMPRESSORS
from sim.validate import live
from workloads import TraceError, open_trace
from workloads.samples import FOLDER
from workloads.shown import shown
from workloads.traces.digests import digest_text

HOSTILE = GOLDEN.parent / "hostile"
LIES = ("slot-beyond-1", "page-beyond-near", "kind-255", "events-byte-flipped", "h-js-name-esc", "b-pages-bomb")


@pytest.mark.parametrize("name", LIES)
def test_no_figure_of_a_lying_trace(name: str, tmp_path: Path) -> None:
    trace = HOSTILE / f"{name}.cswap"
    for words in (
        ("run", trace, "-a", "ideal", "-c", "lz4", "--json"),
        ("run", trace, "-a", "ideal", "-c", "lz4", "--out", tmp_path / "out"),
        ("trace", "verify", trace),
        ("trace", "strip", trace, "-o", tmp_path / "stripped.cswap"),
        ("trace", "sample", trace, "--share", "1", "-o", tmp_path / "sample.cswap"),
    ):
        line = refused(*words)
        assert f"{name}.cswap/" in line
        assert line.rstrip("\n").isprintable()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_no_device_is_added_for_a_lying_trace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The events of another trace: counts are right, the digest is not."""
    folder = shutil.copytree(FOLDER / "redis.cswap", tmp_path / "t.cswap")
    body = json.loads((folder / "trace.json").read_text())
    body["digests"]["events"] = "0" * 32
    del body["check"]
    body["check"] = digest_text(json.dumps(body, sort_keys=True))
    (folder / "trace.json").write_text(json.dumps(body))
    monkeypatch.setattr(live, "require_zram", lambda: None)
    monkeypatch.setattr(live, "zram_device", lambda *given: pytest.fail("a device was added"))
    with pytest.raises(TraceError, match="events_digest"):
        live.compare_live(open_trace(folder), COMPRESSORS.make("lz4"))


def test_nothing_of_a_source_is_obeyed(tmp_path: Path) -> None:
    """Escapes, directions and markup are shown as they are written."""
    folder = shutil.copytree(FOLDER / "redis.cswap", tmp_path / "t.cswap")
    body = json.loads((folder / "trace.json").read_text())
    body["name"] = "[red]x$\\frac"
    body["source"] = {"a\x1b[2J": "b\x07[link=http://x]", "[/nope]": "\u202egpj", "c": {"d\r": ["\x9b"]}}
    del body["check"]
    body["check"] = digest_text(json.dumps(body, sort_keys=True))
    (folder / "trace.json").write_text(json.dumps(body))
    text = good("trace", "info", folder, "--full")
    for lines in (text, good("trace", "info", folder)):
        assert all(line.isprintable() for line in lines.splitlines())
    for piece in (r"a\x1b[2J", r"b\x07[link=http://x]", "[/nope]", r"\u202egpj", r"d\r", "[red]x$\\frac"):
        assert piece in text
    assert r"a\x1b[2J" in good("trace", "strip", folder, "-c", "lz4", "-o", tmp_path / "s.cswap")
    told = good("run", folder, "-a", "ideal", "-c", "lz4", "--out", tmp_path / "out")
    assert "[red]x$\\frac lz4 " in told


def test_words_of_the_command_line_are_shown_too(tmp_path: Path) -> None:
    assert r"\x1b[31m" in refused("run", "\x1b[31m", "-c", "lz4")
    assert r"\x1b[31m" in refused("ops", tmp_path / "\x1b[31m", "-a", "ideal")
    assert r"\udcff" in refused("trace", "info", "\udcff")
    assert shown(shown("a\x1b\u202e\n")) == shown("a\x1b\u202e\n") == r"a\x1b\u202e\n"


def test_one_option_lifts_what_files_may_become(tmp_path: Path) -> None:
    bomb, pages = HOSTILE / "bomb-blank.csv.zst", HOSTILE / "one.bin"
    words = ("import", "csv", bomb, "--pages", pages, "-o", tmp_path / "t.cswap")
    assert "allow more, as with --max-bytes 64G" in refused(*words)
    assert "become more than 134,217,728" in refused(*words, "--max-bytes", "128M")
    assert "become more than 134,217,728" in refused("--max-bytes=128M", *words)
    assert "--max-bytes 7: give a size" in refused(*words, "--max-bytes", "7")
    assert "line 1: is longer than 65,536 bytes" in refused("ops", HOSTILE / "bomb-ops.zst", "-a", "ideal")
    assert "line 1: is longer than 65,536 bytes" in refused("ops", "-", "-a", "ideal", stdin="1" * 100_000)


def test_toml_of_strangers(tmp_path: Path) -> None:
    deep, pipe, long = tmp_path / "deep.toml", tmp_path / "pipe.toml", tmp_path / "long.toml"
    deep.write_text("seed = " + "[" * 5000 + "]" * 5000)
    os.mkfifo(pipe)
    long.write_text("#" * (1 << 20) + "\n")
    truth = tmp_path / "truth.toml"
    truth.write_text("memory = {pages = true}")
    for path, said in ((deep, "nested too deep"), (pipe, "is a pipe"), (long, "is longer"), (truth, "pages=True")):
        assert said in refused("run", "--experiment", path)
    assert "is a device" in refused("run", "gcc-sample", "--timing", "--costs", "/dev/zero")
