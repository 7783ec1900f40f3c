"""AMI events become facts. The words of AMI's events stop here.

Decides which of the PBX's events mean something to us and what; everything else is counted and dropped. It is pure: it
knows which legs we dialled and which channels we hold, and no clock, no connection and nobody who listens.
"""

from __future__ import annotations

from collections.abc import Callable

from pbx.agi import AsyncAgi
from pbx.channel_text import endpoint, name, number
from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallHeld,
    CallReturned,
    ChannelGone,
    Fact,
    KeyPressed,
    LegAtDesk,
    LegSpies,
    PhoneChanged,
    PhoneHeld,
    PhoneResumed,
    PhoneState,
)
from pbx.legs import Legs
from pbx.live import OUR_LEG
from pbx.places import BACK, DESK_EVENT, HOLD_EVENT, LEG_EVENT, ORIGINS, SPY_EVENT
from pbx.wire import Message

PHONE_STATES = {
    b"NOT_INUSE": PhoneState.IDLE,
    b"INUSE": PhoneState.BUSY,
    b"BUSY": PhoneState.BUSY,
    b"ONHOLD": PhoneState.BUSY,
    b"RINGING": PhoneState.RINGING,
    b"RINGINUSE": PhoneState.BUSY,
    b"UNAVAILABLE": PhoneState.UNREACHABLE,
    b"INVALID": PhoneState.UNREACHABLE,
    b"UNKNOWN": PhoneState.UNREACHABLE,
}

PHONE = b"PJSIP/"
NORMAL_CLEARING = 16

_OUR_LEG = OUR_LEG.encode()
_BACK = BACK.encode()
_ARRIVAL = (b"Channel", b"CallerIDNum", b"CallerIDName", b"Language", b"Context", b"Exten", b"Uniqueid")


_ARRIVALS: dict[bytes, Callable[[str], Fact]] = {DESK_EVENT: LegAtDesk, HOLD_EVENT: CallHeld, SPY_EVENT: LegSpies}


class Translator:
    """`event` for every AMI event, in order."""

    def __init__(self, emit: Callable[[Fact], None], agi: AsyncAgi, legs: Legs) -> None:
        self.unknown = 0
        self._emit = emit
        self._agi = agi
        self._legs = legs
        self._handlers: dict[bytes, Callable[[Message], None]] = {
            b"AsyncAGIStart": self._agi_start,
            b"AsyncAGIExec": self._agi_exec,
            b"AsyncAGIEnd": self._agi_end,
            b"DTMFEnd": self._dtmf_end,
            b"Newstate": self._new_state,
            b"UserEvent": self._user_event,
            b"OriginateResponse": self._originate_response,
            b"Hangup": self._hangup,
            b"BridgeEnter": self._bridge_enter,
            b"BridgeLeave": self._bridge_leave,
            b"DeviceStateChange": self._device_state,
            b"Hold": lambda message: self._emit(PhoneHeld(message.text(b"Uniqueid"))),
            b"Unhold": lambda message: self._emit(PhoneResumed(message.text(b"Uniqueid"))),
        }

    def event(self, message: Message) -> None:
        raw = message.raw
        handler = self._handlers.get(raw[7 : raw.find(b"\r\n")])
        if handler is None:
            self.unknown += 1
        else:
            handler(message)

    def _agi_start(self, message: Message) -> None:
        (channel_name, caller_number, caller_name, language, context, dialled, unique) = message.take(*_ARRIVAL)
        channel = unique.decode("utf-8", "replace")
        if context == _BACK:
            self._agi.entered(channel)
            self._emit(CallReturned(channel))
            return
        origin = ORIGINS.get(context)
        if origin is None:
            self.unknown += 1  # async AGI of somebody else's dialplan
            return
        self._agi.entered(channel)
        named = channel_name.decode("utf-8", "replace")
        self._emit(
            CallArrived(
                channel=channel,
                name=named,
                origin=origin,
                endpoint=endpoint(named),
                dialled=dialled.decode("utf-8", "replace"),
                caller_number=number(caller_number),
                caller_name=name(caller_name),
                language=language.decode("utf-8", "replace"),
            )
        )

    def _agi_exec(self, message: Message) -> None:
        # Asterisk 22 spells it CommandId here and CommandID elsewhere; `get` would find either, `exact` is quicker.
        command = message.exact(b"CommandId") or message.get(b"CommandID")
        self._agi.reply(message.text(b"Uniqueid"), command, message.get(b"Result"))

    def _agi_end(self, message: Message) -> None:
        self._agi.ended(message.text(b"Uniqueid"))

    def _dtmf_end(self, message: Message) -> None:
        if message.get(b"Direction") == b"Received":
            channel = message.text(b"Uniqueid")
            self._agi.key(channel)
            self._emit(KeyPressed(channel, message.text(b"Digit")))

    def _new_state(self, message: Message) -> None:
        unique = message.get(b"Uniqueid")
        if unique.startswith(_OUR_LEG) and message.get(b"ChannelState") == b"5":
            self._legs.ringing(unique.decode())

    def _user_event(self, message: Message) -> None:
        channel = message.text(b"Uniqueid")
        event = message.get(b"UserEvent")
        arrived = _ARRIVALS.get(event)
        if arrived is not None:
            self._emit(arrived(channel))
        elif event == LEG_EVENT:
            self._legs.answered(channel)
        else:
            self.unknown += 1

    def _originate_response(self, message: Message) -> None:
        if message.get(b"Response") == b"Failure":
            self._legs.originate_failed(message.text(b"Uniqueid"), message.get(b"Reason"))

    def _hangup(self, message: Message) -> None:
        channel = message.text(b"Uniqueid")
        digits = message.get(b"Cause")
        # Asterisk 22 leaves the cause at 0 when a SIP phone just says BYE.
        cause = (int(digits) if digits.isdigit() else 0) or NORMAL_CLEARING
        self._agi.drop(channel)
        if channel.startswith(OUR_LEG):
            self._legs.gone(channel, cause)
        else:
            self._emit(ChannelGone(channel, cause))

    def _bridge_enter(self, message: Message) -> None:
        self._emit(BridgeEntered(message.text(b"Uniqueid"), message.text(b"BridgeUniqueid")))

    def _bridge_leave(self, message: Message) -> None:
        self._emit(BridgeLeft(message.text(b"Uniqueid"), message.text(b"BridgeUniqueid")))

    def _device_state(self, message: Message) -> None:
        device = message.get(b"Device")
        if device.startswith(PHONE):
            state = PHONE_STATES.get(message.get(b"State"), PhoneState.UNREACHABLE)
            self._emit(PhoneChanged(device[len(PHONE) :].decode("utf-8", "replace"), state))
