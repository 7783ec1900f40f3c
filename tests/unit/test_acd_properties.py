"""Any facts in any order: the engine never raises for a fact of the PBX, and no invariant is ever broken."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from acd import facts as f
from acd.engine import Engine
from acd.errors import AcdError
from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.orders import CancelTimer, MakeOffer, Order, StartTimer, TimerId, TimerKind
from acd.replay import Replay, replay
from acd.skills import Need, Relaxed, Requirement
from acd.states import AgentState
from acd.strategies import Strategy
from tests.fakes.recorded_engine import record

CALLS = st.sampled_from(["anna", "bert", "carl", "dora"])
QUEUES = st.sampled_from(["sales", "help"])
AGENTS = st.sampled_from(["1", "2", "3"])
REQUIREMENTS = st.sampled_from(
    [
        None,
        Requirement(),
        Requirement((Need("es", 3),)),
        Requirement((Need("es", 3),), relax=(Relaxed(20.0, (Need("es", 1),)), Relaxed(40.0))),
        Requirement((Need("bike"),), nice=(Need("es", 2),), relax=(Relaxed(5.0),)),
    ]
)
SKILLS = st.sampled_from([{}, {"es": 1}, {"es": 5}, {"bike": 2}, {"es": 3, "bike": 1}])
NUMBERS = st.integers(0, 7)  # which of the latest offers a fact is about: open ones and old ones


class AnyFacts(RuleBasedStateMachine):
    """Times pass, people do things, the PBX says anything: all in whatever order Hypothesis likes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.made: list[str] = []
        self.timers: dict[TimerId, float] = {}
        self.engine = Engine((), (), self._new_offer_id)
        self.log = record(self.engine, [], [])

    def _new_offer_id(self) -> str:
        self.made.append(f"cb-{len(self.made)}")
        return self.made[-1]

    def tell(self, fact: f.Fact, *, by_person: bool = False) -> list[Order]:
        try:
            orders = self.engine.handle(fact, self.now)
        except AcdError:
            assert by_person, "only a person's command may be refused"
            return []
        for order in orders:
            if isinstance(order, StartTimer):
                self.timers[order.timer] = order.at
            elif isinstance(order, CancelTimer):
                self.timers.pop(order.timer, None)
        makes = [order for order in orders if isinstance(order, MakeOffer)]
        assert len({make.agent for make in makes}) == len(makes)
        alone = [make.caller.call for make in makes if not self.engine.lines.lines[make.caller.queue].spec.rings_all]
        assert len(set(alone)) == len(alone)
        return orders

    def offer(self, number: int) -> str:
        return self.made[-1 - number] if number < len(self.made) else "cb-never"

    @initialize()
    def open_the_house(self) -> None:
        self.tell(f.QueueSet(QueueSpec("sales", wrap_up_s=5.0, max_wait_s=90.0)))
        self.tell(f.QueueSet(QueueSpec("help", wrap_up_s=0.0, strategy=Strategy.RING_ALL)))
        for agent, queues in (("1", ("sales",)), ("2", ("sales", "help")), ("3", ("help",))):
            self.tell(f.AgentSet(AgentSpec(agent, "", agent, queues, {"es": int(agent)})))
            self.tell(f.AgentLoggedIn(agent))

    @rule(seconds=st.sampled_from([0.0, 0.5, 5.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        while due := [timer for timer, at in self.timers.items() if at <= self.now]:
            del self.timers[due[0]]
            self.tell(f.TimerFired(due[0]))

    @rule(call=CALLS, queue=QUEUES, head_start=st.sampled_from([0.0, 20.0]), requirement=REQUIREMENTS)
    def join(self, call: str, queue: str, head_start: float, requirement: Requirement | None) -> None:
        caller = WaitingCaller(call, queue, self.now, head_start, requirement=requirement)
        self.tell(f.CallerJoined(caller), by_person=True)

    @rule(call=CALLS, queue=QUEUES, agent=AGENTS, requirement=REQUIREMENTS)
    def join_for_one(self, call: str, queue: str, agent: str, requirement: Requirement | None) -> None:
        caller = WaitingCaller(call, queue, self.now, requirement=requirement, preferred=agent, preferred_s=10.0)
        self.tell(f.CallerJoined(caller), by_person=True)

    @rule(call=CALLS)
    def leave(self, call: str) -> None:
        self.tell(f.CallerLeft(call))
        assert self.engine.position(call) is None
        assert self.engine.offer_of(call) is None

    @rule(agent=AGENTS, command=st.sampled_from([f.AgentLoggedIn, f.AgentLoggedOut, f.AgentReady, f.AgentRemoved]))
    def command(self, agent: str, command: type[f.AgentLoggedIn]) -> None:
        self.tell(command(agent), by_person=True)

    @rule(agent=AGENTS)
    def pause(self, agent: str) -> None:
        self.tell(f.AgentPaused(agent, "tea"), by_person=True)

    @rule(agent=AGENTS, seconds=st.sampled_from([1.0, 30.0, 1000.0]))
    def wrap_up_is_extended(self, agent: str, seconds: float) -> None:
        self.tell(f.WrapUpExtended(agent, seconds), by_person=True)

    @rule(agent=AGENTS, code=st.sampled_from(["sold", "2", "other"]))
    def disposition(self, agent: str, code: str) -> None:
        self.tell(f.DispositionGiven(agent, code), by_person=True)

    @rule(agent=AGENTS, reachable=st.booleans(), busy=st.booleans())
    def phone(self, agent: str, reachable: bool, busy: bool) -> None:
        self.tell(f.PhoneSeen(agent, reachable, busy))

    @rule(number=NUMBERS, fact=st.sampled_from([f.OfferRinging, f.OfferAnswered, f.TalkStarted]))
    def progress(self, number: int, fact: type[f.OfferRinging]) -> None:
        self.tell(fact(self.offer(number)))

    @rule(fact=st.sampled_from([f.OfferAnswered, f.TalkStarted]))
    def latest_progresses(self, fact: type[f.OfferAnswered]) -> None:
        self.tell(fact(self.offer(0)))

    @rule(number=NUMBERS, reason=st.sampled_from(f.OfferFailure))
    def offer_fails(self, number: int, reason: f.OfferFailure) -> None:
        self.tell(f.OfferFailed(self.offer(number), reason))

    @rule(number=NUMBERS, by=st.sampled_from(f.EndedBy))
    def talk_ends(self, number: int, by: f.EndedBy) -> None:
        self.tell(f.TalkEnded(self.offer(number), by))

    @rule(number=NUMBERS, held=st.booleans())
    def hold(self, number: int, held: bool) -> None:
        offer = self.offer(number)
        self.tell(f.TalkHeld(offer, "phone") if held else f.TalkResumed(offer))

    @rule(call=CALLS, agent=AGENTS)
    def another_agent_is_asked(self, call: str, agent: str) -> None:
        self.tell(f.ConsultAsked(call, agent), by_person=True)

    @rule(call=CALLS)
    def nobody_is_asked_any_more(self, call: str) -> None:
        self.tell(f.ConsultDropped(call))

    @rule(call=CALLS, number=NUMBERS)
    def the_talk_moves(self, call: str, number: int) -> None:
        self.tell(f.TalkMoved(call, self.offer(number)))

    @rule(call=CALLS, agent=AGENTS)
    def the_talk_is_taken(self, call: str, agent: str) -> None:
        self.tell(f.TalkTaken(call, agent, self._new_offer_id()), by_person=True)

    @rule(fact=st.sampled_from([f.SwitchLost(), f.SwitchFound()]))
    def link(self, fact: f.Fact) -> None:
        self.tell(fact)

    @rule(call=CALLS, agent=AGENTS, queue=QUEUES)
    def talk_is_found(self, call: str, agent: str, queue: str) -> None:
        self.tell(f.TalkRestored(self._new_offer_id(), call, agent, queue))

    @rule(agent=AGENTS, state=st.sampled_from(AgentState))
    def agent_is_restored(self, agent: str, state: AgentState) -> None:
        self.tell(f.AgentRestored(agent, state, "", self.now - 10))

    @rule(queue=QUEUES)
    def queue_goes(self, queue: str) -> None:
        self.tell(f.QueueRemoved(queue), by_person=True)

    @rule(queue=QUEUES, ago=st.sampled_from([0.0, 20.0]), leave=st.booleans())
    def queue_closes(self, queue: str, ago: float, leave: bool) -> None:
        self.tell(f.QueueClosed(queue, self.now - ago, leave))

    @rule(queue=QUEUES)
    def queue_opens(self, queue: str) -> None:
        self.tell(f.QueueOpened(queue))

    @rule(
        queue=QUEUES,
        max_wait_s=st.sampled_from([None, 40.0]),
        strategy=st.sampled_from(Strategy),
        requirement=REQUIREMENTS,
        max_waiting=st.sampled_from([None, 0, 1]),
        leave_when_empty=st.booleans(),
        required=st.booleans(),
    )
    def queue_changes(
        self,
        queue: str,
        max_wait_s: float | None,
        strategy: Strategy,
        requirement: Requirement | None,
        max_waiting: int | None,
        leave_when_empty: bool,
        required: bool,
    ) -> None:
        spec = QueueSpec(
            queue,
            wrap_up_s=5.0,
            max_wait_s=max_wait_s,
            strategy=strategy,
            requirement=requirement or Requirement(),
            max_waiting=max_waiting,
            leave_when_empty=leave_when_empty,
            wrap_up_max_s=20.0,
            dispositions={"1": "sold", "2": "callback"},
            disposition_required=required,
        )
        self.tell(f.QueueSet(spec))

    @rule(agent=AGENTS, queues=st.lists(QUEUES, unique=True).map(tuple), skills=SKILLS)
    def agent_changes(self, agent: str, queues: tuple[str, ...], skills: dict[str, int]) -> None:
        self.tell(f.AgentSet(AgentSpec(agent, "", agent, queues, skills)))

    @rule(which=NUMBERS)
    def timer_fires_early(self, which: int) -> None:
        early = sorted(timer for timer, at in self.timers.items() if at > self.now + 1)
        if early:
            self.tell(f.TimerFired(early[which % len(early)]))

    @rule(kind=st.sampled_from(TimerKind), key=AGENTS)
    def timer_that_was_never_set(self, kind: TimerKind, key: str) -> None:
        timer = TimerId(kind, key)
        if timer not in self.timers:
            assert self.tell(f.TimerFired(timer)) == []

    def teardown(self) -> None:
        """Whatever was told leads to the same orders again, from the start and from any state on the way."""
        play = Replay()
        half = len(self.log) // 2
        for entry in self.log[:half]:
            play.take(entry)
        state = play.state()
        for entry in self.log[half:]:
            play.take(entry)
        assert play.differences == []
        later = replay(self.log[half:], state)
        assert later.differences == []
        assert later.state() == play.state()

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert violations(self.engine) == []

    @invariant()
    def the_shells_timers_are_the_engines(self) -> None:
        assert self.timers == self.engine.outbox.timers


TestAnyFacts = AnyFacts.TestCase
TestAnyFacts.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
