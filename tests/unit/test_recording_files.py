"""Raw files become FLAC files: whole, private, left the caller, right the agent, silent where they must be."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cordboard.recording import RATE
from cordboard.recording_files import MARGIN_S, NothingWrittenError, RecordingFiles

STARTED = 1_700_000_000.0


@pytest.fixture
def files(tmp_path: Path) -> RecordingFiles:
    made = RecordingFiles(tmp_path / "recordings")
    made.prepare()
    return made


def sides(seconds: float) -> np.ndarray:
    """The caller counts up, the agent down: every sample says whose and when it is."""
    count = round(seconds * RATE)
    up = (np.arange(count) % 30_000 + 1).astype("<i2")
    return np.stack([up, -up], axis=1)


def read(files: RecordingFiles, path: str) -> np.ndarray:
    sound, rate = soundfile.read(files.root / path, dtype="int16")
    assert rate == RATE
    return np.asarray(sound)


def test_both_sides_come_out_as_they_went_in(files: RecordingFiles) -> None:
    sound = sides(25.5)
    files.raw("c-1").write_bytes(sound.tobytes())
    done = files.finish("c-1", STARTED, [])
    assert np.array_equal(read(files, done.path), sound)
    assert done.seconds == 25.5
    target = files.root / done.path
    assert done.path == "calls/2023-11-14/c-1.flac"
    assert done.size == target.stat().st_size < len(sound) * 4
    assert done.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert files.raw("c-1").exists(), "it stays until the finished one is on record"


def test_nobody_else_can_read_them(files: RecordingFiles) -> None:
    files.raw("c-1").write_bytes(sides(0.1).tobytes())
    target = files.root / files.finish("c-1", STARTED, []).path
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700


def test_half_a_frame_at_the_end_is_left_out(files: RecordingFiles) -> None:
    files.raw("c-1").write_bytes(sides(1).tobytes() + b"\x01\x02\x03")
    assert files.finish("c-1", STARTED, []).seconds == 1.0


def test_cuts_are_silent_with_a_margin_and_the_time_is_kept(files: RecordingFiles) -> None:
    sound = sides(30)
    files.raw("c-1").write_bytes(sound.tobytes())
    done = files.finish("c-1", STARTED, [(8.0, 12.0), (28.0, None)])
    heard = read(files, done.path)
    assert done.seconds == 30
    silent = np.all(heard == 0, axis=1)
    edges = np.flatnonzero(np.diff(silent.astype(int))) + 1
    assert [edge / RATE for edge in edges] == [8 - MARGIN_S, 12 + MARGIN_S, 28 - MARGIN_S]
    assert np.array_equal(heard[~silent], sound[~silent])


@pytest.mark.parametrize(("content", "reason"), [(None, "no file"), (b"", "nothing"), (b"\0\0\0", "nothing")])
def test_nothing_written_is_told_and_leaves_nothing(files: RecordingFiles, content: bytes | None, reason: str) -> None:
    if content is not None:
        files.raw("c-1").write_bytes(content)
    with pytest.raises(NothingWrittenError, match=reason):
        files.finish("c-1", STARTED, [])
    assert list(files.folder.rglob("*.flac")) == []
    assert list(files.folder.rglob("*.new")) == []


def test_finishing_twice_gives_the_same(files: RecordingFiles) -> None:
    files.raw("c-1").write_bytes(sides(2).tobytes())
    assert files.finish("c-1", STARTED, []) == files.finish("c-1", STARTED, [])


def test_a_folder_that_is_gone_is_made_again_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    assert files.trouble(0) == ""
    files.folder.rmdir()
    assert files.trouble(0) == ""
    files.folder.rmdir()
    files.folder.write_text("a file")
    assert "cannot be used" in files.trouble(0)


def test_a_full_disk_is_told_before_it_is_full(files: RecordingFiles) -> None:
    assert files.trouble(1) == ""
    space = os.statvfs(files.folder)
    assert "MB of disk are free" in files.trouble(space.f_blocks * space.f_frsize + 1)


@pytest.mark.parametrize("path", ["../x.flac", "/etc/passwd", "calls/../../x", "prompts/en/x.wav"])
def test_a_path_that_leads_elsewhere_is_refused(files: RecordingFiles, path: str) -> None:
    with pytest.raises(PermissionError):
        files.finished(path)
    with pytest.raises(PermissionError):
        files.delete("c-1", path)


def test_deleting_leaves_no_trace(files: RecordingFiles) -> None:
    files.raw("c-1").write_bytes(sides(1).tobytes())
    done = files.finish("c-1", STARTED, [])
    files.delete("c-1", done.path)
    files.delete("c-1", done.path)
    assert [path for path in files.folder.rglob("*") if path.is_file()] == []


def test_how_long_nobody_has_written(files: RecordingFiles) -> None:
    assert files.quiet_for("c-1") is None
    files.raw("c-1").write_bytes(b"1234")
    assert 0 <= (files.quiet_for("c-1") or 0) < 5
    os.utime(files.raw("c-1"), (1, 1))
    assert (files.quiet_for("c-1") or 0) > 1e6
    assert files.raws() == ["c-1"]
