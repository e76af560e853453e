"""Results are put in their place whole: over kills, full disks, files of others, and two at a time."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import sim.results.saving
from sim import Experiment, Result, run
from sim.errors import UserError
from sim.results.saving import MARK
from workloads.traces.digests import digest_file

KILLS = 12


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """Two results, whose files all differ."""
    traces = ("bell:events=600,slots=90", "random:events=400,slots=80,pages=30")
    return [run(Experiment((trace,), allocators=("zbud", "ideal"), compressors=("lz4",))) for trace in traces]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: digest_file(path) for path in folder.iterdir()}


def save_for_ever(results: list[Result], folder: Path) -> None:
    while True:
        for result in results:
            result.save(folder, plots=True)


def test_killed_at_any_moment_it_is_the_older_or_the_newer_one(results: list[Result], tmp_path: Path) -> None:
    whole = [digests(result.save(tmp_path / "whole" / str(i), plots=True)) for i, result in enumerate(results)]
    assert all("density.png" in files for files in whole)
    draw, folder = random.Random(7), tmp_path / "out"
    for _ in range(KILLS):
        saving = multiprocessing.get_context("fork").Process(target=save_for_ever, args=(results, folder))
        saving.start()
        while not folder.exists():
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 1))
        saving.kill()
        saving.join()
        assert digests(folder) in whole
    results[0].save(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"], "what was left is removed"


def test_two_at_a_time_one_wins_whole(results: list[Result], tmp_path: Path) -> None:
    whole = [digests(result.save(tmp_path / "whole" / str(i))) for i, result in enumerate(results)]
    folder = tmp_path / "out"

    def often(result: Result) -> None:
        for _ in range(10):
            result.save(folder)

    context = multiprocessing.get_context("fork")
    both = [context.Process(target=often, args=(result,)) for result in results]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    assert digests(folder) in whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "whole"]


def test_where_folders_cannot_be_exchanged(
    results: list[Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On NFS for instance; a kill between the two steps is mended by the next one."""

    def cannot(one: Path, other: Path) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(sim.results.saving, "_exchange", cannot)
    folder = tmp_path / "out"
    for result in (*results, *results):
        result.save(folder)
    assert len(Result.load(folder).density) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    folder.rename(tmp_path / f".out.abcd1234{sim.results.saving.ASIDE}")
    with pytest.raises(RuntimeError), sim.results.saving.part_of(folder):
        raise RuntimeError
    assert len(Result.load(folder).density) == 2


def test_files_of_others_are_never_removed(results: list[Result], tmp_path: Path) -> None:
    results[0].save(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"holds other files, such as notes\.txt"):
        results[1].save(tmp_path)
    (tmp_path / "notes.txt").rename(tmp_path / "timing.csv")
    (tmp_path / "timing.csv").unlink()
    (tmp_path / "timing.csv").mkdir()
    with pytest.raises(UserError, match=r"such as timing\.csv"):
        results[1].save(tmp_path)
    (tmp_path / "timing.csv").rmdir()
    (tmp_path / MARK).write_text('{"buildType": "another tool\'s"}')
    with pytest.raises(UserError, match=r"such as a provenance\.json that is not cswap's"):
        results[1].save(tmp_path)


def test_what_comes_while_it_is_put_there_is_kept(
    results: list[Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, exchange = results[0].save(tmp_path / "out"), sim.results.saving._exchange

    def late(one: Path, other: Path) -> None:
        (folder / "notes.txt").write_text("mine")
        exchange(one, other)

    monkeypatch.setattr(sim.results.saving, "_exchange", late)
    results[1].save(folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert Result.load(folder).density.equals(results[1].density)


def test_modes_and_links(results: list[Result], tmp_path: Path) -> None:
    folder = results[0].save(tmp_path / "out")
    assert folder.stat().st_mode & 0o777 == 0o777 & ~sim.results.saving._umask()
    folder.chmod(0o700)
    (tmp_path / "link").symlink_to("out")
    assert results[1].save(tmp_path / "link") == folder
    assert (tmp_path / "link").is_symlink()
    assert folder.stat().st_mode & 0o777 == 0o700, "as the older one"


def test_an_incomplete_result_does_not_take_the_place_of_a_complete_one(results: list[Result], tmp_path: Path) -> None:
    part = replace(results[0], provenance=results[0].provenance | {"complete": False})
    folder = tmp_path / "out"
    assert part.save(folder) == folder
    assert results[1].save(folder) == folder
    for _ in range(2):
        assert part.save(folder) == tmp_path / "out.partial"
    assert Result.load(folder).provenance["complete"]


def test_in_a_folder_that_cannot_be_replaced(
    results: list[Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results[0].save(".", plots=True)
    assert Result.load(".").density.equals(results[0].density)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    with pytest.raises(UserError, match="cannot be replaced in one step"):
        results[0].save(".")
    (tmp_path / MARK).rename(tmp_path / sim.results.saving.BEGUN)  # as a kill leaves it
    results[1].save(".")
    assert not (tmp_path / "density.png").exists()
    assert Result.load(".").density.equals(results[1].density)


def test_a_picture_that_cannot_be_drawn_costs_nothing_else(
    results: list[Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(self: Result) -> None:
        raise KeyError("odd")

    monkeypatch.setattr(Result, "plot_density", fault)
    with pytest.raises(UserError, match=r"density\.png: cannot be drawn"):
        results[0].save(tmp_path / "out", plots=True)
    assert (tmp_path / "out" / "timeline.png").exists()
    assert Result.load(tmp_path / "out").density.equals(results[0].density)


@pytest.mark.filterwarnings("error")
def test_names_are_not_formulas(results: list[Result], tmp_path: Path) -> None:
    renamed = {
        name: getattr(results[0], name).assign(trace=r"$\frac{[/red]\x1b 漢 {}%s") for name in ("density", "timeline")
    }
    folder = replace(results[0], **renamed).save(tmp_path / "$x^", plots=True)
    assert (folder / "density.png").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid():
        pytest.skip("mounting a file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("this host mounts no tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_names_the_file_and_leaves_nothing(results: list[Result], small_disk: Path) -> None:
    folder = results[0].save(small_disk / "out")
    before = digests(folder)
    for name, free in (("density.csv", 0), ("density.png", 110)):
        used = sum(path.stat().st_blocks // 2 for path in folder.iterdir())
        (small_disk / "ballast").write_bytes(bytes(max(256 - used - free - 8, 0) << 10))
        with pytest.raises(OSError, match="No space left") as caught:
            results[1].save(folder, plots=True)
        assert caught.value.filename.startswith(str(folder)), name
        assert digests(folder) == before
        assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "out"]


def test_pictures_drawn_again(results: list[Result], tmp_path: Path) -> None:
    folder = results[0].save(tmp_path / "out", plots=True)
    before = digests(folder)
    (folder / "density.png").unlink()
    Result.load(folder).save_plots(folder)
    assert digests(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert json.loads((folder / MARK).read_text())["complete"]


def test_a_stop_waits_until_it_is_written() -> None:
    from sim.interrupts import held

    done = []

    def write() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            done.append("written")

    with pytest.raises(KeyboardInterrupt):
        write()
    assert done
