"""Callbacks: promising one to a caller, and working the list of them.

Decides that nothing is promised before it is on disk, that one telephone number has one request at a time, and which
numbers may be called at all. It refuses to know how a caller is told, and who dials.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Protocol

import structlog

from acd.errors import AcdError
from cordboard.allowed import Allowed
from cordboard.callback import MAX_NOTE, Callback, CallbackRefused, CallbackState
from cordboard.callback_calls import TALKED
from cordboard.events import Note
from cordboard.storage.callbacks import CallbackStore
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.telephone import e164
from cordboard.web.ports import CommandRefused, NotFound, UnknownAgent

log = structlog.get_logger()

COMMANDS = ("claim", "call", "release", "done", "cancel", "note")


class Own(Protocol):
    def __call__(self, work: Coroutine[Any, Any, None], name: str, /) -> object:
        """Run it, and see its failure."""


class Dialler(Protocol):
    """Whoever calls people back; `callback_calls.CallbackDialler` is the real one."""

    def take(self, agent: str) -> str | None: ...

    def give_back(self, agent: str) -> None: ...

    def begin(self, number: str, agent: str, endpoint: str, over: Callable[[str], None]) -> None: ...


class Asked:
    """What is on the way to the disk gets there; `cancel` means that nobody waits for the answer."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class CallbackDesk:
    def __init__(
        self,
        store: CallbackStore,
        allowed: Allowed,
        region: str | None,
        agents: Collection[str],
        *,
        clock: Callable[[], float],
        note: Note,
        own: Own,
        dialler: Dialler | None = None,
    ) -> None:
        """`dialler` None: nobody is dialled from here."""
        self._store = store
        self._allowed = allowed
        self._region = region
        self._agents = agents
        self._clock = clock
        self._note = note
        self._own = own
        self._dialler = dialler

    # for callers ---------------------------------------------------------------------------------------------------

    def begin(
        self,
        call: str,
        number: str,
        queue: str,
        language: str,
        joined_at: float | None,
        data: Mapping[str, str],
        done: Callable[[str], None],
    ) -> Asked:
        """Promise one, on the side; `done` is told what `promise` comes to, unless cancelled."""
        asked = Asked()

        async def work() -> None:
            outcome = await self.promise(call, number, queue, language, joined_at, data)
            if not asked.cancelled:
                done(outcome)

        self._own(work(), "callback")
        return asked

    async def promise(
        self, call: str, number: str, queue: str, language: str, joined_at: float | None, data: Mapping[str, str]
    ) -> str:
        """ "ok": it is on disk. "already": this telephone number has a request. "not_allowed": it is none that we may
        call. "failed": nothing may be promised. `joined_at`: since when they have waited, None: since now."""
        telephone = e164(number, self._region)
        if telephone is None or not self._allowed.may_begin(telephone):
            return "not_allowed"
        now = self._clock()
        request = Callback(
            call, telephone, queue, language, now, now if joined_at is None else joined_at, dict(data), changed_at=now
        )
        try:
            added = await self._store.add(request)
            if added is None:
                known = await self._store.pending_for(telephone)
                # The call itself may have asked before, and its flow been taken up again since.
                return "ok" if known is not None and known.call_id == call else "already"
        except DatabaseUnavailable as error:
            log.error("a callback could not be put on record", reason=str(error))
            return "failed"
        self._tell("callback.requested", added)
        return "ok"

    # for staff -----------------------------------------------------------------------------------------------------

    async def page(
        self, states: Collection[CallbackState], queue: str | None = None, limit: int = 100, after: int = 0
    ) -> list[Callback]:
        return await self._store.page(states, queue, limit, after)

    async def command(self, number: int, command: str, agent: str = "", note: str = "") -> Callback:
        """One of `COMMANDS`. Raises `NotFound`, `UnknownAgent`, `CommandRefused`, `DatabaseUnavailable`."""
        if agent and agent not in self._agents:
            raise UnknownAgent(f"There is no agent {agent!r}.")
        if len(note) > MAX_NOTE:
            raise CommandRefused(f"A note has at most {MAX_NOTE} characters.")
        before = await self._store.get(number)
        if before is None:
            raise NotFound(f"There is no callback {number}.")
        if command == "call":
            return await self._call(before, agent)
        after = await self._change(before, self._how(command, agent, note))
        match command:
            case "claim":
                self._tell("callback.claimed", after)
            case "release":
                self._tell("callback.released", after, agent=before.agent)
            case "done" | "cancel":
                self._tell("callback.closed", after, {"state": after.state.value})
        return after

    async def _call(self, before: Callback, agent: str) -> Callback:
        """Claim it, ring the agent, then the customer. The claim is on record before a phone rings."""
        if not agent:
            raise CommandRefused("Whose phone is to ring? An agent is needed.")
        if self._dialler is None:
            raise CommandRefused("Nobody is dialled from here.")
        try:
            self._allowed.number(before.number)
            endpoint = self._dialler.take(agent)
        except AcdError as error:
            raise CommandRefused(str(error)) from None
        if endpoint is None:
            raise CommandRefused(f"Agent {agent} has a caller now.")
        try:
            after = before
            if (before.state, before.agent) != (CallbackState.CLAIMED, agent):
                after = await self._change(before, self._how("claim", agent, ""))
                self._tell("callback.claimed", after)
        except BaseException:
            self._dialler.give_back(agent)
            raise
        self._dialler.begin(after.number, agent, endpoint, lambda outcome: self._called(after, outcome))
        return after

    def _called(self, one: Callback, outcome: str) -> None:
        self._tell("callback.called", one, {"outcome": outcome})
        if outcome != TALKED:
            self._own(self._put_back(one), "callback")

    async def _put_back(self, one: Callback) -> None:
        """Nobody was reached: for somebody else, or later. If it cannot be written the claim stays, for all to see."""
        try:
            after = await self._store.change(one, lambda it: it.release(self._clock()))
        except (CallbackRefused, DatabaseUnavailable) as error:
            log.warning("a callback stays claimed", callback=one.id, reason=type(error).__name__)
        else:
            self._tell("callback.released", after, agent=one.agent)

    async def _change(self, before: Callback, how: Callable[[Callback], Callback]) -> Callback:
        try:
            return await self._store.change(before, how)
        except CallbackRefused as refused:
            raise CommandRefused(str(refused)) from None

    def _how(self, command: str, agent: str, note: str) -> Callable[[Callback], Callback]:
        now = self._clock()
        match command:
            case "claim" if agent:
                return lambda one: one.claim(agent, now)
            case "claim":
                raise CommandRefused("Who claims it? An agent is needed.")
            case "release":
                return lambda one: one.release(now, note)
            case "done":
                return lambda one: one.done(agent, now, note)
            case "cancel":
                return lambda one: one.cancel(agent, now, note)
            case "note":
                return lambda one: one.annotate(note, now)
            case _:
                raise CommandRefused(f"There is no command {command!r}; there are: {', '.join(COMMANDS)}.")

    def _tell(self, kind: str, one: Callback, data: dict[str, Any] | None = None, agent: str = "") -> None:
        """Never the telephone number."""
        self._note(
            kind,
            call_id=one.call_id,
            agent=agent or one.agent or None,
            queue=one.queue or None,
            data={"callback": one.id} | (data or {}),
        )
