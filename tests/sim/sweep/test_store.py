"""Cells on disk: whole, found again to the last bit, and never mistaken for others."""

from __future__ import annotations

import errno
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_kit import PLAIN, stamps

from sim.errors import UserError
from sim.experiment.jobs import Rows
from sim.sweep import sweep
from sim.sweep.store import AFTER, BEFORE, Damaged, Store, _digest
from sim.sweep.work import Done

DIGEST = "0" * 32
DONE = Done(
    seconds=1.25,
    names={"trace": "a"},
    run=Rows(density=[{"density": math.nan, "pages": np.int64(3), "none": None, "parameters": {"number": "8"}}]),
    timed=Rows(events=[{"ns": np.arange(5, dtype=np.int32), "kind": "out"}], latency=[{"mean_us": 0.1 + 0.2}]),
)


def made(folder: Path) -> Store:
    store = Store(folder)
    store.make()
    return store


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = made(tmp_path / "sweep")
    assert store.read(DIGEST) is None
    store.write(DIGEST, {"traces": ["a"]}, DONE)
    found = store.read(DIGEST)
    assert found is not None
    assert (found.seconds, found.names, found.error) == (1.25, {"trace": "a"}, "")
    (row,) = found.run.density
    assert math.isnan(row["density"])
    assert (row["pages"], row["none"], found.timed.latency) == (3, None, [{"mean_us": 0.1 + 0.2}])
    (events,) = found.timed.events
    assert events["ns"].dtype == np.int32
    assert events["ns"].tolist() == [0, 1, 2, 3, 4]
    assert [path.name for path in store.cells.iterdir()] == [f"{DIGEST}.json"]
    json.loads((store.cells / f"{DIGEST}.json").read_text(), parse_constant=pytest.fail)


def test_damaged_cells_are_told_and_done_again(tmp_path: Path) -> None:
    sweep(PLAIN, tmp_path, workers=1)
    paths = sorted((tmp_path / "cells").iterdir())
    good = paths[3].read_bytes()
    damaged = (b"", b'{"check": "', b"[" * 100_000, good.replace(b"lz4", b"lzo", 1))
    for path, data in zip(paths, damaged, strict=True):
        path.write_bytes(data)
    with pytest.warns() as told:
        sweep(PLAIN, tmp_path, workers=1)
    assert sorted(str(one.message).partition(": ")[0] for one in told) == list(map(str, paths))
    for path, one in zip(paths, sorted(told, key=lambda one: str(one.message)), strict=True):
        assert re.search(r"damaged, or no cell of a sweep \(.*\); the cell is done again", str(one.message))
        assert json.loads(path.read_text())["cell"]["digest"] == path.stem


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": "x"},
        {"error": ["x"]},
        {"names": 3},
        {"about": []},
        {"remarks": [3]},
        {"run": {}},
        {"run": {"density": [3]}},
        {"timed": None},
    ],
)
def test_a_file_of_another_shape_is_no_cell(change: dict[str, Any], tmp_path: Path) -> None:
    store = made(tmp_path)
    store.write(DIGEST, {}, DONE)
    path = store.cells / f"{DIGEST}.json"
    text = json.dumps(json.loads(path.read_bytes())["cell"] | change).encode()
    path.write_bytes(BEFORE % _digest(text) + text + AFTER)
    with pytest.raises(Damaged, match="no cell of a sweep"):
        store.read(DIGEST)


def test_links_are_replaced_and_folders_told_before_anything_is_done(tmp_path: Path) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    mine.mkdir()
    (mine / "file").write_text("mine")
    sweep(PLAIN, out, workers=1)
    first, second, *_ = sorted((out / "cells").iterdir())
    for path in (first, second):
        path.unlink()
        path.symlink_to(mine / "file")
    with pytest.warns(match="is a symbolic link"):
        sweep(PLAIN, out, workers=1)
    assert json.loads(first.read_bytes())["cell"]["digest"] == first.stem
    assert not first.is_symlink()
    for name, target in (("cells", mine), ("result", mine / "new")):
        (out / name).rename(tmp_path / name)
        (out / name).symlink_to(target)
        with pytest.raises(UserError, match=f"{name}: is a symbolic link, which is not followed"):
            sweep(PLAIN, out)
        (out / name).unlink()
        (tmp_path / name).rename(out / name)
    assert [path.name for path in mine.iterdir()] == ["file"]
    assert (mine / "file").read_text() == "mine"
    first.unlink()
    first.mkdir()
    with pytest.raises(UserError, match="is a folder, where a cell belongs; move it away"):
        sweep(PLAIN, out)
    first.rmdir()
    shutil.rmtree(out / "result")
    (out / "result").touch()
    with pytest.raises(UserError, match="is a file"):
        sweep(PLAIN, out)
    assert not first.exists(), "told before"


def test_a_cell_under_another_name_is_none(tmp_path: Path) -> None:
    store = made(tmp_path)
    store.write(DIGEST, {}, DONE)
    (store.cells / f"{DIGEST}.json").rename(store.cells / f"{'1' * 32}.json")
    with pytest.raises(UserError, match="it is another cell"):
        store.read("1" * 32)


def test_strangers_are_told_and_left(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "cells" / "notes.txt").touch()
    with pytest.warns(match=r"notes\.txt: is no cell of a sweep; it is left as it is"):
        sweep(PLAIN, tmp_path, workers=1)
    assert (tmp_path / "cells" / "notes.txt").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(UserError, match=r"holds other files, such as mine\.txt, and no sweep"):
        sweep(PLAIN, tmp_path)
    with pytest.raises(UserError, match="is a file"):
        sweep(PLAIN, tmp_path / "mine.txt")


def test_a_full_disk_loses_nothing_that_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, left = Store.write, [2]

    def full(store: Store, *about: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
        write(store, *about)

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(OSError, match="cells") as error:
        sweep(PLAIN, tmp_path, workers=1)
    assert error.value.errno == errno.ENOSPC
    kept = stamps(tmp_path)
    assert len(kept) == 2
    monkeypatch.undo()
    assert len(sweep(PLAIN, tmp_path, workers=1).density) == 4
    assert {name: stamps(tmp_path)[name] for name in kept} == kept
