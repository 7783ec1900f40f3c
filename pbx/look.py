"""A look at the PBX: which channels exist, where they stand, what we stored on them, and how the phones are.

Decides how the PBX's lists are read, in Asterisk 22's words; what a difference to our belief means is for others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from pbx.channel_text import endpoint, name, number, variable
from pbx.connection import AmiConnection
from pbx.facts import ChannelSeen, PhoneState, Place, Snapshot
from pbx.places import DIALLED, MEMORY, MEMORY_MORE, MEMORY_REST, PLACES, RECORDING, RECORDING_HANDLE
from pbx.translate import PHONE, PHONE_STATES
from pbx.wire import Message

_VARIABLES = ",".join((MEMORY, MEMORY_REST, DIALLED, RECORDING, RECORDING_HANDLE))
_MEMORY, _REST, _DIALLED = MEMORY.encode(), MEMORY_REST.encode(), DIALLED.encode()
_RECORDING, _HANDLE = RECORDING.encode(), RECORDING_HANDLE.encode()
_SLICE = 100  # channels between two turns of the event loop


async def look(connection: AmiConnection) -> Snapshot:
    """One snapshot: three actions, however many channels there are."""
    began = time.monotonic()
    core = await connection.request("CoreStatus", ())
    devices = await connection.collect("DeviceStateList", ())
    status = await connection.collect("Status", (("Variables", _VARIABLES),))
    now = time.time()
    channels: list[ChannelSeen] = []
    for number_, message in enumerate(status):
        if message.name == b"Status":
            channels.append(channel_seen(message, now))
        if number_ % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
    return Snapshot(tuple(channels), phones(devices), started_at(core), time.monotonic() - began)


def channel_seen(message: Message, now: float) -> ChannelSeen:
    channel_name = message.text(b"Channel")
    controlled = message.get(b"Application") == b"AGI" and message.get(b"Data").lower().startswith(b"agi:async")
    hangs_up = message.get(b"TimeToHangup")  # unix seconds in Asterisk 22, whatever the name says; 0 when off
    dialled = variable(message.raw, _DIALLED) or message.get(b"Exten")
    return ChannelSeen(
        channel=message.text(b"Uniqueid"),
        name=channel_name,
        endpoint=endpoint(channel_name),
        place=PLACES.get(message.get(b"Context"), Place.OTHER),
        answered=message.get(b"ChannelState") == b"6",
        controlled=controlled,
        bridge=message.text(b"BridgeID"),
        caller_number=number(message.get(b"CallerIDNum")),
        caller_name=name(message.get(b"CallerIDName")),
        dialled=dialled.decode("utf-8", "replace"),
        language=message.text(b"Language"),
        memory=memory(message.raw),
        recording=variable(message.raw, _RECORDING).decode("utf-8", "replace"),
        recording_handle=variable(message.raw, _HANDLE).decode("utf-8", "replace"),
        seconds_left=max(int(hangs_up) - int(now), 0) if hangs_up.isdigit() and hangs_up != b"0" else None,
    )


def memory(raw: bytes) -> str:
    """What `Remember` stored, put together again."""
    stored = variable(raw, _MEMORY)
    if stored.startswith(MEMORY_MORE.encode()):
        stored = stored[1:] + variable(raw, _REST)
    return stored.decode("utf-8", "replace")


def phones(devices: Iterable[Message]) -> dict[str, PhoneState]:
    return {
        device[len(PHONE) :].decode("utf-8", "replace"): PHONE_STATES.get(one.get(b"State"), PhoneState.UNREACHABLE)
        for one in devices
        if (device := one.get(b"Device")).startswith(PHONE)
    }


def started_at(core: Message) -> float:
    """The PBX writes its start in its own local time; ours is taken for it, which is true on one machine."""
    text = f"{core.text(b'CoreStartupDate')} {core.text(b'CoreStartupTime')}"
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%d %H:%M:%S"))
    except ValueError:
        return 0.0
