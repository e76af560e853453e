"""`cswap trace dictionary`, and what a run says of the dictionary it is given."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import good, refused


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_train_and_use(folder: Path) -> None:
    said = good("trace", "dictionary", "redis-sample", "gcc-sample", "-o", "my.dict", "--size", "8K", "--pages", 300)
    first, second = said.splitlines()
    assert first == f"my.dict: {(folder / 'my.dict').stat().st_size:,} bytes, trained on 300 of 6,406 pages"
    digest = second.rpartition("=")[2]
    given = ("-a", "ideal", "-c", "zstd:level=8,dict=my.dict", "-f", f"zram:recompress=lz4hc:dict={folder / 'my.dict'}")
    good("run", "node-sample", *given, "--out", "out")
    about = (folder / "out" / "provenance.json").read_text()
    assert "my.dict" not in about
    assert str(folder) not in about
    experiment = json.loads(about)["experiment"]
    assert experiment["compressors"] == [f"zstd:level=8,dict={digest}"]
    assert experiment["frontends"] == [f"zram:recompress=lz4hc:dict={digest}"]
    (folder / "my.dict").unlink()
    assert "identical" in good("run", "--rerun", "out", "--out", "again")


def test_a_stripped_trace_tells_which_dictionary(folder: Path) -> None:
    good("trace", "dictionary", "redis-sample", "-o", "my.dict")
    good("trace", "strip", "node-sample", "-c", "lz4:dict=my.dict", "-o", "node.cswap")
    (name,) = (path.name for path in (folder / "node.cswap" / "sizes").iterdir())
    (folder / "cache" / "cswap").rename(folder / "elsewhere")  # another user, who never had the dictionary
    codec = name.removesuffix(".parquet")
    assert "dict=" in good("run", "node.cswap", "-a", "ideal", "-c", codec, "--csv")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("redis-sample", "-o", "there"), "there: exists; remove it or give another name"),
        (("redis-sample", "-o", "no/folder"), "no/folder: No such file or directory; give a file that exists"),
        (("redis-sample", "-o", "new", "--size", "big"), "--size big: give the bytes of a dictionary, such as 16K"),
        (("redis-sample", "-o", "new", "--size", "1"), "a dictionary of 1 bytes; give 256 to 16777216"),
        (("redis", "-o", "new"), "redis: has no contents to train on"),
        (("redis-sample", "-o", "new", "--pages", "1"), "1 are too few, or too much alike"),
    ],
)
def test_mistakes(words: tuple[str, ...], said: str, folder: Path) -> None:
    (folder / "there").touch()
    assert said in refused("trace", "dictionary", *words)
    assert not (folder / "new").exists()


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("lz4:dict=nowhere", "nowhere: file: is missing; give a dictionary"),
        ("zstd:level=8,dict=.", ".: file: is a folder, not a regular file"),
        ("lz4hc:dict=", "'dict=' is no KEY=VALUE"),
        ("lzo:dict=there", "lzo: unknown parameter dict"),
        ("lz4:dict=there", "there: has 7 bytes; lz4 takes 8 to 65,536 in zram"),
        ("zstd:dict=0123456789abcdef", "no dictionary of this digest is known here; give its file: dict=FILE"),
    ],
)
def test_a_run_with_a_dictionary_that_cannot_be(codec: str, said: str, folder: Path) -> None:
    (folder / "there").write_bytes(bytes(7))
    assert said in refused("run", "redis-sample", "-a", "ideal", "-c", codec)
