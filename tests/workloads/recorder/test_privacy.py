"""Root in a folder that is a user's: no path of the user's leads farther than the user may go. Needs root."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workloads import open_trace, verify
from workloads.errors import TraceError
from workloads.recorder import segments
from workloads.recorder.privacy import Keeper, hand_over, private, roots_alone
from workloads.recorder.program import User
from workloads.recorder.rows import Epoch
from workloads.recorder.segments import Segments, folder_of, recover
from workloads.traces.events import OUT, Events

pytestmark = pytest.mark.skipif(bool(os.geteuid()), reason="needs root")
NOBODY = User(65534, 65534, "nobody", "/")
EPOCH = Epoch(Events.of([OUT], [0], [0], [1], [1]), np.ones((1, 4096), np.uint8))


@pytest.fixture
def users() -> Iterator[Path]:
    """A folder that belongs to a user."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(folder, NOBODY.uid, NOBODY.gid)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def roots() -> Iterator[Path]:
    """A folder that is root's, with a file in it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    (folder / "secret").touch(0o600)
    yield folder
    shutil.rmtree(folder)


def unchanged(folder: Path) -> None:
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert {path.stat().st_uid for path in (folder, folder / "secret")} == {0}


def as_user_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", str(NOBODY.uid))
    monkeypatch.setenv("SUDO_GID", str(NOBODY.gid))


def test_who_can_change_a_path(users: Path, roots: Path, tmp_path: Path) -> None:
    assert roots_alone(roots)
    assert roots_alone(Path("/"))
    assert not roots_alone(Path("/tmp")), "anybody can write there"
    assert not roots_alone(users)
    (users / "below").mkdir()
    assert not roots_alone(users / "below"), "the user can rename it, and put another there"
    (roots / "link").symlink_to(tmp_path)
    assert not roots_alone(roots / "link")
    (roots / "link").unlink()


def test_what_is_written_is_the_users_at_once(users: Path) -> None:
    out = users / "x.cswap"
    with private():
        writing = Segments(out, 4096, {}, NOBODY)
        writing.add(EPOCH)
        writing.close()
        made = [users / ".x.cswap.recording", *users.rglob(".x.cswap.recording/**/*")]
        assert len(made) == 6
        assert {path.stat().st_uid for path in made} == {NOBODY.uid}
        writing.finish({})
    assert [path.name for path in users.iterdir()] == ["x.cswap"]
    for path in (out, *out.rglob("*")):
        assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY.uid, NOBODY.gid)
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path == out else 0o600)
    verify(out)
    (users.parent / f"{users.name}.probe").touch()
    assert (users.parent / f"{users.name}.probe").stat().st_uid == 0, "root is itself again"
    (users.parent / f"{users.name}.probe").unlink()


def test_a_folder_that_is_exchanged_for_a_link_leads_nowhere(users: Path, roots: Path) -> None:
    writing = Segments(users / "x.cswap", 4096, {}, NOBODY)
    folder_of(users / "x.cswap").rename(users / "moved")
    folder_of(users / "x.cswap").symlink_to(roots)
    with pytest.raises(PermissionError):
        writing.add(EPOCH)
    unchanged(roots)


def test_a_parent_that_is_exchanged_leads_nowhere(users: Path, roots: Path) -> None:
    (users / "below").mkdir()
    os.chown(users / "below", NOBODY.uid, NOBODY.gid)
    writing = Segments(users / "below" / "x.cswap", 4096, {}, NOBODY)
    writing.add(EPOCH)
    writing.close()
    (users / "below").rename(users / "moved")
    (users / "below").symlink_to(roots)
    with pytest.raises((TraceError, OSError)):
        writing.finish({})
    unchanged(roots)


def test_recover_follows_no_link(users: Path, roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_user_of(monkeypatch)
    folder_of(users / "x.cswap").symlink_to(roots)
    with pytest.raises(TraceError, match="there is no unfinished recording"):
        recover(users / "x.cswap")
    unchanged(roots)


def test_ownership_is_handed_over_without_following_links(users: Path, roots: Path) -> None:
    (users / "trace").mkdir()
    (users / "trace" / "link").symlink_to(roots / "secret")
    (users / "trace" / "folder").symlink_to(roots)
    (users / "trace" / "file").touch()
    hand_over(users / "trace", NOBODY)
    assert (users / "trace" / "file").stat().st_uid == NOBODY.uid
    (users / "link").symlink_to(roots)
    hand_over(users / "link", NOBODY)
    unchanged(roots)


def test_where_only_root_can_write_root_writes_and_hands_over(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing = Segments(roots / "x.cswap", 4096, {}, NOBODY)
    writing.add(EPOCH)
    writing.finish({})
    assert {path.stat().st_uid for path in (roots / "x.cswap", *(roots / "x.cswap").iterdir())} == {NOBODY.uid}
    with Keeper(roots, NOBODY).rights():
        (roots / "probe").touch()
    assert (roots / "probe").stat().st_uid == 0


def killed_while(folder: Path, monkeypatch: pytest.MonkeyPatch, *, joined: bool) -> Path:
    """A recording that was killed while its trace was put together, or just before its segments were removed."""
    out = folder / "x.cswap"
    writing = Segments(out, 4096, {"began": "then"})
    writing.add(EPOCH)
    with monkeypatch.context() as patched:
        patched.setattr(segments.shutil, "rmtree", lambda *_, **__: None)
        if joined:
            writing.finish({"began": "then", "ended": "duration"})
        else:
            writing.close()
            (folder / ".x.cswap.1-1.part").mkdir(0o700)
    monkeypatch.setattr(segments, "started", lambda pid: None)
    return out


@pytest.mark.parametrize("joined", [False, True])
def test_killed_while_the_trace_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, joined: bool) -> None:
    out = killed_while(tmp_path, monkeypatch, joined=joined)
    assert recover(out).counts["out"] == 1
    assert ("ended" in open_trace(out).source) == joined, "what was whole is kept"
    assert [path.name for path in tmp_path.iterdir()] == ["x.cswap"]


def test_another_trace_of_that_name_is_not_taken_for_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = killed_while(tmp_path, monkeypatch, joined=True)
    shutil.rmtree(out)
    other = Segments(tmp_path / "y.cswap", 4096, {})
    other.add(EPOCH)
    other.finish({"began": "at another time"})
    (tmp_path / "y.cswap").rename(out)
    with pytest.raises(TraceError, match="exists; remove it or choose another name"):
        recover(out)
    assert folder_of(out).is_dir()


def test_a_recorder_that_was_killed_before_anything_happened_leaves_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.cswap"
    Segments(out, 4096, {})
    with pytest.raises(TraceError, match="holds an unfinished recording"):
        Segments(out, 4096, {})  # it still runs
    with monkeypatch.context() as patched:
        patched.setattr(segments, "started", lambda pid: None)
        Segments(out, 4096, {}).finish({})
    shutil.rmtree(out)
    Segments(out, 4096, {})
    monkeypatch.setattr(segments, "started", lambda pid: None)
    with pytest.raises(TraceError, match="held nothing yet and is removed; record once more"):
        recover(out)
    assert not list(tmp_path.iterdir())


def test_contents_that_no_event_refers_to_are_not_joined(tmp_path: Path) -> None:
    writing = Segments(tmp_path / "x.cswap", 4096, {})
    stray = np.arange(3, dtype=np.uint8)[:, None] * np.ones((3, 4096), np.uint8)
    writing.add(Epoch(Events.of([OUT], [5], [2], [1], [1]), stray))  # as older releases wrote segments
    trace = writing.finish({})
    assert trace.unique_pages == 1
    assert trace.page_array(0, 1)[0, 0] == 2
