"""The engine's hands: its orders become orders to the PBX, timers, notes and results.

It decides one thing, the sequence: whatever is told while orders are being carried out (a result may make the call join
again) has its orders carried out after those.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from acd.engine import Engine
from acd.facts import Fact, TimerFired
from acd.orders import (
    CancelTimer,
    ConnectTalk,
    ConsultOver,
    MakeConsult,
    MakeOffer,
    Order,
    ReleaseCaller,
    StartTimer,
    TimerId,
    WithdrawOffer,
)
from acd.orders import Note as NoteOrder
from acd.ports import Note, OnResult, Record, Timer, Timers
from pbx.orders import Connect, HangUp, RingPhone
from pbx.ports import Switch

_ANSWERED_ELSEWHERE = 26  # Q.850: with it a phone lists no missed call


class Hands:
    def __init__(
        self,
        engine: Engine,
        *,
        switch: Switch,
        timers: Timers,
        clock: Callable[[], float],
        note: Note,
        on_result: OnResult,
        record: Record | None = None,
        on_consult_over: Callable[[str, str], None] = lambda _call, _leg: None,
    ) -> None:
        self._engine = engine
        self._switch = switch
        self._timers = timers
        self._clock = clock
        self._note = note
        self._on_result = on_result
        self._record = record
        self._on_consult_over = on_consult_over
        self._running: dict[TimerId, Timer] = {}
        self._orders: deque[Order] = deque()
        self._busy = False

    def tell(self, fact: Fact) -> None:
        """Let the engine decide, then carry out. Raises `AcdError` for a person's mistake, with nothing changed.

        An order that raises does not keep the others from being carried out; its exception goes to whoever told last.
        """
        self._orders.extend(self._decide(fact))
        if self._busy:
            return
        self._busy = True
        failure: Exception | None = None
        while self._orders:
            try:
                self._carry_out(self._orders.popleft())
            except Exception as error:
                failure = failure or error
        self._busy = False
        if failure is not None:
            raise failure

    def _decide(self, fact: Fact) -> list[Order]:
        now = self._clock()
        outcome: list[Order] | Exception
        try:
            outcome = self._engine.handle(fact, now)
        except Exception as error:
            outcome = error
        if self._record is not None:
            self._record(fact, now, outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _carry_out(self, order: Order) -> None:
        match order:
            case NoteOrder(kind, call, agent, queue, data):
                self._note(kind, call, agent, queue, dict(data))
            case StartTimer(timer, at):
                self._stop(timer)
                self._running[timer] = self._timers.after(max(0.0, at - self._clock()), lambda: self._fire(timer))
            case CancelTimer(timer):
                self._stop(timer)
            case MakeOffer(offer, caller, _agent, endpoint, ring_s):
                self._switch.send(RingPhone(offer, endpoint, ring_s, caller.caller_number, caller.caller_name))
            case WithdrawOffer(offer, elsewhere):
                self._switch.send(HangUp(offer, _ANSWERED_ELSEWHERE) if elsewhere else HangUp(offer))
            case MakeConsult(offer, call, _agent, endpoint, ring_s):
                self._ring_for_talk(offer, call, endpoint, ring_s)
            case ConsultOver(offer, call):
                self._on_consult_over(call, offer)
            case ConnectTalk(offer, call):
                self._switch.send(Connect(call, offer))
            case ReleaseCaller(call, result):
                self._on_result(call, result)

    def _ring_for_talk(self, offer: str, call: str, endpoint: str, ring_s: int) -> None:
        """The display shows who asks: the colleague, not the caller."""
        talk = self._engine.offer_of(call)
        asking = self._engine.floor.agents.get(talk.agent) if talk is not None else None
        number, name = (asking.spec.id, asking.spec.name) if asking is not None else ("", "")
        self._switch.send(RingPhone(offer, endpoint, ring_s, number, name))

    def _fire(self, timer: TimerId) -> None:
        self._running.pop(timer, None)
        self.tell(TimerFired(timer))

    def _stop(self, timer: TimerId) -> None:
        running = self._running.pop(timer, None)
        if running is not None:
            running.cancel()
