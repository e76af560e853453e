from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import platformdirs
import pytest

from sim.sizing import kept
from sim.sizing.kept import keep, recall

FIELDS = {"file": "abc", "codec": "lz4"}
ARRAYS = {"size": np.arange(5, dtype=np.int32), "same": np.zeros(5, np.bool_)}
WRITER = """
import sys
import numpy as np
from sim.sizing.kept import keep
keep({"codec": "lz4"}, {"size": np.full(100_000, int(sys.argv[1]))})
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    return tmp_path / "cswap" / kept.FOLDER


def the_file(folder: Path) -> Path:
    (file,) = (path for path in folder.iterdir() if path.name != kept.SECRET)
    return file


def test_what_is_kept_is_found_under_its_own_fields_only(folder: Path) -> None:
    keep(FIELDS, ARRAYS)
    found = recall(FIELDS)
    assert found is not None
    assert {name: (column.dtype, column.tolist()) for name, column in found.items()} == {
        name: (column.dtype, column.tolist()) for name, column in ARRAYS.items()
    }
    for other in ({**FIELDS, "file": "abd"}, {**FIELDS, "more": 1}, {"codec": "lz4"}):
        assert recall(other) is None
        the_file(folder).rename(folder / "moved")  # a file in another's place is not believed either
        (folder / "moved").rename(folder / kept._name(other))
        assert recall(other) is None


def test_no_changed_byte_is_believed(folder: Path) -> None:
    keep(FIELDS, ARRAYS)
    file = the_file(folder)
    good = file.read_bytes()
    for i in range(len(good)):
        file.write_bytes(good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :])
        assert recall(FIELDS) is None, i
    for n in range(0, len(good), 7):
        file.write_bytes(good[:n])
        assert recall(FIELDS) is None, n
    file.write_bytes(good)
    assert recall(FIELDS) is not None


@pytest.mark.parametrize("secret", [None, b"", b"x" * 31, b"x" * 32])
def test_what_another_wrote_is_not_believed_and_is_replaced(folder: Path, secret: bytes | None) -> None:
    keep(FIELDS, ARRAYS)
    (folder / kept.SECRET).unlink()
    if secret is not None:
        (folder / kept.SECRET).write_bytes(secret)
    assert recall(FIELDS) is None
    keep(FIELDS, ARRAYS)
    assert recall(FIELDS) is not None


def test_two_users_have_two_secrets(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(FIELDS, ARRAYS)
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / "other" / name))
    keep(FIELDS, {"size": np.zeros(5, np.int32)})
    (tmp_path / "other" / "cswap" / kept.FOLDER / the_file(folder).name).replace(the_file(folder))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    assert recall(FIELDS) is None


@pytest.mark.parametrize(("name", "words"), [("sizes", "sizes"), ("runs", "finished runs")])
def test_where_nothing_can_be_kept_one_line_says_so(
    name: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said, speak = os.pipe()
    os.write(speak, b"!")
    os.close(speak)
    monkeypatch.setattr("allocators.user_cache._word", said)

    def full(source: str, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(os, "replace", full)
    keep(FIELDS, ARRAYS, name)
    keep(FIELDS, ARRAYS, name)
    (line,) = caplog.messages
    assert line.startswith(f"cswap: {words} are not kept: ")
    assert "No space left on device; results are correct" in line
    assert [path.name for path in (folder.parent / name).iterdir()] == [kept.SECRET]
    assert recall(FIELDS, name) is None
    os.close(said)


def test_a_folder_of_another_user_is_not_used(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a folder of another user")
    folder.mkdir(parents=True)
    os.chown(folder.parent, 12345, 12345)
    keep(FIELDS, ARRAYS)
    assert list(folder.iterdir()) == []


def test_an_open_folder_is_closed(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    keep(FIELDS, ARRAYS)
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700, 0o700]


def writer(cache: Path, value: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.Popen([sys.executable, "-c", WRITER, str(value)], env=environment, text=True)


def test_two_processes_that_keep_at_once_both_finish_and_one_is_whole(tmp_path: Path, folder: Path) -> None:
    both = [writer(tmp_path, value) for value in (1, 2, 3)]
    assert [process.wait() for process in both] == [0, 0, 0]
    found = recall({"codec": "lz4"})
    assert found is not None
    assert set(found["size"].tolist()) in ({1}, {2}, {3})
    assert len(list(folder.iterdir())) == 2


def test_what_a_kill_left_goes_and_what_is_being_written_stays(folder: Path) -> None:
    keep(FIELDS, ARRAYS)
    left = folder / f"left{kept.PART}"
    left.write_bytes(b"half")
    handle = (folder / f"busy{kept.PART}").open("wb")
    lock(handle)
    keep(FIELDS, ARRAYS)
    assert sorted(path.suffix for path in folder.iterdir()) == ["", "", kept.PART]
    assert not left.exists()
    handle.close()
    keep(FIELDS, ARRAYS)
    assert not list(folder.glob(f"*{kept.PART}"))


def test_a_part_swept_before_it_was_locked_is_written_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, taken = tempfile.mkstemp, []

    def swept(*given: Any, **named: Any) -> tuple[int, str]:
        handle, name = made(*given, **named)
        if len(taken) < 2:
            kept._sweep(folder)  # as another process does, between the making and the lock
            taken.append(Path(name).exists())
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", swept)
    keep(FIELDS, ARRAYS)
    assert taken == [False, False]
    assert recall(FIELDS) is not None
    assert not list(folder.glob(f"*{kept.PART}"))


def lock(handle: IO[bytes]) -> None:
    """By another open file, as another process would hold it."""
    import fcntl

    fcntl.flock(handle, fcntl.LOCK_EX)


def test_a_process_killed_as_it_writes_leaves_the_old_file(tmp_path: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    keep({"codec": "lz4"}, {"size": np.zeros(3)})
    script = "import os; os.replace = lambda *_: os.kill(os.getpid(), 9)\n" + WRITER
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}
    killed = subprocess.run([sys.executable, "-c", script, "1"], env=environment)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(folder.glob(f"*{kept.PART}"))) == 1
    found = recall({"codec": "lz4"})
    assert found is not None
    assert found["size"].tolist() == [0, 0, 0]
    keep(FIELDS, ARRAYS)
    assert not list(folder.glob(f"*{kept.PART}"))
