"""`cordboard call`: a caller that dials, listens, presses keys, talks and tells what happens.

Decides when a key is pressed and when the caller has had enough. Everything it tells comes from its own phone and, when
the service can be reached, from the service's live events about this call.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cordboard.phones import listening, steady_clock
from cordboard.phones.errors import PhoneError, WaitTimeout
from cordboard.phones.live_events import Event, LiveEvents, NoLiveEvents, OurCall
from cordboard.phones.narrator import Narrator, Show
from cordboard.phones.phone_call import CallState, PhoneCall, StateChange
from cordboard.phones.softphone import Softphone
from cordboard.phones.speaking import Tone
from cordboard.phones.waiting import Changes

_PROMPT_PATIENCE = 5.0  # a flow that has said nothing new for this long is waiting for the key
_LAST_EVENTS = 2.0  # how long after the hang-up the service's last word is waited for
_NONE_ANSWERED = 1


def unique_number() -> str:
    """A random number of the range kept for fiction, so that our call can be told from others."""
    return f"+15550{random.SystemRandom().randrange(100_000, 200_000)}"


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What `cordboard call` can be told."""

    target: str = "100"
    host: str = "127.0.0.1"
    port: int = 5060
    caller_number: str = field(default_factory=unique_number, repr=False)
    caller_name: str = field(default="", repr=False)
    press: tuple[str, ...] = ()
    press_after: float = 1.5
    talk: float | None = None  # hang up this long after an agent was connected
    hangup_after: float = 60.0  # hang up this long after dialling, whatever happens
    tone: float | None = None  # what the caller says, in Hz; None is silence
    record: Path | None = None
    events_url: str | None = "http://127.0.0.1:8080/api/events"
    token: str = field(default="", repr=False)
    show: Show = print


async def run_call(options: CallOptions) -> int:
    """Make one call and tell it. Exit status: 0 when it was answered, 1 when not. Cancelling hangs up."""
    async with Narrator(options.show) as narrator:
        try:
            return await _Caller(options, narrator).run()
        except PhoneError as error:
            narrator.tell("phone.note", text=f"the call could not be made: {error}")
            return _NONE_ANSWERED
        except asyncio.CancelledError:
            narrator.tell("phone.note", text="interrupted: hung up")
            raise


class _Caller:
    def __init__(self, options: CallOptions, narrator: Narrator) -> None:
        self._options = options
        self._narrator = narrator
        self._ours = OurCall(options.caller_number)
        self._live = False
        self._changes = Changes()
        self._prompt_started: float | None = None
        self._closed_on_record = False
        self._enough = asyncio.Event()

    async def run(self) -> int:
        async with AsyncExitStack() as stack:
            await self._listen_to_service(stack)
            phone = await stack.enter_async_context(
                await Softphone.caller(
                    self._options.host, self._options.port, self._options.caller_number, self._options.caller_name
                )
            )
            self._narrator.tell("phone.dialling", target=self._options.target)
            call = await phone.dial(self._options.target)
            call.on_change(lambda change: self._tell_change(call, change))
            try:
                await self._go_through(call)
            finally:
                await call.hang_up()
                self._finish(call)
            if self._live and self._ours.call_id is not None:
                with suppress(WaitTimeout):
                    await self._until(lambda: self._closed_on_record or not self._live, _LAST_EVENTS)
        answered = any(change.state is CallState.ESTABLISHED for change in call.history)
        return 0 if answered else _NONE_ANSWERED

    async def _go_through(self, call: PhoneCall) -> None:
        """Until the call is over or we have had enough of it."""
        tasks = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("call-end", call.wait_closed(self._options.hangup_after)),
                ("caller-keys", self._press_keys(call)),
                ("caller-ears", self._tell_first_sound(call)),
            )
        ]
        enough = asyncio.create_task(self._enough.wait(), name="caller-enough")
        try:
            await asyncio.wait({tasks[0], enough}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, enough):
                task.cancel()
            results = await asyncio.gather(*tasks, enough, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, PhoneError):
                raise result

    async def _press_keys(self, call: PhoneCall) -> None:
        await call.wait_established(self._options.hangup_after)
        if self._options.tone:
            call.say(Tone(self._options.tone))
        since = float("-inf")
        for keys in self._options.press:
            started = await self._next_prompt(since)
            await asyncio.sleep(max(0.0, started + self._options.press_after - steady_clock.now()))
            self._narrator.tell("phone.key", keys=keys)
            await call.send_digits(keys)
            since = steady_clock.now()

    async def _next_prompt(self, since: float) -> float:
        """When a prompt began after `since`; the present when we cannot know, or when the flow waits without one."""

        def began() -> bool:
            return self._prompt_started is not None and self._prompt_started > since

        if self._live:
            with suppress(WaitTimeout):
                await self._until(lambda: began() or not self._live, _PROMPT_PATIENCE)
        return self._prompt_started if self._prompt_started is not None and began() else steady_clock.now()

    async def _tell_first_sound(self, call: PhoneCall) -> None:
        await call.wait_ringing(self._options.hangup_after)
        await call.wait_sound(self._options.hangup_after)
        position = listening.first_sound(call.heard())
        if position is not None:
            self._narrator.tell("phone.sound", at=call.sound.time_of(position))

    # -- the service -----------------------------------------------------------------------------------------------

    async def _listen_to_service(self, stack: AsyncExitStack) -> None:
        if not self._options.events_url:
            return
        try:
            events = await LiveEvents.open(
                self._options.events_url, self._options.token, self._on_event, self._on_events_end
            )
        except NoLiveEvents as error:
            self._narrator.tell("phone.note", text=f"{error}; telling only what the phone sees")
            return
        self._live = True
        stack.push_async_callback(events.close)

    def _on_event(self, event: Event) -> None:
        if not self._ours.owns(event):
            return
        self._narrator.tell_event(event)
        match event["kind"]:
            case "prompt.started":
                self._prompt_started = float(event["at"])
            case "talk.started" if self._options.talk is not None:
                asyncio.get_running_loop().call_later(self._options.talk, self._enough.set)
            case "call.ended":
                self._closed_on_record = True
        self._changes.notify()

    def _on_events_end(self) -> None:
        self._live = False
        self._changes.notify()
        self._narrator.tell("phone.note", text="the service ended its live events; telling only what the phone sees")

    async def _until(self, holds: Callable[[], bool], limit: float) -> None:
        await self._changes.wait_until(
            holds, awaited="a word of the service", timeout=limit, seen=lambda: f"live events: {self._live}"
        )

    # -- the phone -------------------------------------------------------------------------------------------------

    def _tell_change(self, call: PhoneCall, change: StateChange) -> None:
        match change.state:
            case CallState.RINGING:
                self._narrator.tell("phone.ringing", change.at)
            case CallState.EARLY:
                self._narrator.tell("phone.early", change.at)
            case CallState.ESTABLISHED:
                self._narrator.tell("phone.answered", change.at)
            case CallState.CLOSED:
                self._narrator.tell("phone.ended", change.at, reason=call.close_reason)

    def _finish(self, call: PhoneCall) -> None:
        heard = call.heard()
        text = (
            f"{listening.seconds_of_sound(heard):.1f} s of sound heard in {len(heard) / listening.RATE:.1f} s of audio"
        )
        if self._options.record is not None:
            call.record_to(self._options.record)
            text += f", recorded to {self._options.record}"
        self._narrator.tell("phone.note", text=text)
