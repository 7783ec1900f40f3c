"""Channels in our hands: one command at a time, stops that never hit the next prompt, and knowing what is lost."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from pbx.agi import LOST_AFTER, MAX_QUEUE, STOP_AFTER, AsyncAgi
from pbx.agi_reply import AgiReply, parse_reply
from pbx.errors import EncodeError
from pbx.facts import CommandDone, ControlLost, Fact, MessageEnd, MessageRecorded, OrderFailed
from pbx.orders import Answer, Play, RecordMessage, StartMusic, StopMusic, StopPlay, TakeOver
from tests.fakes.virtual_time import VirtualTime


class Line:
    """The wire to a PBX that says nothing by itself."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, str]] = []
        self.stops: list[str] = []

    def command(self, channel: str, command: str, command_id: str) -> None:
        if "\n" in command:
            raise EncodeError("a control character")
        self.commands.append((command, command_id))

    def stop(self, channel: str) -> None:
        self.stops.append(channel)


class Table:
    """One channel in our hands."""

    def __init__(self) -> None:
        self.line = Line()
        self.time = VirtualTime()
        self.facts: list[Fact] = []
        self.agi = AsyncAgi(self.line, self.facts.append, self.time.after, "t-", "/srv/our messages")
        self.agi.entered("c")

    def reply(self, text: str = "200 result=0\n", command: int = -1) -> None:
        encoded = quote(text, safe="-_.!~*'()").encode()
        self.agi.reply("c", self.line.commands[command][1].encode(), encoded)

    @property
    def sent(self) -> list[str]:
        return [command for command, _ in self.line.commands]


@pytest.fixture
def table() -> Table:
    return Table()


def test_one_command_at_a_time(table: Table) -> None:
    for order in (Answer("c", "a"), StartMusic("c", "default"), StopMusic("c"), Play("c", "p", ("/x", "/y"))):
        table.agi.order(order)
    assert table.sent == ["ANSWER"]
    for _ in range(5):
        table.reply()
    assert table.sent[1:] == [
        'SET MUSIC ON "default"',
        "SET MUSIC OFF",
        'STREAM FILE "/x" "0123456789*#ABCD"',
        'STREAM FILE "/y" "0123456789*#ABCD"',
    ]
    assert table.facts == [CommandDone("c", "a", ok=True), CommandDone("c", "p", ok=True)]


def test_a_key_ends_all_files_of_a_prompt(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x", "/y")))
    table.reply("200 result=53 endpos=800\n")
    assert table.facts == [CommandDone("c", "p", ok=True, interrupted=True)]
    assert len(table.sent) == 1


def test_a_key_between_two_files_stops_the_second_by_our_hand(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.key("c")
    table.agi.order(StopPlay("c"))
    assert table.line.stops == []
    table.time.advance(STOP_AFTER)
    assert table.line.stops == ["c"]
    table.reply("200 result=1000 endpos=80\n")
    assert table.facts == [CommandDone("c", "p", ok=True, interrupted=True)]


def test_a_key_that_stopped_the_prompt_sends_no_stop_later(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.key("c")
    table.reply("200 result=53 endpos=80\n")
    table.agi.order(Play("c", "q", ("/y",)))
    table.time.advance(1.0)
    assert table.line.stops == []


def test_stop_play_stops_once_and_drops_the_rest(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x", "/y"), interruptible=False))
    table.agi.order(Play("c", "q", ("/z",)))
    table.agi.order(StopPlay("c"))
    table.agi.order(StopPlay("c"))
    table.agi.order(Play("c", "r", ("/r",)))
    assert table.line.stops == ["c"]
    table.reply("200 result=1000 endpos=80\n")
    assert table.facts == [
        CommandDone("c", "p", ok=True, interrupted=True),
        CommandDone("c", "q", ok=True, interrupted=True),
    ]
    assert table.sent[1:] == ['STREAM FILE "/r" "0123456789*#ABCD"']


def test_a_prompt_that_ended_as_we_stopped_it_counts_as_interrupted_and_the_stray_stop_hurts_nobody(
    table: Table,
) -> None:
    table.agi.order(Play("c", "p", ("/x",), interruptible=False))
    table.agi.order(StopPlay("c"))
    table.reply("200 result=0 endpos=8000\n")  # it was over before the stop came
    table.agi.order(Play("c", "q", ("/y",)))
    table.reply("200 result=1000 endpos=160\n")  # the stop met this one
    assert table.sent[-1] == 'STREAM FILE "/y" "0123456789*#ABCD" 160'
    table.reply("200 result=0 endpos=8000\n")
    assert table.facts == [CommandDone("c", "p", ok=True, interrupted=True), CommandDone("c", "q", ok=True)]


def test_a_prompt_is_not_played_again_for_ever(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    for _ in range(4):
        table.reply("200 result=1000 endpos=160\n")
    assert table.facts == [CommandDone("c", "p", ok=True, interrupted=True)]


def test_replies_of_others_and_older_ones_are_ignored(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.reply("c", b"other-1", b"200%20result%3D0%0A")
    table.agi.reply("unknown", b"t-1", b"200%20result%3D0%0A")
    table.agi.order(TakeOver("c", "t"))
    assert table.line.stops == ["c"]
    assert table.sent[-1] == "NOOP"
    table.reply("200 result=1000 endpos=8\n", command=0)
    assert table.facts == []
    assert table.agi.stale_replies == 3
    table.reply()
    assert table.facts == [CommandDone("c", "t", ok=True)]


def test_taking_over_an_idle_channel_sends_no_stop(table: Table) -> None:
    table.agi.order(TakeOver("c", "t"))
    assert table.line.stops == []
    table.agi.order(TakeOver("stranger", "u"))
    assert table.line.stops == ["stranger"]


def test_what_is_not_in_our_hands_is_refused(table: Table) -> None:
    for order in (Answer("d", "a"), Play("d", "p", ("/x",)), StopPlay("d"), StartMusic("d", "m")):
        table.agi.order(order)
    assert {fact.reason for fact in table.facts if isinstance(fact, OrderFailed)} == {"not controlled"}
    assert len(table.facts) == 4


def test_a_hang_up_drops_everything_silently(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.order(Play("c", "q", ("/y",)))
    table.reply("200 result=-1 endpos=80\n")
    table.agi.ended("c")
    table.agi.drop("c")
    table.time.advance(60)
    assert table.facts == []
    assert len(table.agi) == 0
    assert table.time.pending() == 0


def test_control_is_lost_when_no_hang_up_follows(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.reply("200 result=-1 endpos=0\n")
    table.agi.order(Play("c", "q", ("/y",)))
    table.agi.ended("c")
    table.time.advance(LOST_AFTER)
    assert table.facts == [
        OrderFailed("c", "Play", "not controlled"),
        CommandDone("c", "p", ok=False),
        ControlLost("c"),
    ]


def test_an_end_that_we_caused_is_no_loss(table: Table) -> None:
    table.agi.leave("c")
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.ended("c")
    table.agi.entered("c")
    table.agi.hanging("c")
    table.agi.ended("c")
    table.time.advance(60)
    assert table.facts == [OrderFailed("c", "Play", "not controlled")]


def test_a_refused_redirect_leaves_the_channel_in_our_hands(table: Table) -> None:
    table.agi.leave("c")
    table.agi.stay("c")
    table.agi.order(Answer("c", "a"))
    table.reply()
    assert table.facts == [CommandDone("c", "a", ok=True)]


def test_coming_back_before_the_loss_was_told_is_no_loss(table: Table) -> None:
    table.agi.ended("c")
    table.agi.entered("c")
    table.time.advance(60)
    assert table.facts == []


def test_a_reply_that_does_not_parse_gives_the_channel_up(table: Table) -> None:
    table.agi.order(Answer("c", "a"))
    table.reply("result=0\n200 result=0\n")
    assert table.facts == [ControlLost("c")]
    assert table.sent[-1] == "ASYNCAGI BREAK"
    assert table.agi.garbled_replies == 1
    table.agi.ended("c")
    table.time.advance(60)
    assert table.facts == [ControlLost("c")]


def test_a_command_that_the_pbx_refuses_is_told_and_the_next_one_runs(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.order(Answer("c", "a"))
    table.agi.refused("c", table.line.commands[0][1], "refused", unknown=False)
    assert table.facts == [OrderFailed("c", "Play", "refused")]
    assert table.sent[-1] == "ANSWER"


def test_a_command_of_unknown_fate_keeps_its_place(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.agi.order(Answer("c", "a"))
    table.agi.refused("c", table.line.commands[0][1], "no answer", unknown=True)
    assert table.facts == [OrderFailed("c", "Play", "no answer", unknown=True)]
    assert len(table.sent) == 1
    table.reply()
    assert table.facts[1:] == [CommandDone("c", "p", ok=True)]


@pytest.mark.parametrize("file", ['/x" "1', "/x\\", "/x\n/y"])
def test_a_file_name_cannot_become_two_words(table: Table, file: str) -> None:
    table.agi.order(Play("c", "p", (file,)))
    assert table.facts == [CommandDone("c", "p", ok=False)]
    assert table.sent == []


def test_a_music_class_cannot_become_two_words(table: Table) -> None:
    table.agi.order(StartMusic("c", 'x" "y'))
    assert table.facts == [OrderFailed("c", "StartMusic", "refused")]


def test_the_queue_of_a_channel_is_bounded(table: Table) -> None:
    for number in range(MAX_QUEUE + 2):
        table.agi.order(Answer("c", str(number)))
    assert table.facts == [OrderFailed("c", "Answer", "too many commands wait")]


def test_unknown_commands_and_dead_channels_are_failures(table: Table) -> None:
    table.agi.order(Play("c", "p", ("/x",)))
    table.reply("510 Invalid or unknown command\n")
    table.agi.order(Answer("c", "a"))
    table.reply("511 Command Not Permitted on a dead channel or intercept routine\n")
    assert table.facts == [CommandDone("c", "p", ok=False), CommandDone("c", "a", ok=False)]


@pytest.mark.parametrize(
    ("order", "command"),
    [
        (RecordMessage("c", "m", "m-1", 120), '"#" 120000 BEEP'),
        (RecordMessage("c", "m", "m-1", 60, silence_s=4, beep=False, end_keys="12"), '"12" 60000 s=4'),
        (RecordMessage("c", "m", "m-1", 1, silence_s=3, end_keys=""), '"" 1000 BEEP s=3'),
    ],
)
def test_a_message_is_recorded_below_its_folder(table: Table, order: RecordMessage, command: str) -> None:
    table.agi.order(order)
    assert table.sent == [f'RECORD FILE "/srv/our messages/m-1" sln {command}']


@pytest.mark.parametrize(
    ("reply", "end", "seconds"),
    [
        ("200 result=35 (dtmf) endpos=24000\n", MessageEnd.KEY, 3.0),
        ("200 result=35 (randomerror) endpos=0\n", MessageEnd.KEY, 0.0),
        ("200 result=-1 (randomerror) endpos=0\n", MessageEnd.FAILED, 0.0),
        ("200 result=13 (timeout) endpos=40000\n", MessageEnd.SILENCE, 5.0),
        ("200 result=0 (timeout) endpos=479000\n", MessageEnd.LIMIT, 59.875),
        ("511 Command Not Permitted on a dead channel or intercept routine\n", MessageEnd.FAILED, 0.0),
    ],
)
def test_how_a_message_ended_and_the_next_command_runs(
    table: Table, reply: str, end: MessageEnd, seconds: float
) -> None:
    table.agi.order(RecordMessage("c", "m", "m-1", 60, silence_s=4))
    table.agi.order(Answer("c", "a"))
    table.reply(reply)
    assert table.facts == [MessageRecorded("c", "m", end, seconds)]
    assert table.sent[1:] == ["ANSWER"]


def test_a_message_without_an_end_by_silence_ended_at_its_limit(table: Table) -> None:
    table.agi.order(RecordMessage("c", "m", "m-1", 60))
    table.reply("200 result=20 (timeout) endpos=8000\n")
    assert table.facts == [MessageRecorded("c", "m", MessageEnd.LIMIT, 1.0)]


def test_a_hang_up_in_a_message_is_told_and_nothing_follows(table: Table) -> None:
    table.agi.order(RecordMessage("c", "m", "m-1", 60))
    table.agi.order(Play("c", "p", ("/x",)))
    table.reply("200 result=-1 (hangup) endpos=16000\n")
    table.agi.ended("c")
    table.agi.drop("c")
    table.time.advance(60)
    assert table.facts == [MessageRecorded("c", "m", MessageEnd.HANGUP, 2.0)]
    assert len(table.sent) == 1


def test_a_file_that_cannot_be_written_ends_our_control(table: Table) -> None:
    table.agi.order(RecordMessage("c", "m", "m-1", 60))
    table.reply("200 result=-1 (writefile)\n")
    table.agi.ended("c")
    table.time.advance(LOST_AFTER)
    assert table.facts == [MessageRecorded("c", "m", MessageEnd.FAILED, 0.0), ControlLost("c")]


@pytest.mark.parametrize(
    ("message", "max_s", "silence_s", "keys"),
    [("../x", 60, 0, "#"), ("m", 0, 0, "#"), ("m", 60, -1, "#"), ("m", 10**6, 0, "#"), ("m", 60, 0, '#" x')],
)
def test_a_message_that_must_not_be_sent(table: Table, message: str, max_s: int, silence_s: int, keys: str) -> None:
    table.agi.order(RecordMessage("c", "m", message, max_s, silence_s, end_keys=keys))
    table.agi.order(Answer("c", "a"))
    assert table.facts == [MessageRecorded("c", "m", MessageEnd.FAILED, 0.0)]
    assert table.sent == ["ANSWER"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"200%20result%3D0%0A", AgiReply(200)),
        (b"200%20result%3D-1%20endpos%3D0%0A", AgiReply(200, -1, 0)),
        (b"200%20result%3D1000%20endpos%3D160%0A", AgiReply(200, 1000, 160)),
        (b"200%20result%3D1%20%28text%29%0A", AgiReply(200, 1, 0, "text")),
        (b"200%20result%3D17%20%28timeout%29%20endpos%3D800%0A", AgiReply(200, 17, 800, "timeout")),
        (b"510%20Invalid%20or%20unknown%20command%0A", AgiReply(510)),
        (b"520-Invalid%20command%20syntax.%0A", None),
        (b"200%20result%3D0", None),
        (b"200%20result%3D0%0A200%20result%3D0%0A", None),
        (b"200%20result%3Dx%0A", None),
        (b"200%0A", None),
        (b"", None),
        (b"%0A", None),
    ],
)
def test_replies(text: bytes, expected: AgiReply | None) -> None:
    assert parse_reply(text) == expected
