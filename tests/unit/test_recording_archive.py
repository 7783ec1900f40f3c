"""The archive: nothing the PBX wrote is lost, trouble raises an alarm, old recordings go."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cordboard import recording_archive
from cordboard.recording import RATE, Recording, RecordingState, Silence
from cordboard.recording_archive import NotDeletable, RecordingArchive
from cordboard.recording_files import RecordingFiles
from tests.fakes.recordings import MemoryStore

NOW = 1_700_000_000.0
DAY = 86_400.0


class World:
    """An archive at work on a real folder."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = NOW
        self.files = RecordingFiles(folder)
        self.store = MemoryStore()
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.running: list[Recording] = []
        self.archive = RecordingArchive(
            self.files,
            self.store,
            clock=lambda: self.now,
            note=self._note,
            running=lambda: self.running,
            who=self._who,
            keep_days=settings.get("keep_days"),
            min_free_bytes=settings.get("min_free_bytes", 0),
            quiet_s=0.05,
        )

    def _note(self, kind: str, *, data: dict[str, Any] | None = None, **_columns: Any) -> None:
        self.notes.append((kind, data or {}))

    async def _who(self, call_id: str) -> tuple[str, str]:
        return "1001", "sales"

    def write(self, name: str, seconds: float = 2.0, *, quiet: bool = True) -> None:
        sound = np.full((round(seconds * RATE), 2), 99, dtype="<i2")
        self.files.prepare()
        self.files.raw(name).write_bytes(sound.tobytes())
        if quiet:
            os.utime(self.files.raw(name), (NOW, NOW))

    def state(self, name: str = "c-1") -> str:
        row = self.store.rows.get(name)
        return row.state.value if row is not None else ""


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what happens on another thread tells nobody
            await asyncio.sleep(0.005)


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    made = World(tmp_path, **getattr(request, "param", {}))
    await made.archive.prepare()
    work = asyncio.create_task(made.archive.run())
    yield made
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


def talk(name: str = "c-1", seconds: float | None = 2.0, **more: Any) -> Recording:
    ended_at = NOW + seconds if seconds is not None else None
    return Recording(name, "c", "1001", "sales", NOW, ended_at, state=RecordingState.FINISHING, **more)


async def test_a_raw_file_becomes_a_finished_one_on_record_and_goes(world: World) -> None:
    world.write("c-1")
    world.archive.finish(talk())
    await until(lambda: world.notes)
    row = world.store.rows["c-1"]
    assert (row.state, row.seconds, row.reason) == (RecordingState.READY, 2.0, "")
    assert world.files.finished(row.path).stat().st_size == row.size
    assert not world.files.raw("c-1").exists()
    assert world.notes == [("recording.ready", {"recording": "c-1", "seconds": 2.0, "size": row.size})]


async def test_what_is_still_written_is_waited_for(world: World) -> None:
    world.write("c-1", 1.0)
    ahead = 4_000_000_000  # it looks as if it were being written all the time
    os.utime(world.files.raw("c-1"), (ahead, ahead))
    world.archive.finish(talk())
    await asyncio.sleep(0.2)
    assert world.store.rows == {}
    world.write("c-1", 2.0)
    await until(lambda: world.state() == "ready")
    assert world.store.rows["c-1"].seconds == 2.0


async def test_while_the_database_is_away_the_raw_file_stays(world: World) -> None:
    world.store.away = True
    world.write("c-1")
    world.archive.finish(talk())
    await until(lambda: list(world.files.folder.rglob("*.flac")))
    assert world.files.raw("c-1").exists()
    world.store.away = False
    await until(lambda: not world.files.raw("c-1").exists())
    assert world.state() == "ready"


@pytest.mark.parametrize("content", [None, b""])
async def test_without_sound_it_has_failed_and_says_why(world: World, content: bytes | None) -> None:
    if content is not None:
        world.write("c-1", 0)
    world.archive.finish(talk())
    await until(lambda: world.notes)
    assert world.state() == "failed"
    assert world.store.rows["c-1"].reason in {"the PBX wrote no file", "the PBX wrote nothing"}
    assert world.archive.counts.failed == 1
    assert world.notes[0][0] == "recording.failed"


async def test_a_file_shorter_than_its_talk_is_kept_and_counted(world: World) -> None:
    world.write("c-1", 12.0)
    world.archive.finish(talk(seconds=60.0))
    await until(lambda: world.state() == "ready")
    assert world.store.rows["c-1"].reason == "only 12 of 60 s were written"
    assert world.archive.counts.incomplete == 1


async def test_of_a_talk_that_ended_unseen_the_file_tells_the_length(world: World) -> None:
    world.write("c-1", 12.0)
    world.archive.finish(talk(seconds=None, silences=[Silence(4.0, None, "pause", kept=True)]))
    await until(lambda: world.state() == "ready")
    row = world.store.rows["c-1"]
    assert (row.ended_at, row.reason) == (NOW + 12, "")
    assert row.silences == [Silence(4.0, 12.0, "pause")]


async def test_a_silence_that_the_pbx_did_not_make_is_cut(world: World) -> None:
    import soundfile

    world.write("c-1", 6.0)
    silences = [Silence(1.0, 2.0, "hold"), Silence(3.0, 4.0, "secure", kept=False)]
    world.archive.finish(talk(seconds=6.0, silences=silences))
    await until(lambda: world.state() == "ready")
    sound, _ = soundfile.read(world.files.finished(world.store.rows["c-1"].path), dtype="int16")
    assert sound[round(1.5 * RATE)].tolist() == [99, 99]
    assert sound[round(3.5 * RATE)].tolist() == [0, 0]


async def test_files_that_nobody_knows_are_put_on_record_and_finished(world: World) -> None:
    world.write("node-1.5-1699999990000", 3.0)
    world.write("known-1699999990000")
    world.write("now-1699999990000")
    (world.files.folder / "notes.raw").write_text("not ours")
    world.store.rows["known-1699999990000"] = talk("known-1699999990000")
    world.store.rows["known-1699999990000"].state = RecordingState.READY
    world.running = [talk("now-1699999990000")]
    world.archive.linked()
    await until(lambda: world.state("node-1.5-1699999990000") == "ready")
    row = world.store.rows["node-1.5-1699999990000"]
    assert (row.call_id, row.agent, row.queue) == ("node-1.5", "1001", "sales")
    assert (row.started_at, row.seconds) == (1_699_999_990.0, 3.0)
    await until(lambda: not world.files.raw("known-1699999990000").exists())
    assert world.files.raw("now-1699999990000").exists()
    assert world.files.raw("notes").exists()


@pytest.mark.parametrize("world", [{"keep_days": 30}], indirect=True)
async def test_old_recordings_are_deleted_and_their_rows_say_so(world: World) -> None:
    for name, age in (("old", 31), ("young", 29)):
        world.write(name)
        row = talk(name)
        row.started_at = NOW - age * DAY
        row.ended_at = row.started_at + 2
        world.archive.finish(row)
    await until(lambda: world.state("old") == "ready" and world.state("young") == "ready")
    await world.archive._delete_old(NOW - 30 * DAY)
    assert (world.state("old"), world.state("young")) == ("deleted", "ready")
    assert world.store.rows["old"].reason == "retention"
    assert [path.stem for path in world.files.folder.rglob("*.flac")] == ["young"]
    assert world.notes[-1] == ("recording.deleted", {"recording": "old", "reason": "retention"})


async def test_retention_runs_by_itself(tmp_path: Path) -> None:
    world = World(tmp_path, keep_days=1)
    row = talk()
    row.started_at, row.state = NOW - 2 * DAY, RecordingState.READY
    world.store.rows["c-1"] = row
    work = asyncio.create_task(world.archive.run())
    await until(lambda: world.state() == "deleted")
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_only_what_is_finished_can_be_deleted(world: World) -> None:
    with pytest.raises(NotDeletable, match="finishing"):
        await world.archive.delete(talk(), "request")


@pytest.mark.parametrize("world", [{"min_free_bytes": 1 << 60}], indirect=True)
async def test_a_full_disk_raises_the_alarm_and_refuses(world: World) -> None:
    assert "MB of disk are free" in world.archive.refusal()
    assert world.archive.counts.trouble == world.archive.refusal()


async def test_a_recording_that_is_not_on_disk_raises_the_alarm_until_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.running = [talk()]
    world.now = NOW + recording_archive.EXPECTED_AFTER_S + 1
    await world.archive._look_at_disk()
    assert world.archive.counts.trouble == "the PBX does not write recordings"
    assert world.archive.refusal() == ""
    world.write("c-1")
    await world.archive._look_at_disk()
    assert world.archive.counts.trouble == ""


async def test_the_last_rows_are_written_at_the_end(tmp_path: Path) -> None:
    world = World(tmp_path)
    row = talk()
    world.archive.save(row)
    row.agent = "changed afterwards"
    assert world.archive.unsaved("c-1") == talk()
    await world.archive.close()
    assert world.store.rows["c-1"].agent == "1001"
    world.store.away = True
    world.archive.save(row)
    await world.archive.close()


async def test_a_fault_while_finishing_stops_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = RecordingFiles.finish

    def faulty(self: RecordingFiles, recording: str, *rest: Any) -> Any:
        if recording == "c-1":
            raise ZeroDivisionError
        return finish(self, recording, *rest)

    monkeypatch.setattr(RecordingFiles, "finish", faulty)
    world.write("c-1")
    world.write("c-2")
    world.archive.finish(talk("c-1"))
    world.archive.finish(talk("c-2"))
    await until(lambda: world.state("c-2") == "ready")
    await until(lambda: world.archive.counts.failed == 1)
    assert world.files.raw("c-1").exists()
