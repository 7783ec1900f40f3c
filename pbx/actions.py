"""Orders become AMI actions. The words of AMI's actions stop here.

A channel is always named by its unique id: Asterisk 22 takes one wherever it takes a channel's name
(`ast_channel_get_by_name`, and `Bridge()` in our dialplan, fall back to it), and a name changes in a masquerade.
What could mean more to the PBX than a name is refused: an empty channel (`Setvar` would then set a global variable), a
leading slash (`Hangup` would take it for a pattern), an endpoint with a slash or an ampersand (other people's phones).
"""

from __future__ import annotations

import re

from pbx.errors import EncodeError
from pbx.orders import (
    Connect,
    Desk,
    EnterRoom,
    HangUp,
    Hold,
    KeepAlive,
    Part,
    RecordMessage,
    Remember,
    RingNumber,
    RingPhone,
    SetLanguage,
    Spy,
    SpyMode,
    StartRecording,
    TakeBack,
)
from pbx.places import (
    BACK,
    DESK,
    DESK_RINGING,
    HOLD,
    LEG,
    MEMORY,
    MEMORY_MORE,
    MEMORY_PIECE,
    MEMORY_REST,
    MUSIC,
    OFFER,
    RECORDING,
    RECORDING_HANDLE,
    ROOM,
    ROOM_CALLER,
    ROOM_LEG,
    ROOM_NAME,
    SPIED,
    SPY,
    SPY_MODE,
    START,
    TALK,
)

Action = tuple[str, tuple[tuple[str, str], ...]]

MAX_MEMORY = 700
MAX_NAME = 60
MAX_MESSAGE_S = 3600
MESSAGE_FORMAT = "sln"
"""Samples of 16 bits without a header, which a PBX that is killed would leave wrong."""

_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,149}\Z")
_ENDPOINT = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z")
_RECORDING = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}\Z")
_FOLDER = re.compile(r"(?!.*/\.\.?(/|\Z))/[\w/.+@=~ -]{1,255}\Z")
_HANDLE = re.compile(r"[A-Za-z0-9]{1,40}\Z")
_COMMAND = re.compile(r"(ANSWER|NOOP|STREAM FILE|RECORD FILE|SET MUSIC|ASYNCAGI BREAK)( |\Z)")
_KEYS = re.compile(r"[0-9*#]{0,12}\Z")
_NUMBER = re.compile(r"\+?[0-9]{1,32}\Z")
_MUSIC = re.compile(r"[a-z][a-z0-9_-]{0,39}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?\Z")
_NOT_NUMBER = re.compile(r"[^0-9+*#]")
_NOT_NAME = re.compile(r'[\x00-\x1f\x7f"\\<>,;|]+')


def channel_id(channel: str) -> str:
    if _ID.match(channel) is None:
        raise EncodeError("not a channel id")
    return channel


def keep_alive(order: KeepAlive) -> Action:
    return "AbsoluteTimeout", (("Channel", channel_id(order.channel)), ("Timeout", str(order.seconds)))


def hang_up(order: HangUp) -> Action:
    cause = (("Cause", str(order.cause)),) if order.cause else ()
    return "Hangup", (("Channel", channel_id(order.channel)), *cause)


def remember(order: Remember) -> list[Action]:
    """One variable, or two for a long memory: the rest goes first, so that a reader never sees half of a new one."""
    memory = order.memory.encode()
    if len(memory) > MAX_MEMORY:
        raise EncodeError(f"a memory of more than {MAX_MEMORY} bytes")
    if len(memory) <= MEMORY_PIECE:
        return [_set(order.channel, MEMORY, order.memory)]
    cut = MEMORY_PIECE
    while memory[cut] & 0xC0 == 0x80:  # not inside a character
        cut -= 1
    return [
        _set(order.channel, MEMORY_REST, memory[cut:].decode()),
        _set(order.channel, MEMORY, MEMORY_MORE + memory[:cut].decode()),
    ]


def set_language(order: SetLanguage) -> Action:
    if _LANGUAGE.match(order.language) is None:
        raise EncodeError("not a language")
    return _set(order.channel, "CHANNEL(language)", order.language)


def ring_phone(order: RingPhone) -> Action:
    if _ENDPOINT.match(order.endpoint) is None:
        raise EncodeError("not an endpoint")
    return _ring(f"PJSIP/{order.endpoint}", order)


def ring_number(order: RingNumber) -> Action:
    if _NUMBER.match(order.number) is None:
        raise EncodeError("not a number")
    return _ring(f"PJSIP/{order.number}@trunk", order)


def _ring(dialled: str, order: RingPhone | RingNumber) -> Action:
    """Always asynchronous: a synchronous Originate keeps every other action waiting until the phone answers."""
    return "Originate", (
        ("Channel", dialled),
        ("ChannelId", channel_id(order.leg)),
        ("Context", OFFER),
        ("Exten", START),
        ("Priority", "1"),
        ("Timeout", str(order.ring_s * 1000)),
        ("CallerID", caller_id(order.caller_number, order.caller_name)),
        ("Async", "true"),
    )


def connect(order: Connect) -> list[Action]:
    """The caller goes to `Bridge(${CB_LEG},x)`: bridged at once, and back in our hands when the leg ends."""
    return [
        _set(order.channel, LEG, channel_id(order.leg)),
        ("Redirect", _to(order.channel, TALK)),
    ]


def start_recording(order: StartRecording, folder: str) -> list[Action]:
    """MixMonitor with left and right apart (`D` needs the ending .raw): one file, whose sides cannot drift apart.

    A comma in the file's name would begin its options, a second one a command for the shell (Asterisk 22 puts them
    together as one text and takes that apart again), so a name has neither, and `encode_action` refuses a command.
    """
    if _RECORDING.match(order.recording) is None:
        raise EncodeError("not the name of a recording")
    if _FOLDER.match(folder) is None:
        raise EncodeError("not a folder for recordings")
    return [
        _set(order.channel, RECORDING, order.recording),
        (
            "MixMonitor",
            (
                ("Channel", order.channel),
                ("File", f"{folder}/{order.recording}.raw"),
                ("options", f"Di({RECORDING_HANDLE})"),
            ),
        ),
    ]


def mute_recording(channel: str, handle: str, *, mute: bool) -> Action:
    return "MixMonitorMute", (
        ("Channel", channel_id(channel)),
        ("Direction", "both"),
        ("State", "1" if mute else "0"),
        ("MixMonitorID", _handle(handle)),
    )


def stop_recording(channel: str, handle: str) -> list[Action]:
    stop = "StopMixMonitor", (("Channel", channel_id(channel)), ("MixMonitorID", _handle(handle)))
    return [_set(channel, RECORDING, ""), stop]


def _handle(handle: str) -> str:
    if _HANDLE.match(handle) is None:
        raise EncodeError("not the handle of a recording")
    return handle


def part(order: Part) -> list[Action]:
    """One Redirect of both: when the first has left the bridge the second waits for its own turn, instead of ending."""
    return [
        _set(order.channel, LEG, channel_id(order.leg)),  # without us the dialplan puts them together again
        _music(order.channel, order.music_class),
        (
            "Redirect",
            (
                *_to(order.channel, HOLD),
                ("ExtraChannel", order.leg),
                ("ExtraContext", DESK),
                ("ExtraExten", START),
                ("ExtraPriority", "1"),
            ),
        ),
    ]


def hold(order: Hold) -> list[Action]:
    return [_music(order.channel, order.music_class), ("Redirect", _to(order.channel, HOLD))]


def desk(order: Desk) -> Action:
    return "Redirect", _to(order.channel, DESK, DESK_RINGING if order.ringing else START)


def enter_room(order: EnterRoom) -> list[Action]:
    return [
        _set(order.channel, ROOM_NAME, channel_id(order.room)),
        ("Redirect", _to(order.channel, ROOM, ROOM_LEG if order.leg else ROOM_CALLER)),
    ]


def take_back(order: TakeBack) -> Action:
    return "Redirect", _to(order.channel, BACK)


_SPY_OPTIONS = {SpyMode.LISTEN: "", SpyMode.WHISPER: "w", SpyMode.BARGE: "B"}


def spy(order: Spy) -> list[Action]:
    return [
        _set(order.channel, SPIED, channel_id(order.spied)),
        _set(order.channel, SPY_MODE, _SPY_OPTIONS[order.mode]),
        ("Redirect", _to(order.channel, SPY)),
    ]


def _to(channel: str, context: str, exten: str = START) -> tuple[tuple[str, str], ...]:
    return ("Channel", channel_id(channel)), ("Context", context), ("Exten", exten), ("Priority", "1")


def _music(channel: str, music_class: str) -> Action:
    if _MUSIC.match(music_class) is None:
        raise EncodeError("not a class of music")
    return _set(channel, MUSIC, music_class)


def agi_command(channel: str, command: str, command_id: str) -> Action:
    """`EXEC` could run every application that the PBX has, and some of those run programs: only what we use is sent."""
    if _COMMAND.match(command) is None:
        raise EncodeError("not an AGI command of ours")
    return "AGI", (("Channel", channel_id(channel)), ("Command", command), ("CommandID", command_id))


def record_message(order: RecordMessage, folder: str) -> str:
    """RECORD FILE below the folder for messages, and nowhere else; the folder must exist."""
    if _RECORDING.match(order.message) is None:
        raise EncodeError("not the name of a message")
    if _FOLDER.match(folder) is None:
        raise EncodeError("not a folder for messages")
    if _KEYS.match(order.end_keys) is None:
        raise EncodeError("not keys")
    if not 0 < order.max_s <= MAX_MESSAGE_S or not 0 <= order.silence_s <= MAX_MESSAGE_S:
        raise EncodeError("not a length for a message")
    beep = " BEEP" if order.beep else ""
    silence = f" s={order.silence_s}" if order.silence_s else ""
    file = f"{folder}/{order.message}"
    return f'RECORD FILE "{file}" {MESSAGE_FORMAT} "{order.end_keys}" {order.max_s * 1000}{beep}{silence}'


def stop_playback(channel: str) -> Action:
    return "ControlPlayback", (("Channel", channel_id(channel)), ("Control", "stop"))


def caller_id(number: str, name: str) -> str:
    """`"name" <number>` for an agent's display, with nothing in it that could end either part early."""
    shown = _NOT_NAME.sub(" ", name).strip()[:MAX_NAME]
    return f'"{shown}" <{_NOT_NUMBER.sub("", number)[:40]}>'


def _set(channel: str, variable: str, value: str) -> Action:
    return "Setvar", (("Channel", channel_id(channel)), ("Variable", variable), ("Value", value))


def refusal(message: str) -> str:
    """Why the PBX refused an order, in our words: its English may hold channel names."""
    text = message.lower()
    if "set mute flag" in text or "stop monitoring" in text:
        return "no such recording"
    if "no such channel" in text or "does not exist" in text or "not up" in text:
        return "no such channel"
    if "permission" in text or "forbidden" in text:
        return "not permitted"
    return "refused"
