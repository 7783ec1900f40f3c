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
FALLBACK = "cordboard-fallback"
START = "s"

ORIGINS = {PUBLIC.encode(): Origin.PUBLIC, AGENTS.encode(): Origin.AGENT}

PLACES = {
    PUBLIC.encode(): Place.ARRIVAL,
    AGENTS.encode(): Place.ARRIVAL,
    OFFER.encode(): Place.OFFER,
    TALK.encode(): Place.TALK,
    BACK.encode(): Place.RETURNED,
    FALLBACK.encode(): Place.FALLBACK,
}

LEG_EVENT = b"CordboardLeg"
"""The user event by which an answered leg announces itself."""

LEG = "CB_LEG"
RECORDING = "CB_RECORDING"
"""Our name for the recording that runs on the channel, empty when none does."""

RECORDING_HANDLE = "CB_MIXMONITOR"
"""The PBX's name for it: mute and stop need it. It stays when the recording is over."""

DIALLED = "CB_DIALLED"
MEMORY = "CB_MEMORY"
MEMORY_REST = "CB_MEMORY_2"
"""Asterisk 22 cuts a variable at 511 bytes where it lists channels (main/manager.c, generate_status)."""

MEMORY_PIECE = 480
MEMORY_MORE = "+"
"""First character of a memory that goes on in `MEMORY_REST`. Memory is JSON, which never begins with it."""
