"""Orders become AMI actions. The words of AMI's actions stop here.

A channel is always named by its unique id: Asterisk 22 takes one wherever it takes a channel's name
(`ast_channel_get_by_name`, and `Bridge()` in our dialplan, fall back to it), and a name changes in a masquerade.
What could mean more to the PBX than a name is refused: an empty channel (`Setvar` would then set a global variable), a
leading slash (`Hangup` would take it for a pattern), an endpoint with a slash or an ampersand (other people's phones).
"""

from __future__ import annotations

import re

from pbx.errors import EncodeError
from pbx.orders import Connect, HangUp, KeepAlive, Remember, RingPhone, SetLanguage
from pbx.places import LEG, MEMORY, MEMORY_MORE, MEMORY_PIECE, MEMORY_REST, OFFER, START, TALK

Action = tuple[str, tuple[tuple[str, str], ...]]

MAX_MEMORY = 700
MAX_NAME = 60

_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,149}\Z")
_ENDPOINT = re.compile(r"[A-Za-z0-9_.-]{1,80}\Z")
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
    return "Hangup", (("Channel", channel_id(order.channel)), ("Cause", str(order.cause)))


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
    """Always asynchronous: a synchronous Originate keeps every other action waiting until the phone answers."""
    if _ENDPOINT.match(order.endpoint) is None:
        raise EncodeError("not an endpoint")
    return "Originate", (
        ("Channel", f"PJSIP/{order.endpoint}"),
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
        ("Redirect", (("Channel", order.channel), ("Context", TALK), ("Exten", START), ("Priority", "1"))),
    ]


def agi_command(channel: str, command: str, command_id: str) -> Action:
    return "AGI", (("Channel", channel_id(channel)), ("Command", command), ("CommandID", command_id))


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
    if "no such channel" in text or "does not exist" in text or "not up" in text:
        return "no such channel"
    if "permission" in text or "forbidden" in text:
        return "not permitted"
    return "refused"
