"""`cordboard phone`: an agent's phone that registers, logs in, answers or refuses, talks and tells what happens.

Decides how long the phone rings, what it does then, and for how long it talks.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.phones.errors import PhoneError, WaitTimeout
from cordboard.phones.live_events import Event, LiveEvents, NoLiveEvents, OurAgent
from cordboard.phones.narrator import Narrator, Show
from cordboard.phones.phone_call import CallState, PhoneCall, StateChange
from cordboard.phones.softphone import AnswerAfter, Incoming, Manual, RefuseBusy, Softphone
from cordboard.phones.speaking import Tone

_FEATURE_CODE_TIMEOUT = 15.0
_LONGEST_RING = 300.0
_LONGEST_TALK = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class PhoneOptions:
    """What `cordboard phone` can be told."""

    extension: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5060
    login_code: str | None = None  # the feature code to dial before waiting for calls
    logout_code: str | None = None  # the one to dial before leaving
    answer_after: float | None = 1.0  # None lets it ring
    refuse: str | None = None  # "busy", the only refusal that our SIP stack can send
    talk: float | None = None  # hang up after this long; None leaves it to the caller
    tone: float | None = 440.0  # what the agent says, in Hz; None is silence
    record: Path | None = None  # of the second call and later ones: name-2.wav, name-3.wav ...
    once: bool = False
    register_timeout: float = 10.0
    events_url: str | None = "http://127.0.0.1:8080/api/events"
    token: str = field(default="", repr=False)
    show: Show = print

    @property
    def incoming(self) -> Incoming:
        if self.refuse is not None:
            return RefuseBusy(self.answer_after or 0.0)
        return Manual() if self.answer_after is None else AnswerAfter(self.answer_after, lines=1)


async def run_phone(options: PhoneOptions) -> int:
    """Be that phone until cancelled, or with `once` until the first call is over.

    Exit status: 0, 1 when it could not register or log in, 2 when it was told something that it cannot do.
    """
    if options.refuse not in (None, "busy"):
        options.show(f"this phone can refuse a call only as `busy`, not as `{options.refuse}`")
        return 2
    async with Narrator(options.show) as narrator:
        try:
            return await _AgentPhone(options, narrator).run()
        except PhoneError as error:
            narrator.tell("phone.note", text=str(error))
            return 1


class _AgentPhone:
    def __init__(self, options: PhoneOptions, narrator: Narrator) -> None:
        self._options = options
        self._narrator = narrator
        self._ours = OurAgent(options.extension)
        self._recorded = 0

    async def run(self) -> int:
        options = self._options
        async with AsyncExitStack() as stack:
            await self._listen_to_service(stack)
            phone = await stack.enter_async_context(
                await Softphone.agent(
                    options.host,
                    options.port,
                    options.extension,
                    options.secret,
                    incoming=options.incoming,
                    timeout=options.register_timeout,
                )
            )
            self._narrator.tell("phone.registered", extension=options.extension)
            if options.login_code is not None:
                await self._dial_code(phone, options.login_code)
            try:
                await self._take_calls(phone)
            finally:
                if options.logout_code is not None:
                    with suppress(PhoneError):  # we leave in any case; the service notices the unregistered phone
                        await self._dial_code(phone, options.logout_code)
        return 0

    async def _take_calls(self, phone: Softphone) -> None:
        while True:
            call = await phone.wait_incoming(_LONGEST_TALK)
            if call.state is CallState.CLOSED:
                self._narrator.tell("phone.note", text="a second call was refused while the phone was in use")
                continue
            await self._take(call)
            if self._options.once:
                return

    async def _take(self, call: PhoneCall) -> None:
        self._narrator.tell("phone.called", peer=call.peer.removeprefix("sip:").partition("@")[0])
        call.on_change(lambda change: self._tell_change(call, change))
        try:
            await call.wait_established(_LONGEST_RING)
            if self._options.tone:
                call.say(Tone(self._options.tone))
            await call.wait_closed(_LONGEST_TALK if self._options.talk is None else self._options.talk)
        except PhoneError:
            pass  # refused, given up, or talked for long enough: the change of state tells it
        finally:
            await call.hang_up()
            self._record(call)

    async def _dial_code(self, phone: Softphone, code: str) -> None:
        self._narrator.tell("phone.dialling", target=code)
        call = await phone.dial(code)
        await call.wait_established(_FEATURE_CODE_TIMEOUT)
        with suppress(WaitTimeout):  # it was answered, so it was understood; whoever talks on is cut off
            await call.wait_closed(_FEATURE_CODE_TIMEOUT)
        await call.hang_up()
        self._narrator.tell("phone.note", text=f"the service took {code}")

    def _record(self, call: PhoneCall) -> None:
        path = self._options.record
        if path is None or call.sound.position == 0:
            return
        self._recorded += 1
        if self._recorded > 1:
            path = path.with_stem(f"{path.stem}-{self._recorded}")
        call.record_to(path)
        self._narrator.tell("phone.note", text=f"recorded to {path}")

    def _tell_change(self, call: PhoneCall, change: StateChange) -> None:
        if change.state is CallState.ESTABLISHED:
            self._narrator.tell("phone.answered", change.at)
        elif change.state is CallState.CLOSED:
            self._narrator.tell("phone.ended", change.at, reason=call.close_reason)

    # -- the service -----------------------------------------------------------------------------------------------

    async def _listen_to_service(self, stack: AsyncExitStack) -> None:
        if not self._options.events_url:
            return
        with suppress(NoLiveEvents):  # the phone works without them, and a caller's transcript tells more anyway
            events = await LiveEvents.open(self._options.events_url, self._options.token, self._on_event, lambda: None)
            stack.push_async_callback(events.close)

    def _on_event(self, event: Event) -> None:
        if self._ours.owns(event):
            self._narrator.tell_event(event)
