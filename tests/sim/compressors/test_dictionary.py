"""Parameters and dictionaries beside live kernels, and a dictionary as a stranger's file."""

from __future__ import annotations

import csv
import gzip
import os
import pickle
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import lz4.block
import numpy as np
import pytest
from codec_kit import PAGE, as_stored, contents, golden_pages, samples
from hypothesis import given, settings

from sim.compressors import dictionary
from sim.compressors.base import Compressor
from sim.errors import CodecError, CompressorError
from sim.plugins import COMPRESSORS, FRONTENDS
from workloads.traces.sizes import is_codec

GOLDEN = Path(__file__).parents[2] / "golden" / "zram-parameters"
OPTIMAL_FROM = 13  # levels of zstd from which a dictionary is not used quite as the kernel does


@cache
def golden() -> dict[str, np.ndarray]:
    with gzip.open(GOLDEN / "sizes.csv.gz", "rt") as file:
        names, *rows = csv.reader(file)
    table = np.array(rows, np.int64)
    return {name: table[:, column] for column, name in enumerate(names) if name != "page"}


def dictionaries() -> dict[str, bytes]:
    pages = golden_pages()
    return {
        "trained": (GOLDEN / "trained.dict").read_bytes(),
        "raw64k": pages[::65].tobytes()[:65536],
        "raw64k1": pages[::65].tobytes()[:65536] + b"x",
        "raw200k": pages[::20].tobytes()[:200_000],
        "raw4099": pages[3:].tobytes()[:4099],
        "raw8": pages[5].tobytes()[:8],
        "raw7": pages[5].tobytes()[:7],
        "raw2": b"ab",
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dictionaries")
    for name, content in dictionaries().items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, so to speak: what was given before is not known."""
    monkeypatch.setattr(dictionary, "cache_folder", lambda name: _made(tmp_path / name))
    monkeypatch.setattr(dictionary, "_known", {})


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def made(column: str, files: Path) -> Compressor:
    """The codec of a column of the golden table."""
    algorithm, *words = column.split()
    told: dict[str, Any] = dict(word.split("=") for word in words)
    level = {"acceleration" if algorithm == "lz4" else "level": told["level"]} if "level" in told else {}
    path = {"dict": files / told["dict"]} if "dict" in told else {}
    parameters = ",".join(f"{key}={value}" for key, value in (level | path).items())
    return COMPRESSORS.make(f"{algorithm}:{parameters}" if parameters else algorithm)


@pytest.mark.parametrize("column", golden())
def test_sizes_equal_the_kernels(column: str, files: Path) -> None:
    codec, pages = made(column, files), golden_pages()
    if "libzstd" in codec.version and codec.version != "libzstd 1.5.7":
        pytest.skip(f"{codec.version}; the kernel has 1.5.7")
    found = as_stored(pages, codec.measure(pages)[0])
    different = found != golden()[column]
    if codec.name == "zstd" and "dict=" in column and codec.config["level"] >= OPTIMAL_FROM:
        assert different.mean() < 0.16
        assert abs(found - golden()[column]).max() <= 58
        assert 0 <= found.sum() / golden()[column].sum() - 1 < 0.0006
    else:
        assert np.flatnonzero(different).tolist() == []


def of_all(files: Path, name: str = "trained") -> list[Compressor]:
    return [COMPRESSORS.make(f"{codec}:dict={files / name}") for codec in ("lz4", "lz4hc", "zstd")]


@pytest.mark.parametrize("size", [4, 12, 13, 20, 22, 100, 4096, 16384, 65536])
@pytest.mark.parametrize("name", ["trained", "raw64k", "raw8"])
def test_round_trip(name: str, size: int, files: Path) -> None:
    for codec in of_all(files, name):
        for kind, page in samples(size).items():
            stream = codec.compress(page)
            assert codec.decompress(stream, size) == page, (codec.spec, kind)
            if codec.name != "zstd":
                content = (files / name).read_bytes()
                assert lz4.block.decompress(stream, uncompressed_size=size, dict=content) == page


@settings(max_examples=60, deadline=None)
@given(page=contents())
def test_round_trip_of_anything(page: bytes) -> None:
    known = dictionary.known_from_now_on(dictionaries()["raw4099"] + page[::2])
    for name in ("lz4", "lz4hc", "zstd"):
        codec = COMPRESSORS.make(f"{name}:dict={known}")
        assert codec.decompress(codec.compress(page), PAGE) == page


def test_damaged_streams_are_refused(files: Path) -> None:
    page = samples(PAGE)["holes"]
    for codec in of_all(files):
        stream = codec.compress(page)
        for damaged in (b"", stream[: len(stream) // 2], stream[:-1]):
            with pytest.raises(CodecError, match=codec.name):
                codec.decompress(damaged, PAGE)


def test_a_dictionary_is_called_by_its_digest(files: Path, tmp_path: Path) -> None:
    shutil.copy(files / "trained", tmp_path / "another name")
    for codec in of_all(files):
        assert str(files) not in codec.spec
        assert is_codec(codec.spec)
        assert COMPRESSORS.make(codec.spec).spec == codec.spec
        assert COMPRESSORS.make(f"{codec.name}:dict={tmp_path / 'another name'}").spec == codec.spec
        assert COMPRESSORS.make(f"{codec.name}:dict={files / 'raw4099'}").spec != codec.spec


def test_a_later_run_knows_it_and_one_without_it_says_so(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codecs = of_all(files)
    monkeypatch.setattr(dictionary, "_known", {})
    page = samples(PAGE)["words"]
    for codec in codecs:
        assert COMPRESSORS.make(codec.spec).compress(page) == codec.compress(page)
    for codec in ("lz4", "lz4hc", "zstd"):
        unknown = COMPRESSORS.make(f"{codec}:dict=0123456789abcdef")
        with pytest.raises(CompressorError, match="no dictionary of this digest is known here; give its file"):
            unknown.compress(page)


def test_what_was_kept_and_damaged_is_not_used(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = of_all(files)[0]
    (tmp_path / "dictionaries" / codec.config["dict"]).write_bytes(b"something else")
    monkeypatch.setattr(dictionary, "_known", {})
    with pytest.raises(CompressorError, match="no dictionary of this digest"):
        COMPRESSORS.make(codec.spec).compress(bytes(PAGE))


def test_another_process_has_the_dictionary(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = samples(PAGE)["pointers"]
    sent = [(pickle.dumps(codec), codec.compress(page)) for codec in of_all(files)]
    monkeypatch.setattr(dictionary, "_known", {})
    monkeypatch.setattr(dictionary, "cache_folder", _nowhere)
    for data, stream in sent:
        assert pickle.loads(data).compress(page) == stream


def _nowhere(name: str) -> Path:
    raise PermissionError(name)


@pytest.mark.parametrize(
    ("codec", "name", "said"),
    [
        ("lz4", "raw7", "has 7 bytes; lz4 takes 8 to 65,536 in zram"),
        ("lz4", "raw64k1", "has 65,537 bytes; lz4 takes 8 to 65,536 in zram"),
        ("lz4hc", "raw64k1", "has 65,537 bytes; lz4hc takes 1 to 65,536 in zram"),
        ("zstd", "damaged", "is a damaged dictionary; train it again"),
        ("lz4", "none", "is missing; give a dictionary"),
        ("zstd", "empty", "is empty; give a dictionary"),
        ("zstd", "pipe", "is a pipe, not a regular file"),
        ("lz4", "folder", "is a folder, not a regular file"),
        ("zstd", "long", "is longer than 16,777,216 bytes"),
        ("lz4hc", "two\nlines", "is missing"),
    ],
)
def test_a_strangers_file(codec: str, name: str, said: str, files: Path, tmp_path: Path) -> None:
    shutil.copytree(files, tmp_path / "files")
    path = tmp_path / "files" / name
    (tmp_path / "files" / "damaged").write_bytes((files / "trained").read_bytes()[:8] + bytes(100))
    (tmp_path / "files" / "empty").touch()
    (tmp_path / "files" / "folder").mkdir()
    os.mkfifo(tmp_path / "files" / "pipe")
    with (tmp_path / "files" / "long").open("wb") as file:
        file.truncate((16 << 20) + 1)
    with pytest.raises(CompressorError) as caught:
        COMPRESSORS.make(f"{codec}:dict={path}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("dictionary, such as") <= 1, "the remedy is told once"


def test_a_secondary_codec_takes_all_settings(files: Path) -> None:
    zram = FRONTENDS.make(f"zram:recompress=zstd:level=8:dict={files / 'trained'}+deflate:level=9,every=50")
    digest = of_all(files)[0].config["dict"]
    assert zram.compressors == (f"zstd:level=8,dict={digest}", "deflate:level=9")
    assert zram.spec == f"zram:recompress=zstd:level=8:dict={digest}+deflate:level=9,every=50"
    assert FRONTENDS.make(zram.spec).spec == zram.spec
    with pytest.raises(CompressorError, match="is missing"):
        FRONTENDS.make("zram:recompress=zstd:dict=nowhere")


def test_a_device_reads_it_where_it_is_kept(files: Path, tmp_path: Path) -> None:
    codec = COMPRESSORS.make(f"lz4:acceleration=3,dict={files / 'raw4099'}")
    level, path = codec.algorithm_params.split()
    assert level == "level=3"
    assert Path(path.removeprefix("dict=")).read_bytes() == dictionaries()["raw4099"]
