"""Supervisors in other people's talks: they listen, whisper to the agent, barge in, and take the talk over.

This module decides whose leg listens to whom and in which way. It refuses to know who may do so (whoever gives the
command does) and what a talk goes through meanwhile: a supervisor stays with the agent's leg, and goes with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acd.control import TalkControl
from acd.engine import Engine
from acd.errors import NoTalk, NotPossible
from acd.ports import Note
from acd.talk_keeper import TalkKeeper
from pbx import facts as pf
from pbx.orders import HangUp, RingPhone, Spy, SpyMode
from pbx.ports import Switch

RING_S = 20


@dataclass(slots=True)
class Watch:
    """One supervisor in one talk. `mode` is what is wanted; `settled`: the PBX has done the last order."""

    supervisor: str
    call: str
    spied: str
    mode: SpyMode
    answered: bool = False
    settled: bool = False
    applied: SpyMode | None = None


class Supervision:
    """Commands raise an `AcdError` whose text can be shown."""

    def __init__(
        self,
        engine: Engine,
        control: TalkControl,
        talks: TalkKeeper,
        *,
        switch: Switch,
        note: Note,
        new_leg_id: Callable[[], str],
    ) -> None:
        self._engine = engine
        self._control = control
        self._talks = talks
        self._switch = switch
        self._note = note
        self._new_leg_id = new_leg_id
        self._watches: dict[str, Watch] = {}  # by leg

    def watch(self, call: str, supervisor: str, mode: SpyMode) -> None:
        """Ring the supervisor's phone; when they watch this call already, change the way."""
        found = self._leg_of(call, supervisor)
        if found is not None:
            self._watches[found].mode = mode
            self._apply(found)
            return
        spied = self._talks.leg_of(call)
        if spied is None or spied not in self._engine.offers.open:
            raise NoTalk(call)
        agent = self._engine.floor.agent(supervisor)
        if self._engine.offers.open[spied].agent == supervisor:
            raise NotPossible("This is the supervisor's own talk.")
        if agent.offer is not None or agent.phone_busy or not agent.reachable:
            raise NotPossible("The supervisor's phone is in use or cannot be reached.")
        leg = self._new_leg_id()
        self._watches[leg] = Watch(supervisor, call, spied, mode)
        self._switch.send(RingPhone(leg, agent.spec.endpoint, RING_S, "", "Supervision"))

    def stop(self, call: str, supervisor: str) -> None:
        self._switch.send(HangUp(self._watching(call, supervisor)))

    def take_over(self, call: str, supervisor: str) -> None:
        """The talk is the supervisor's now, the agent is out of it."""
        leg = self._watching(call, supervisor)
        if not self._watches[leg].answered:
            raise NotPossible("The supervisor's phone still rings.")
        self._control.take_over(call, supervisor, leg)
        del self._watches[leg]

    def owns(self, leg: str) -> bool:
        return leg in self._watches

    def of_call(self, call: str) -> list[tuple[str, str]]:
        """`(supervisor, mode)` of whoever is in this call."""
        return [(one.supervisor, one.mode.value) for one in self._watches.values() if one.call == call and one.answered]

    def key(self, leg: str, key: str) -> bool:
        """On the supervisor's phone: 4 listens, 5 whispers, 6 barges in, 7 takes over. True for a leg that is ours."""
        watch = self._watches.get(leg)
        if watch is None:
            return False
        mode = {"4": SpyMode.LISTEN, "5": SpyMode.WHISPER, "6": SpyMode.BARGE}.get(key)
        if mode is not None:
            watch.mode = mode
            self._apply(leg)
        elif key == "7" and watch.answered:
            self.take_over(watch.call, watch.supervisor)
        return True

    def handle(self, fact: pf.Fact) -> bool:
        """True when the fact was about a supervisor's leg, and nobody else need see it."""
        match fact:
            case pf.LegAnswered(channel=leg) if leg in self._watches:
                self._watches[leg].answered = self._watches[leg].settled = True
                self._apply(leg)
            case pf.LegSpies(channel=leg) if leg in self._watches:
                self._spies(leg)
            case pf.LegFailed(channel=leg) if leg in self._watches:
                del self._watches[leg]
            case pf.ChannelGone(channel=leg) if leg in self._watches:
                watch = self._watches.pop(leg)
                self._say("talk.supervision_ended", watch)
            case pf.OrderFailed(channel=leg, order="RingPhone") if leg in self._watches:
                del self._watches[leg]
                self._switch.send(HangUp(leg))  # of unknown fate: it may ring yet
            case pf.OrderFailed(channel=leg, order="Spy") if leg in self._watches:
                self._watches[leg].settled, self._watches[leg].applied = True, None
            case pf.LegRinging(channel=leg) if leg in self._watches:
                pass
            case _:
                return False
        return True

    def _apply(self, leg: str) -> None:
        """One order at a time: a channel on its way takes no other."""
        watch = self._watches[leg]
        if watch.settled and watch.applied is not watch.mode:
            watch.settled, watch.applied = False, watch.mode
            self._switch.send(Spy(leg, watch.spied, watch.mode))

    def _spies(self, leg: str) -> None:
        watch = self._watches[leg]
        watch.settled = True
        self._say("talk.supervised", watch)
        self._apply(leg)

    def _say(self, kind: str, watch: Watch) -> None:
        talk = self._engine.offers.open.get(watch.spied)
        queue = talk.queue if talk is not None else None
        self._note(kind, watch.call, watch.supervisor, queue, {"mode": (watch.applied or watch.mode).value})

    def _leg_of(self, call: str, supervisor: str) -> str | None:
        return next(
            (leg for leg, one in self._watches.items() if one.call == call and one.supervisor == supervisor), None
        )

    def _watching(self, call: str, supervisor: str) -> str:
        leg = self._leg_of(call, supervisor)
        if leg is None:
            raise NotPossible("The supervisor is not in this call.")
        return leg
