"""Which talk is recorded when, and when it is silent."""

from __future__ import annotations

from typing import Any

import pytest

from cordboard.events import Event
from cordboard.journal import Journal
from cordboard.recorder import NoTalk, Recorder, RecordingRefused, TalkNow
from cordboard.recording import Recording, RecordingState, RecordMode, RecordRule, Silence, draw, from_name, name_of
from pbx.facts import ChannelSeen, OrderFailed, Place, Snapshot
from pbx.orders import MuteRecording, Order, StartRecording, StopRecording, UnmuteRecording
from tests.fakes.recordings import KeepingArchive
from tests.fakes.storage import KeepingWriter
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

CALL = "node-1700000000.7"
RULES = {
    "sales": RecordRule(RecordMode.ALWAYS),
    "support": RecordRule(RecordMode.ON_DEMAND),
    "private": RecordRule(),
    "some": RecordRule(RecordMode.ALWAYS, 0.3),
}


class World:
    """A recorder between a journal and a PBX in which the caller's channel exists."""

    def __init__(self) -> None:
        self.time = VirtualTime()
        self.writer = KeepingWriter()
        self.journal = Journal(self.time.now, self.writer)
        self.switch = FakeSwitch(self.time, self._fact)
        self.archive = KeepingArchive()
        self.recorder = self.another()
        self.journal.listen(self._noted)
        self.switch.call(CALL)

    def another(self) -> Recorder:
        """The recorder of a process that begins now."""
        self.recorder = Recorder(
            RULES, switch=self.switch, clock=self.time.now, note=self.journal.note, archive=self.archive
        )
        return self.recorder

    def _noted(self, event: Event) -> None:
        self.recorder.noted(event)

    def _fact(self, fact: Any) -> None:
        if isinstance(fact, OrderFailed):
            self.recorder.order_failed(fact)

    def talk(self, queue: str = "sales", agent: str = "1001", call: str = CALL) -> None:
        self.note("talk.started", queue=queue, agent=agent, call=call)

    def note(self, kind: str, queue: str = "sales", agent: str = "1001", call: str = CALL, **data: Any) -> None:
        self.journal.note(kind, call_id=call, queue=queue, agent=agent, data=data)
        self.time.settle()

    def command(self, command: str, by: str = "") -> None:
        self.recorder.command(CALL, command, by)
        self.time.settle()

    @property
    def orders(self) -> list[Order]:
        return self.switch.orders

    @property
    def part(self) -> Recording:
        (part,) = self.recorder.running()
        return part

    def kinds(self, prefix: str = "recording.") -> list[str]:
        return [event.kind.removeprefix(prefix) for event in self.writer.events if event.kind.startswith(prefix)]

    def last(self) -> Event:
        return self.writer.events[-1]

    def silences(self, number: int = -1) -> list[tuple[float, float | None, str]]:
        return [(one.start, one.end, one.why) for one in self.archive.finished[number].silences]

    def snapshot(self, recording: str = "", channel: str = CALL) -> Snapshot:
        seen = ChannelSeen(
            channel, "PJSIP/t-1", "t", Place.TALK, True, False, "b", "", "", "100", "en", "", recording=recording
        )
        return Snapshot((seen,))


@pytest.fixture
def world() -> World:
    return World()


def test_a_talk_of_a_queue_that_always_records_is_one_file_from_start_to_end(world: World) -> None:
    world.talk()
    name = world.part.recording
    assert world.orders == [StartRecording(CALL, name)]
    assert from_name(name) == Recording(name, CALL, "", "", round(world.time.now(), 3), state=RecordingState.FINISHING)
    world.time.advance(60)
    world.note("talk.ended")
    assert world.orders == [StartRecording(CALL, name), StopRecording(CALL, name)]
    (done,) = world.archive.finished
    assert (done.call_id, done.agent, done.queue) == (CALL, "1001", "sales")
    assert done.ended_at == done.started_at + 60
    assert done.state is RecordingState.FINISHING
    assert world.recorder.running() == []
    assert world.kinds() == ["started", "stopped"]


@pytest.mark.parametrize("queue", ["support", "private", "unknown"])
def test_other_queues_begin_nothing_by_themselves(world: World, queue: str) -> None:
    world.talk(queue)
    assert world.orders == []
    assert world.kinds() == []


def test_a_share_is_drawn_by_the_call_and_the_choice_can_be_explained(world: World) -> None:
    calls = [f"node-1700000000.{number}" for number in range(2000)]
    for call in calls:
        world.switch.call(call)
        world.talk("some", call=call)
    chosen = {part.call_id for part in world.recorder.running()}
    assert chosen == {call for call in calls if draw(call) < 0.3}
    assert 0.25 < len(chosen) / len(calls) < 0.35
    skipped = {event.call_id: event.data for event in world.writer.events if event.kind == "recording.skipped"}
    assert skipped.keys() == set(calls) - chosen
    assert all(data == {"share": 0.3, "lot": round(draw(call or ""), 6)} for call, data in skipped.items())


def test_on_demand_it_starts_and_stops_and_starts_again_as_another_file(world: World) -> None:
    world.talk("support")
    world.command("start", "1001")
    first = world.part.recording
    assert world.last().data == {"recording": first, "by": "1001"}
    world.command("stop")
    world.command("start")
    assert world.part.recording != first
    assert [one.recording for one in world.archive.finished] == [first]


@pytest.mark.parametrize(
    ("queue", "before", "command", "words"),
    [
        ("private", [], "start", "'never'"),
        ("sales", [], "start", "already"),
        ("sales", [], "stop", "by rule"),
        ("support", [], "stop", "not being recorded"),
        ("support", [], "pause", "not being recorded"),
        ("support", ["start"], "resume", "not paused"),
        ("support", ["start", "pause"], "pause", "paused already"),
        ("support", [], "rewind", "start, stop, pause, resume"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    world: World, queue: str, before: list[str], command: str, words: str
) -> None:
    world.talk(queue)
    for one in before:
        world.command(one)
    orders = list(world.orders)
    with pytest.raises(RecordingRefused, match=words.strip("'")):
        world.command(command)
    assert world.orders == orders


def test_outside_of_a_talk_there_is_nothing_to_record(world: World) -> None:
    with pytest.raises(NoTalk):
        world.command("start")
    world.talk()
    world.note("talk.ended")
    with pytest.raises(NoTalk):
        world.command("pause")


def test_the_one_key_starts_then_pauses_and_goes_on_in_turn(world: World) -> None:
    world.talk("support")
    states = []
    for _ in range(4):
        world.recorder.press(CALL)
        states.append(world.recorder.state(CALL))
    assert states == ["recording", "paused", "recording", "paused"]
    assert next(event.data["by"] for event in world.writer.events if event.kind == "recording.started") == "1001"
    with pytest.raises(NoTalk):
        world.recorder.press("nobody")


def test_silence_while_there_is_any_reason(world: World) -> None:
    world.talk()
    name = world.part.recording
    world.time.advance(10)
    world.command("pause")
    world.time.advance(5)
    world.note("talk.held")
    world.time.advance(5)
    world.command("resume")
    assert world.recorder.state(CALL) == "paused"
    world.time.advance(5)
    world.note("talk.resumed")
    assert world.recorder.state(CALL) == "recording"
    world.time.advance(5)
    world.recorder.secure(CALL, True)
    world.time.advance(2)
    world.note("talk.ended")
    assert world.orders == [
        StartRecording(CALL, name),
        MuteRecording(CALL, name),
        UnmuteRecording(CALL, name),
        MuteRecording(CALL, name),
        StopRecording(CALL, name),
    ]
    assert world.silences() == [(10, 20, "pause"), (20, 25, "hold"), (30, 32, "secure")]
    assert world.kinds() == ["started", "paused", "paused", "resumed", "resumed", "paused", "stopped"]


def test_nothing_begins_while_a_secure_step_runs(world: World) -> None:
    world.recorder.secure(CALL, True)
    world.talk()
    assert world.orders == []
    world.recorder.secure(CALL, False)
    assert world.orders == [StartRecording(CALL, world.part.recording)]


def test_wanted_during_a_hold_it_begins_afterwards(world: World) -> None:
    world.talk("support")
    world.note("talk.held")
    world.command("start", "1001")
    assert world.orders == []
    with pytest.raises(RecordingRefused, match="already"):
        world.command("start")
    world.note("talk.resumed")
    assert world.orders == [StartRecording(CALL, world.part.recording)]
    assert world.last().data["by"] == "1001"


def test_a_wish_during_a_hold_can_be_taken_back(world: World) -> None:
    world.talk("support")
    world.note("talk.held")
    world.command("start")
    world.command("stop")
    world.note("talk.resumed")
    assert world.orders == []


def test_a_talk_that_goes_to_another_agent_gets_a_file_of_its_own(world: World) -> None:
    world.talk()
    world.note("talk.held")
    world.time.advance(3)
    world.note("talk.ended")
    world.talk(agent="1002")
    world.note("call.ended")
    assert [(one.agent, one.ended_at is not None) for one in world.archive.finished] == [
        ("1001", True),
        ("1002", True),
    ]
    assert world.archive.finished[1].silences == []


def test_a_talk_that_starts_again_without_an_end_in_between(world: World) -> None:
    world.talk(agent="1001")
    world.talk(agent="1002")
    assert [one.agent for one in world.archive.finished] == ["1001"]
    assert world.part.agent == "1002"


def test_trouble_with_the_disk_is_told_and_the_talk_goes_on(world: World) -> None:
    world.archive.trouble = "only 3 MB of disk are free"
    world.talk()
    assert world.orders == []
    assert world.last().kind == "recording.failed"
    (row,) = world.archive.rows.values()
    assert (row.state, row.reason) == (RecordingState.FAILED, "only 3 MB of disk are free")
    world.talk("support")
    with pytest.raises(RecordingRefused, match="3 MB"):
        world.command("start")
    world.archive.trouble = ""
    world.command("start")
    assert world.recorder.state(CALL) == "recording"


def test_whoever_could_not_be_told_is_not_recorded(world: World) -> None:
    world.recorder.forbid(CALL)
    world.talk()
    assert world.orders == []
    assert world.last().data["reason"] == "the caller was not told"
    world.talk("support")
    with pytest.raises(RecordingRefused, match="not told"):
        world.command("start")


def test_a_refused_start_is_a_failed_recording(world: World) -> None:
    world.switch.channels.clear()
    world.talk()
    assert world.recorder.running() == []
    assert world.archive.rows.popitem()[1].reason == "no such channel"
    assert world.kinds() == ["started", "failed"]


def test_when_the_link_is_down_it_begins_as_soon_as_it_is_back(world: World) -> None:
    world.switch.up = False
    world.talk("support")
    world.command("start", "1001")
    assert world.recorder.running() == []
    world.switch.up = True
    world.recorder.linked(world.snapshot(), [TalkNow(CALL, "1001", "support")])
    assert world.orders[-1] == StartRecording(CALL, world.part.recording)
    assert world.last().data["by"] == "1001"


def test_a_silence_that_the_pbx_did_not_make_is_cut_later(world: World) -> None:
    world.talk()
    name = world.part.recording
    world.time.advance(4)
    world.switch.up = False
    world.command("pause")
    world.switch.up = True
    world.recorder.linked(world.snapshot(name), [TalkNow(CALL, "1001", "sales")])
    assert world.orders[-1] == MuteRecording(CALL, name)
    world.time.advance(4)
    world.command("resume")
    world.note("talk.ended")
    assert world.archive.finished[0].silences == [Silence(4, 8, "pause", kept=False)]


def test_a_recording_that_ended_unseen_is_finished_and_by_rule_another_one_begins(world: World) -> None:
    world.talk()
    first = world.part.recording
    world.recorder.linked(world.snapshot(), [TalkNow(CALL, "1001", "sales")])
    assert [one.recording for one in world.archive.finished] == [first]
    assert world.part.recording != first
    world.time.advance(60)
    world.recorder.looked(world.snapshot())
    assert len(world.archive.finished) == 2


def test_a_look_that_is_older_than_the_start_says_nothing(world: World) -> None:
    world.talk()
    world.recorder.looked(world.snapshot())
    assert world.archive.finished == []


def test_what_nobody_wants_recorded_is_stopped(world: World) -> None:
    world.switch.channels[CALL].recording = "stray-1"
    world.recorder.looked(world.snapshot("stray-1"))
    assert world.orders == [StopRecording(CALL, "stray-1")]


def restarted(world: World, *, row: bool = True) -> Recording:
    """The service is killed in the midst of a recorded talk; the next one begins."""
    world.talk()
    part = world.part
    world.time.advance(30)
    world.another()
    if row:
        world.recorder.left([world.archive.rows[part.recording]])
    return part


def test_after_a_restart_the_recording_goes_on(world: World) -> None:
    part = restarted(world)
    world.recorder.linked(world.snapshot(part.recording), [TalkNow(CALL, "1001", "sales")])
    assert world.archive.finished == []
    assert world.orders == [StartRecording(CALL, part.recording), UnmuteRecording(CALL, part.recording)]
    world.time.advance(10)
    world.note("talk.ended")
    (done,) = world.archive.finished
    assert (done.recording, done.ended_at) == (part.recording, part.started_at + 40)


def test_after_a_restart_it_goes_on_even_if_nothing_of_it_was_on_record(world: World) -> None:
    part = restarted(world, row=False)
    world.recorder.linked(world.snapshot(part.recording), [TalkNow(CALL, "1001", "sales")])
    assert world.part == Recording(part.recording, CALL, "1001", "sales", round(part.started_at, 3))


def test_after_a_restart_a_pause_is_still_one_and_a_hold_as_the_talk_says(world: World) -> None:
    world.talk()
    part = world.part
    world.command("pause")
    world.another()
    world.recorder.left([world.archive.rows[part.recording]])
    world.recorder.linked(world.snapshot(part.recording), [TalkNow(CALL, "1001", "sales", held=True)])
    assert world.orders[-1] == MuteRecording(CALL, part.recording)
    world.note("talk.resumed")
    assert world.recorder.state(CALL) == "paused"
    world.command("resume")
    assert world.recorder.state(CALL) == "recording"


def test_what_ended_while_nobody_was_there_is_finished_as_the_file_tells(world: World) -> None:
    part = restarted(world)
    world.recorder.linked(Snapshot(()), [])
    (done,) = world.archive.finished
    assert (done.recording, done.ended_at) == (part.recording, None)
    assert world.last().data["reason"] == "lost"


def test_a_talk_whose_agent_is_not_known_any_more_is_stopped_and_finished(world: World) -> None:
    part = restarted(world)
    world.recorder.linked(world.snapshot(part.recording), [])
    assert world.orders[-1] == StopRecording(CALL, part.recording)
    assert [one.recording for one in world.archive.finished] == [part.recording]


def test_what_was_being_finished_goes_on_at_once(world: World) -> None:
    row = Recording("c-1", "c", "1001", "sales", 1.0, state=RecordingState.FINISHING)
    world.recorder.left([row])
    assert world.archive.finished == [row]
    world.recorder.linked(Snapshot(()), [])
    assert len(world.archive.finished) == 1


@pytest.mark.parametrize("name", ["", "x", "-5", "call-", "call-x", "call-12345678901234567"])
def test_names_that_are_no_recordings(name: str) -> None:
    assert from_name(name) is None


def test_a_name_says_call_and_time_and_can_be_a_file() -> None:
    assert name_of("node-1.2", 1_700_000_000_123) == "node-1.2-1700000000123"
    assert name_of("../a b:c@d", 5) == "a_b_c_d-5"
