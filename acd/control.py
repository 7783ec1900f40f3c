"""Control of talks: what agents and supervisors may do with a talk.

This module decides which command is possible now and what it wants of the talk. How the talk gets there, and what
becomes of it when somebody goes, is `talk_keeper`; who is free and whose talk it is, the engine.
"""

from __future__ import annotations

from collections.abc import Callable

from acd import facts as f
from acd.destinations import Destination, Person, ToAgent, ToFlow, ToNumber, ToQueue, kind_of
from acd.engine import Engine
from acd.errors import NotPossible
from acd.talk_keeper import TalkKeeper
from acd.talks import Layout, Spot, Talk
from pbx.orders import RingNumber
from pbx.ports import Switch


class TalkControl:
    """Commands raise an `AcdError` whose text can be shown to whoever asked, with nothing changed."""

    def __init__(
        self,
        engine: Engine,
        keeper: TalkKeeper,
        *,
        tell: Callable[[f.Fact], None],
        switch: Switch,
        new_leg_id: Callable[[], str],
        number_ring_s: int = 30,
    ) -> None:
        self._engine = engine
        self._keeper = keeper
        self._tell = tell
        self._switch = switch
        self._new_leg_id = new_leg_id
        self._number_ring_s = number_ring_s

    def hold(self, call: str) -> None:
        talk = self._keeper.talk(call)
        if talk.other is not None:
            raise NotPossible("The caller is on hold, or in a conference: cancel that first.")
        self._keeper.do(talk, talk.want(Layout.HELD))

    def resume(self, call: str) -> None:
        talk = self._keeper.talk(call)
        if talk.wanted is not Layout.HELD:
            raise NotPossible("The caller is not on hold.")
        self._keeper.do(talk, talk.want(Layout.TOGETHER))

    def toggle_hold(self, call: str) -> None:
        held = self._keeper.layout(call) == Layout.HELD
        (self.resume if held else self.hold)(call)

    def consult(self, call: str, person: Person) -> None:
        """Ring somebody; the caller waits on hold. Who answers talks with the agent."""
        self._may_ask(call)
        leg = self._ring(call, person)
        talk = self._keeper.talk(call)
        self._keeper.keep(talk, leg, main=False)
        self._keeper.do(talk, talk.ask(leg))

    def complete(self, call: str) -> None:
        """Caller and consulted one talk, now or as soon as that one answers; the agent is out."""
        talk = self._consulting(call)
        self._keeper.hand_over(talk)

    def cancel(self, call: str) -> None:
        """Back to the caller, without the other one."""
        talk = self._consulting(call)
        other = talk.other.channel if talk.other is not None else ""
        self._keeper.do(talk, talk.drop_other())
        self._keeper.let_leg_go(other)
        if other in self._engine.offers.open:
            self._tell(f.ConsultDropped(call))

    def conference(self, call: str) -> None:
        talk = self._consulting(call)
        if talk.other is None or talk.other.spot is Spot.RINGING:
            raise NotPossible("The other one has not answered yet.")
        self._keeper.note_of(call, "talk.conference", {})
        self._keeper.do(talk, talk.want(Layout.CONFERENCE))

    def transfer(self, call: str, to: Destination) -> None:
        """The caller goes there and the agent is out. Somebody who does not answer: back to the queue, same place."""
        if isinstance(to, (ToAgent, ToNumber)):
            self.consult(call, to)
            self._keeper.note_of(call, "talk.transferred", {"to": kind_of(to)})
            self._keeper.hand_over(self._keeper.talk(call))
            return
        if isinstance(to, ToQueue):
            self._engine.lines.line(to.queue)  # must exist
        talk = self._keeper.talk(call)
        name = to.flow if isinstance(to, ToFlow) else to.queue
        self._keeper.note_of(call, "talk.transferred", {"to": kind_of(to), "name": name})
        main = self._keeper.offer(call).id
        self._keeper.let_go(talk, to)
        self._tell(f.TalkEnded(main, f.EndedBy.TRANSFER))
        self._tell(f.ConsultDropped(call))

    def requeue(self, call: str) -> None:
        offer = self._keeper.offer(call)
        self.transfer(call, ToQueue(offer.queue, same_place=True))

    def take_over(self, call: str, agent: str, leg: str) -> None:
        """A supervisor's leg, which listens already, takes the agent's place."""
        talk = self._keeper.talk(call)
        if talk.other is not None:
            raise NotPossible("The agent is consulting somebody: wait until that is over.")
        if talk.moving:  # the agent's leg would end, and with it the supervisor's, before the caller is there
            raise NotPossible("The talk is just being changed: try again in a moment.")
        self._tell(f.TalkTaken(call, agent, leg))
        if talk.leg is not None:
            self._keeper.let_leg_go(talk.leg.channel)
        self._keeper.keep(talk, leg, main=True)
        talk.join(leg)
        self._keeper.do(talk, talk.hand_over())

    # insides -------------------------------------------------------------------------------------------------------

    def _may_ask(self, call: str) -> None:
        talk = self._keeper.talk(call)
        if talk.other is not None:
            raise NotPossible("Somebody is being consulted already: complete or cancel that first.")

    def _consulting(self, call: str) -> Talk:
        talk = self._keeper.talk(call)
        if talk.other is None:
            raise NotPossible("Nobody is being consulted.")
        return talk

    def _ring(self, call: str, person: Person) -> str:
        """Somebody's phone rings; the id of the leg."""
        if isinstance(person, ToAgent):
            self._tell(f.ConsultAsked(call, person.agent))
            return self._engine.offers.consults[call]
        leg = self._new_leg_id()
        agent = self._engine.floor.agents[self._keeper.offer(call).agent].spec
        self._switch.send(RingNumber(leg, person.number, self._number_ring_s, agent.id, agent.name))
        return leg
