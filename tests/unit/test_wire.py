"""The codec: however the bytes are cut, the same messages; whatever goes in, one action comes out."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.errors import EncodeError
from pbx.wire import MAX_LINE, Message, Reader, encode_action

GREETING = b"Asterisk Call Manager/11.0.0\r\n"

# Values as Asterisk writes them: anything but a line end. CR and LF alone do occur.
values = st.binary(max_size=40).filter(lambda value: b"\r\n" not in value and not value.endswith(b"\r"))
names = st.sampled_from([b"Event", b"Uniqueid", b"ChanVariable", b"CallerIDName", b"X-Odd"])
headers = st.lists(st.tuples(names, values), min_size=1, max_size=6)
text = st.text(max_size=60)


def as_bytes(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"\r\n".join(name + b": " + value for name, value in pairs)


def read(stream: bytes, cuts: list[int], limit: int = 10_000) -> tuple[list[bytes], int]:
    reader = Reader(limit)
    raws: list[bytes] = []
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in itertools.pairwise(edges):
        raws += [message.raw for message in reader.feed(stream[start:end])]
    return raws, reader.oversize


@pytest.mark.parametrize(
    ("name", "header"), [("MixMonitor", "Command"), ("mixmonitor", "command"), ("MIXMONITOR", "COMMAND")]
)
def test_a_recording_can_never_run_a_program(name: str, header: str) -> None:
    assert encode_action(name, (("Channel", "c"), ("File", "/x.raw")), "1")
    with pytest.raises(EncodeError, match="program"):
        encode_action(name, (("Channel", "c"), ("File", "/x.raw"), (header, "")), "1")


@given(st.lists(headers, max_size=8), st.lists(st.integers(0, 10_000), max_size=20))
def test_any_split_gives_the_same_messages(messages: list[list[tuple[bytes, bytes]]], cuts: list[int]) -> None:
    stream = GREETING + b"".join(as_bytes(one) + b"\r\n\r\n" for one in messages)
    assert read(stream, cuts) == ([as_bytes(one) for one in messages], 0)


@given(st.lists(st.integers(0, 120), max_size=8), st.lists(st.integers(0, 10_000), max_size=20))
def test_any_split_skips_and_counts_the_same_oversize_messages(sizes: list[int], cuts: list[int]) -> None:
    limit = 60
    bodies = [b"A: " + b"x" * size for size in sizes]
    stream = GREETING + b"".join(body + b"\r\n\r\n" for body in bodies)
    fitting = [body for body in bodies if len(body) <= limit]
    assert read(stream, cuts, limit) == (fitting, len(bodies) - len(fitting))


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=6))
def test_no_bytes_break_the_reader(junk: bytes, cuts: list[int]) -> None:
    whole = read(GREETING + junk, [])
    assert read(GREETING + junk, cuts) == whole
    for raw in whole[0]:
        message = Message(raw)
        assert isinstance(message.text(b"Uniqueid"), str)
        assert message.all(b"chanvariable") is not None
        assert message.kind is not None
        assert message.name is not None


def test_memory_stays_bounded_while_a_message_never_ends() -> None:
    reader = Reader(1000)
    reader.feed(GREETING)
    for _ in range(1000):
        assert reader.feed(b"y" * 1000) == []
    assert len(reader._rest) <= 1003
    assert [message.raw for message in reader.feed(b"\r\n\r\nEvent: A\r\n\r\n")] == [b"Event: A"]
    assert reader.oversize == 1


def test_a_greeting_that_never_ends_is_no_greeting() -> None:
    reader = Reader()
    assert reader.feed(b"z" * 5000) == []
    assert reader.greeting == b""


def test_the_greeting_is_kept() -> None:
    reader = Reader()
    reader.feed(GREETING[:10])
    assert reader.greeting is None
    reader.feed(GREETING[10:])
    assert reader.greeting == GREETING.strip()


def test_headers_match_in_any_case_and_keep_every_value() -> None:
    message = Message(b"Event: AsyncAGIExec\r\nCommandId: 7\r\nChanVariable: a=1\r\nChanVariable: b=2")
    assert (message.kind, message.name) == (b"Event", b"AsyncAGIExec")
    assert message.get(b"CommandID") == b"7"
    assert message.exact(b"CommandID") == b""
    assert message.exact(b"CommandId") == b"7"
    assert message.all(b"chanvariable") == [b"a=1", b"b=2"]
    assert message.get(b"None", b"-") == b"-"
    assert message.get(b"event") == b"AsyncAGIExec"


def test_a_value_cannot_pose_as_a_header() -> None:
    message = Message(
        "Event: X\r\nCallerIDName: a\u2028Uniqueid: forged\x85Uniqueid: forged\nUniqueid: forged".encode()
    )
    assert message.get(b"Uniqueid") == b""
    assert "forged" in message.text(b"CallerIDName")


def test_odd_bytes_are_replaced() -> None:
    assert Message(b"Event: X\r\nCallerIDName: \xff\xfe").text(b"CallerIDName") == "\ufffd\ufffd"


def test_a_message_does_not_show_its_values() -> None:
    assert "secret" not in repr(Message(b"Event: X\r\nCallerIDNum: secret"))


@given(st.lists(st.tuples(text, text), max_size=5), text)
def test_injection_is_impossible(pairs: list[tuple[str, str]], name: str) -> None:
    """Either refused, or exactly the lines asked for, in one message, for a reader that ends lines as Asterisk does."""
    try:
        data = encode_action(name, pairs, "id-1")
    except EncodeError:
        return
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\r\n\r\n") == 1
    assert data.count(b"\n") == data.count(b"\r") == len(pairs) + 3
    assert b"\0" not in data
    reader = Reader()
    (message,) = reader.feed(GREETING + data)
    assert message.raw.decode().split("\r\n") == [
        f"Action: {name}",
        "ActionID: id-1",
        *(f"{header}: {value}" for header, value in pairs),
    ]


@pytest.mark.parametrize("bad", [chr(code) for code in [*range(0x20), 0x7F]])
def test_every_control_character_is_refused(bad: str) -> None:
    with pytest.raises(EncodeError):
        encode_action("Setvar", [("Value", f"a{bad}b")], "1")
    with pytest.raises(EncodeError):
        encode_action("Setvar", [(f"Va{bad}lue", "a")], "1")
    with pytest.raises(EncodeError):
        encode_action(f"Set{bad}var", [], "1")


@pytest.mark.parametrize("name", ["", "Two Words", "Colon:", "Ümlaut"])
def test_header_names_are_plain(name: str) -> None:
    with pytest.raises(EncodeError):
        encode_action("Setvar", [(name, "a")], "1")


@pytest.mark.parametrize("action_id", ["", "x" * 65, "a b", "a\n", "ä", "a:b"])
def test_action_ids_that_asterisk_corrupts_are_refused(action_id: str) -> None:
    with pytest.raises(EncodeError):
        encode_action("Ping", [], action_id)


def test_limits() -> None:
    fits = "v" * (MAX_LINE - len("Value: \r\n"))
    assert encode_action("Setvar", [("Value", fits)], "x" * 64)
    with pytest.raises(EncodeError):
        encode_action("Setvar", [("Value", fits + "v")], "1")
    with pytest.raises(EncodeError):
        encode_action("Setvar", [("Value", "ü" * 600)], "1")
    assert encode_action("Originate", [("Variable", "a=b")] * 126, "1")
    with pytest.raises(EncodeError):
        encode_action("Originate", [("Variable", "a=b")] * 127, "1")


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(EncodeError):
        encode_action("Setvar", [("Value", "\ud800")], "1")
