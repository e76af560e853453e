"""Traces by URL: copied once, checked as any stranger's, and named by no text of theirs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from sim import Experiment, run
from sim.errors import UserError
from sim.experiment.inputs import open_input, open_inputs
from sim.experiment.remote import FOLDER, is_url
from sim.sweep import sweep
from workloads import Events, Sizes, Trace, TraceError, open_recording, open_sample, save_trace
from workloads.limits import lifted
from workloads.recordings import FOLDER as RECORDINGS
from workloads.samples import FOLDER as SAMPLES

REDIS = SAMPLES / "redis.cswap"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "cswap" / FOLDER


def uploaded(folder: Path, to: str) -> str:
    """A trace on fsspec's own file system in memory."""
    files = fsspec.filesystem("memory")
    files.put(f"{folder}/", f"{to}/", recursive=True)
    return f"memory://{to}"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The URL of a server of the folder `tmp_path / "www"`."""
    handler: Any = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "www"))
    handler.func.log_message = lambda *about: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("text", ["s3://bucket/a.cswap", "file:///a", "simplecache::s3://b/a", "HTTP://a/b"])
def test_a_url_is_one(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize("text", ["gcc", "a/b.cswap", "/a://b", "uniform:events=3", "references:file=a://b", "://a"])
def test_nothing_else_is(text: str) -> None:
    assert not is_url(text)


def test_it_is_copied_once_into_a_private_folder(cache: Path) -> None:
    url = uploaded(REDIS, "/once/redis.cswap")
    trace = open_input(url)
    assert trace.digest == open_sample("redis").digest
    (copy,) = cache.iterdir()
    assert cache.stat().st_mode & 0o077 == 0
    files = fsspec.filesystem("memory")
    for name in ("events.parquet", "pages.parquet"):
        files.rm(f"/once/redis.cswap/{name}")
    assert open_input(url + "/").path == trace.path == copy
    assert [path.name for path in cache.iterdir()] == [copy.name]


def test_it_runs_and_sweeps_and_is_named_without_its_place(tmp_path: Path) -> None:
    url = uploaded(REDIS, "/secret/redis.cswap")
    experiment = Experiment((url,), allocators=("zbud",), compressors=("lz4",))
    ran = run(experiment)
    assert ran.provenance["experiment"]["traces"] == ["redis.cswap"]
    assert "secret" not in str(ran.provenance)
    assert len(sweep(experiment, tmp_path / "sweep").density) == 1
    told = run(experiment, keep_source=True).provenance
    assert told["experiment"]["traces"] == [url]


def test_by_http_with_contents_and_without(tmp_path: Path, served: str) -> None:
    shutil.copytree(REDIS, tmp_path / "www" / "redis.cswap")
    assert open_input(f"{served}/redis.cswap").digest == open_sample("redis").digest
    shutil.copytree(RECORDINGS / "redis.cswap", tmp_path / "www" / "whole.cswap")
    found = open_input(f"{served}/whole.cswap")
    assert found.sizes_codecs() == open_recording("redis").sizes_codecs()


def test_a_path_that_looks_like_one_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file:").mkdir()
    shutil.copytree(REDIS, tmp_path / "file:" / "mine.cswap")
    assert open_input("file://mine.cswap").path == Path("file://mine.cswap")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "memory://nothing/there.cswap",
            r"memory://nothing/there.cswap: cannot be read \(there is none\); give the URL",
        ),
        ("nosuch://a/b.cswap", "nosuch://a/b.cswap: cannot be read .*nosuch"),
        ("file:///dev/null", "cannot be read"),
        ("http://127.0.0.1:1/a.cswap", "http://127.0.0.1:1/a.cswap: cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(url: str, said: str, cache: Path) -> None:
    with pytest.raises(UserError, match=said) as error:
        open_inputs(url)
    assert "\n" not in str(error.value)
    assert not list(cache.glob("*"))


def test_what_the_header_does_not_tell_of_is_refused(cache: Path) -> None:
    url = uploaded(REDIS, "/damaged/redis.cswap")
    files = fsspec.filesystem("memory")
    data = files.cat("/damaged/redis.cswap/events.parquet")
    files.pipe("/damaged/redis.cswap/events.parquet", data[:99] + bytes([data[99] ^ 1]) + data[100:])
    with pytest.raises(TraceError, match=r"events.parquet: bytes: are not those that trace\.json tells of"):
        open_input(url)
    files.pipe("/damaged/redis.cswap/trace.json", b" " * (1 << 21))
    with pytest.raises(TraceError, match=r"trace\.json: is larger than 1,048,576 bytes"):
        open_input(url)
    assert list(cache.iterdir()) == []


def test_it_is_limited_in_size() -> None:
    url = uploaded(REDIS, "/large/redis.cswap")
    with lifted(100_000), pytest.raises(TraceError, match=r"is larger than .* allow more with --max-bytes"):
        open_input(url)


def test_only_names_of_codecs_become_files(tmp_path: Path, cache: Path) -> None:
    save_trace(open_recording("redis"), tmp_path / "mine.cswap")
    url = uploaded(tmp_path / "mine.cswap", "/names/mine.cswap")
    files = fsspec.filesystem("memory")
    for name in ("..", "..parquet", " .parquet", "a" * 200 + ".parquet", "notes.txt"):
        files.pipe(f"/names/mine.cswap/sizes/{name}", b"")
    found = open_input(url)
    assert found.sizes_codecs() == open_recording("redis").sizes_codecs()
    assert {path.name for path in cache.rglob("sizes/*")} == {f"{codec}.parquet" for codec in found.sizes_codecs()}


def test_sizes_without_a_digest_are_those_of_their_url_alone(tmp_path: Path, cache: Path) -> None:
    pages = 3
    events = Events.of([0] * pages, range(pages), range(pages))
    for place, size in (("one", 100), ("other", 200)):
        (tmp_path / place).mkdir()
        trace = Trace.from_arrays("mine", events, None, {"lz4": Sizes.given([size] * pages)})
        save_trace(trace, tmp_path / place / "mine.cswap")
    urls = [uploaded(tmp_path / place / "mine.cswap", f"/{place}/mine.cswap") for place in ("one", "other")]
    found = [open_input(url).sizes("lz4") for url in urls]
    assert [sizes.size[0] for sizes in found if sizes] == [100, 200]
    fsspec.filesystem("memory").pipe("/other/mine.cswap/trace.json", b"{}")
    with pytest.raises(TraceError, match=r"^memory:///other/mine\.cswap/trace\.json: "):
        open_input(urls[1])
