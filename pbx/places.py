"""The names that our dialplan and our Python share: contexts, extensions, channel variables, user events.

They are written in `asterisk/etc/extensions.conf.j2`; whoever changes one changes both.
"""

from __future__ import annotations

from pbx.facts import Origin, Place

PUBLIC = "cordboard-in"
AGENTS = "cordboard-agents"
OFFER = "cordboard-offer"
TALK = "cordboard-talk"
BACK = "cordboard-back"
DESK = "cordboard-desk"
HOLD = "cordboard-hold"
ROOM = "cordboard-room"
SPY = "cordboard-spy"
FALLBACK = "cordboard-fallback"
START = "s"

DESK_RINGING = "ringing"
ROOM_CALLER = "caller"
ROOM_LEG = "leg"
"""Extensions of the desk and of a room."""

ORIGINS = {PUBLIC.encode(): Origin.PUBLIC, AGENTS.encode(): Origin.AGENT}

PLACES = {
    PUBLIC.encode(): Place.ARRIVAL,
    AGENTS.encode(): Place.ARRIVAL,
    OFFER.encode(): Place.OFFER,
    TALK.encode(): Place.TALK,
    BACK.encode(): Place.RETURNED,
    HOLD.encode(): Place.HOLD,
    DESK.encode(): Place.DESK,
    ROOM.encode(): Place.ROOM,
    SPY.encode(): Place.SPY,
    FALLBACK.encode(): Place.FALLBACK,
}

LEG_EVENT = b"CordboardLeg"
"""The user event by which an answered leg announces itself."""

DESK_EVENT = b"CordboardDesk"
HOLD_EVENT = b"CordboardHold"
SPY_EVENT = b"CordboardSpy"
"""The user events of a leg that arrived at the desk, of a caller who arrived on hold, of a supervisor who listens."""

LEG = "CB_LEG"
RECORDING = "CB_RECORDING"
"""Our name for the recording that runs on the channel, empty when none does."""

RECORDING_HANDLE = "CB_MIXMONITOR"
"""The PBX's name for it: mute and stop need it. It stays when the recording is over."""

MUSIC = "CB_MUSIC"
ROOM_NAME = "CB_ROOM"
SPIED = "CB_SPIED"
SPY_MODE = "CB_SPY"
DIALLED = "CB_DIALLED"
MEMORY = "CB_MEMORY"
MEMORY_REST = "CB_MEMORY_2"
"""Asterisk 22 cuts a variable at 511 bytes where it lists channels (main/manager.c, generate_status)."""

MEMORY_PIECE = 480
MEMORY_MORE = "+"
"""First character of a memory that goes on in `MEMORY_REST`. Memory is JSON, which never begins with it."""
