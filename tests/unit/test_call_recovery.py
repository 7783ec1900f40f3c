"""The link is lost, the service is killed, facts are missed: in every phase the call goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from acd.model import QueueSpec
from cordboard.grip import LONGEST_FENCE_S
from cordboard.memory import Memory, Phase
from pbx.facts import CallReturned, ChannelGone, LinkUp, Looked, Origin, PhoneChanged, PhoneState, Place, Snapshot
from pbx.orders import HangUp, StartMusic, TakeOver
from tests.fakes.brain import DEAD_MAN_S, Brain
from tests.fakes.switch import PhoneScript

Back = Callable[[Brain], Brain]


def relinked(brain: Brain) -> Brain:
    brain.restore_link()
    return brain


def restarted(brain: Brain) -> Brain:
    after = brain.successor(agents=tuple(brain.distributor.engine.floor.agents))
    after.time.settle()
    return after


WAYS = [
    pytest.param((Brain.lose_link, relinked), id="link"),
    pytest.param((Brain.killed, restarted), id="restart"),
]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[Callable[[Brain], None], Back]:
    chosen: tuple[Callable[[Brain], None], Back] = request.param
    return chosen


Way = tuple[Callable[[Brain], None], Back]


def nobody(**more: Any) -> Brain:
    return Brain(agents=(), **more)


def quiet() -> Brain:
    brain = Brain()
    brain.pbx.phones["1001"] = PhoneScript.rings_on()
    return brain


def test_before_the_answer(way: Way) -> None:
    lose, find = way
    brain = nobody()
    brain.pbx.answer_seconds = None
    brain.pbx.call("c1")
    lose(brain)
    brain.pbx.answer_seconds = 0.0
    brain = find(brain)
    brain.time.advance(1.5)
    assert brain.heard("c1")[-2:] == ["Hello", "Menu"]


def test_in_a_prompt(way: Way) -> None:
    lose, find = way
    brain = nobody()
    brain.pbx.call("c1")
    brain.time.advance(0.5)
    lose(brain)
    brain.time.advance(10)
    brain = find(brain)
    assert brain.heard("c1") == ["Hello", "Hello"]


def test_in_the_menu(way: Way) -> None:
    """The node begins again; keys that were pressed meanwhile are lost, and nothing ran on without a link."""
    lose, find = way
    brain = nobody().in_menu("c1")
    lose(brain)
    brain.pbx.press("c1", "1")
    brain.time.advance(30)
    assert brain.heard("c1") == ["Hello", "Menu"]
    brain = find(brain)
    assert brain.heard("c1") == ["Hello", "Menu", "Menu"]
    brain.pbx.press("c1", "1")
    brain.time.settle()
    assert brain.phase("c1") == "queue"
    brain.pbx.hang_up("c1")
    assert brain.ended("c1")["outcome"] == "abandoned_in_queue"


def test_in_the_queue(way: Way) -> None:
    lose, find = way
    brain = nobody().in_queue("c1")
    brain.time.advance(5)
    brain.in_queue("c2")
    joined = {call: brain.calls.get(call).waiting.joined_at for call in ("c1", "c2")}  # type: ignore[union-attr]
    lose(brain)
    brain.time.advance(10)
    brain = find(brain)
    assert [brain.distributor.position(call) for call in ("c1", "c2")] == [1, 2]
    assert {call: brain.calls.get(call).waiting.joined_at for call in joined} == joined  # type: ignore[union-attr]
    assert brain.music("c1") == "default"
    brain.time.advance(3 * DEAD_MAN_S)
    assert brain.phase("c1") == "queue"
    brain.pbx.hang_up("c1")
    assert brain.ended("c1")["outcome"] == "abandoned_in_queue"
    assert brain.distributor.position("c2") == 1


def test_the_clock_was_put_back_between_two_lives() -> None:
    """Whoever waits is not behind those who come later, and nobody has waited for less than nothing."""
    brain = nobody().in_queue("c1")
    brain.time.advance(5)
    brain.in_queue("c2")
    brain.killed()
    brain.pbx.time.put_back(3600)
    brain = brain.successor(agents=())
    brain.time.advance(10)
    brain.in_queue("c3")
    assert [brain.distributor.position(call) for call in ("c1", "c2", "c3")] == [1, 2, 3]
    for call in ("c1", "c2", "c3"):
        waits = brain.calls.get(call)
        assert waits is not None
        assert waits.arrived_at <= waits.waiting.joined_at <= brain.time.now()


def test_too_long_in_the_queue_meanwhile(way: Way) -> None:
    """The flow goes on once, and only when the fence says that the channel is ours."""
    lose, _ = way
    short = (QueueSpec("sales", max_wait_s=5.0),)
    brain = nobody(queues=short).in_queue("c1")
    lose(brain)
    brain.time.advance(4.9)
    brain.pbx.answer_seconds = 2.0  # the fence takes its time
    if brain.alive:
        brain.restore_link()
    else:
        brain = brain.successor(agents=(), queues=short)
    brain.time.advance(1.5)
    assert brain.phase("c1") == "flow"
    assert brain.heard("c1")[2:] == []
    brain.time.advance(1)
    assert brain.heard("c1")[2:] == ["Sorry"]
    brain.time.advance(10)
    assert brain.heard("c1")[2:] == ["Sorry", "Bye"]
    assert brain.ended("c1")["outcome"] == "completed"


def test_the_queue_is_no_more_after_the_restart() -> None:
    brain = nobody().in_queue("c1").successor(agents=(), queues=(QueueSpec("support"),))
    brain.time.settle()
    assert brain.heard("c1")[2:] == ["Sorry"]
    assert brain.music("c1") == ""
    brain.time.advance(10)
    assert brain.ended("c1")["outcome"] == "completed"


def test_while_the_agent_rings(way: Way) -> None:
    lose, find = way
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    lose(brain)
    brain = find(brain)
    brain.time.settle()
    if brain.life == 1:
        assert brain.leg() == leg  # the offer stands
    else:
        assert leg in brain.hung_up()
        assert brain.leg() != leg  # the caller is offered anew
    brain.pbx.answer_leg(brain.leg())
    brain.time.settle()
    assert brain.phase("c1") == "talk"
    assert brain.agent() == "talking"


def test_agent_answers_unseen(way: Way) -> None:
    lose, find = way
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    lose(brain)
    brain.pbx.answer_leg(leg)
    brain = find(brain)
    brain.time.advance(0.5)
    if brain.life == 1:
        assert brain.phase("c1") == "talk"
        assert brain.agent() == "talking"
    else:
        assert leg in brain.hung_up()
        assert brain.phase("c1") == "queue"


def test_agent_stops_ringing_unseen(way: Way) -> None:
    lose, find = way
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    lose(brain)
    brain.pbx.hang_up(leg)
    brain = find(brain)
    brain.time.advance(6)
    assert brain.leg() != leg
    brain.pbx.answer_leg(brain.leg())
    brain.time.settle()
    assert brain.phase("c1") == "talk"


def test_caller_gone_unseen_while_the_agent_rings(way: Way) -> None:
    lose, find = way
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    lose(brain)
    brain.pbx.hang_up("c1")
    brain = find(brain)
    brain.time.settle()
    assert leg in brain.hung_up()
    assert len(brain.calls) == 0
    assert brain.agent() == "ready"
    if brain.life == 1:
        assert brain.ended("c1") == {"outcome": "abandoned_in_queue", "ended_by": "unknown"}
    else:
        assert "c1" not in brain.here  # its record is closed by whoever keeps the records


def test_the_talk_begins_unseen(way: Way) -> None:
    lose, find = way
    brain = quiet()
    brain.pbx.connect_seconds = 1.0
    brain.in_queue("c1")
    leg = brain.leg()
    brain.pbx.answer_leg(leg)
    lose(brain)
    brain.time.advance(2)
    brain = find(brain)
    assert brain.phase("c1") == "talk"
    assert brain.agent() == "talking"
    brain.time.advance(10 * DEAD_MAN_S)
    assert brain.pbx.channels["c1"].bridge
    brain.pbx.hang_up(leg)
    brain.time.settle()
    assert brain.heard("c1")[-1] == "Survey"


def test_put_through_to_nobody_unseen(way: Way) -> None:
    """On its way the dialplan ended the music; whoever waits again hears it again."""
    lose, find = way
    brain = quiet()
    brain.pbx.connect_seconds = 1.0
    brain.in_queue("c1")
    leg = brain.leg()
    brain.pbx.answer_leg(leg)
    lose(brain)
    brain.pbx.hang_up(leg)
    brain.time.advance(2)
    assert brain.music("c1") == ""
    brain = find(brain)
    assert brain.phase("c1") == "queue"
    assert brain.music("c1") == "default"
    brain.time.advance(3 * DEAD_MAN_S)
    assert brain.calls.get("c1") is not None
    assert "talk.started" not in brain.kinds("c1")


def test_in_a_talk(way: Way) -> None:
    lose, find = way
    brain = Brain().in_talk("c1")
    leg = brain.leg()
    lose(brain)
    brain.time.advance(100)
    brain = find(brain)
    brain.time.advance(100)
    assert brain.pbx.channels["c1"].bridge
    assert brain.agent() == "talking"
    assert brain.hung_up() == []
    brain.pbx.hang_up(leg)
    brain.time.advance(10)
    assert brain.heard("c1")[-2:] == ["Survey", "Bye"]
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "flow"}


def test_agent_ends_the_talk_unseen(way: Way) -> None:
    """The caller came back into nobody's hands: first they are fenced, then the flow goes on."""
    lose, find = way
    brain = Brain().in_talk("c1")
    leg = brain.leg()
    lose(brain)
    brain.pbx.hang_up(leg)
    brain.time.advance(5)
    brain = find(brain)
    assert brain.pbx.last(TakeOver).channel == "c1"
    assert brain.heard("c1")[2:] == ["Survey"]
    assert brain.pbx.channels["c1"].commands
    assert brain.agent() in {"wrap_up", "ready"}
    brain.time.advance(10)
    assert brain.heard("c1")[2:] == ["Survey", "Bye"]
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "flow"}


def test_caller_ends_the_talk_unseen(way: Way) -> None:
    lose, find = way
    brain = Brain().in_talk("c1")
    lose(brain)
    brain.pbx.hang_up("c1")
    brain.time.settle()
    brain = find(brain)
    assert len(brain.calls) == 0
    assert brain.agent() in {"wrap_up", "ready"}
    if brain.life == 1:
        assert brain.ended("c1") == {"outcome": "talked", "ended_by": "unknown"}


def test_on_the_way_back_from_a_talk(way: Way) -> None:
    """The look falls between the end of the talk and the moment in which the channel waits for commands again."""
    lose, find = way
    brain = Brain().in_talk("c1")
    leg = brain.leg()
    lose(brain)
    back, brain.pbx.sink = brain.pbx.sink, None
    brain.pbx.hang_up(leg)
    brain.pbx.sink = back
    brain.pbx.between.add("c1")
    brain = find(brain)
    brain.pbx.between.clear()
    assert brain.heard("c1")[2:] == []
    brain.pbx.emit(CallReturned("c1"))
    brain.time.settle()
    assert brain.heard("c1")[2:] == ["Survey"]
    assert brain.pbx.channels["c1"].commands
    brain.time.advance(10)
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "flow"}


def test_away_too_long(way: Way) -> None:
    lose, find = way
    brain = nobody().in_menu("menu").in_queue("waits")
    lose(brain)
    brain.time.advance(2 * DEAD_MAN_S)
    assert set(brain.pbx.places.values()) == {Place.FALLBACK}
    brain = find(brain)
    assert {brain.phase("menu"), brain.phase("waits")} == {"fallback"}
    assert not brain.distributor.knows("waits")
    brain.pbx.take()
    brain.time.advance(60)
    assert brain.pbx.take() == []
    for call in ("menu", "waits"):
        brain.pbx.hang_up(call)
        assert brain.ended(call)["outcome"] == "fallback"


def test_the_link_is_lost_again_before_the_fence_is_answered() -> None:
    brain = nobody().in_menu("c1")
    brain.lose_link()
    brain.pbx.restore_link(brain.pbx.look())
    brain.lose_link()
    brain.time.advance(1)
    brain.restore_link()
    assert brain.heard("c1") == ["Hello", "Menu", "Menu"]
    assert len(brain.pbx.sent(TakeOver)) == 2


def test_a_call_hung_up_by_us_is_hung_up_again() -> None:
    brain = nobody().in_menu("c1")
    brain.calls.stop()
    brain.lose_link()
    brain.pbx.take()
    brain.restore_link()
    assert brain.pbx.take() == [HangUp("c1")]
    assert brain.ended("c1")["outcome"] == "stopped"


def test_a_channel_that_was_elsewhere_is_found_later() -> None:
    """At the look after the link came back it did not wait for commands; a later look shows that it does."""
    brain = nobody().in_menu("c1")
    brain.lose_link()
    brain.pbx.between.add("c1")
    brain.restore_link()
    brain.pbx.between.clear()
    assert brain.heard("c1") == ["Hello", "Menu"]
    brain.look()
    assert brain.heard("c1") == ["Hello", "Menu"]  # the look may be older than what we know
    brain.time.advance(5)
    brain.look()
    assert brain.heard("c1") == ["Hello", "Menu", "Menu"]


def test_facts_between_login_and_the_first_look() -> None:
    """What the look shows already comes again as facts."""
    brain = nobody().in_menu("c1").in_queue("c2")
    brain.killed()
    after = Brain(brain.pbx, agents=(), life=2, linked=False)
    after.pbx.up = True
    after.pbx.restore_link(after.pbx.look())
    after.pbx.call("c3")
    known = after.pbx.channels["c2"]
    after.pbx.call("c2", dialled="100")
    after.pbx.channels["c2"] = known
    after.time.settle()
    assert after.phase("c2") == "queue"
    assert [kind for kind in after.kinds("c2") if kind.startswith("call.")] == ["call.recovered"]
    assert after.phase("c3") == "flow"


def test_a_call_without_memory_begins_anew() -> None:
    brain = nobody().in_menu("c1")
    brain.killed()
    brain.pbx.memories["c1"] = '{"p": "flow", "a": 1e999}'
    after = brain.successor(agents=())
    after.time.advance(1.5)
    assert after.heard("c1") == ["Hello", "Menu", "Hello", "Menu"]


def test_a_feature_call_of_before_is_hung_up(way: Way) -> None:
    lose, find = way
    brain = Brain()
    brain.pbx.call("f1", dialled="*47", origin="agent", endpoint="1001")
    lose(brain)
    brain = find(brain)
    brain.time.settle()
    assert brain.hung_up() == ["f1"]
    assert len(brain.calls) == 0


def test_which_calls_are_here_is_told_once() -> None:
    """Records of whoever is not here are closed: a channel that only exists is not a call of ours."""
    brain = nobody().in_queue("c1").in_menu("c2")
    brain.killed()
    brain.pbx.places["c2"] = Place.OTHER
    after = brain.successor(agents=())
    assert after.here == {"c1"}
    after.here.clear()
    after.lose_link()
    after.restore_link()
    assert after.here == set()


def test_the_talk_of_an_agent_who_is_no_more() -> None:
    brain = Brain().in_talk("c1")
    leg = brain.leg()
    brain = brain.successor(agents=())
    brain.time.advance(20)
    assert brain.pbx.channels["c1"].bridge
    assert brain.hung_up() == []
    brain.pbx.hang_up(leg)
    brain.time.advance(10)
    assert brain.heard("c1")[2:] == ["Survey", "Bye"]


# periodic looks


def test_a_look_at_a_quiet_site_changes_nothing() -> None:
    brain = Brain(agents=("1001",)).in_talk("talks")
    brain.in_queue("waits").in_menu("menu")
    brain.pbx.take()
    before = len(brain.notes)
    for _ in range(5):
        brain.look()
    assert [order for order in brain.pbx.take() if type(order).__name__ != "Look"] == []
    assert len(brain.notes) == before


def test_a_hang_up_that_was_missed() -> None:
    brain = nobody().in_queue("c1")
    sink, brain.pbx.sink = brain.pbx.sink, None
    brain.pbx.hang_up("c1")
    brain.pbx.sink = sink
    brain.look()
    brain.look()
    assert brain.ended("c1") == {"outcome": "abandoned_in_queue", "ended_by": "unknown"}


def test_an_arrival_that_was_missed() -> None:
    brain = nobody()
    sink, brain.pbx.sink = brain.pbx.sink, None
    brain.pbx.call("c1")
    brain.pbx.sink = sink
    brain.look()
    assert brain.phase("c1") is None
    brain.look()
    assert brain.heard("c1") == ["Hello"]


def test_a_return_that_was_missed() -> None:
    brain = Brain().in_talk("c1")
    sink, brain.pbx.sink = brain.pbx.sink, None
    brain.pbx.hang_up(brain.leg())
    brain.pbx.sink = sink
    for _ in range(4):
        brain.time.advance(5)
        brain.look()
    brain.time.advance(10)
    assert brain.heard("c1")[2:] == ["Survey", "Bye"]
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "flow"}
    assert brain.agent() in {"wrap_up", "ready"}


def test_a_stranger_does_not_cost_others_their_offer() -> None:
    """A look that finds somebody new may be older than the offers and callers of this moment."""
    brain = quiet()
    sink, brain.pbx.sink = brain.pbx.sink, None
    brain.pbx.call("lost")
    brain.pbx.memories["lost"] = Memory(Phase.QUEUE, 1.0, Origin.PUBLIC, "100", "test", "sales", 1.7e9).dump()
    brain.pbx.sink = sink
    brain.look()
    old = brain.pbx.look()
    brain.in_queue("c1")
    leg = brain.leg()
    brain.handle(Looked(old))
    brain.time.settle()
    assert brain.phase("lost") == "queue"
    assert brain.leg() == leg
    assert [brain.distributor.position(call) for call in ("lost", "c1")] == [1, 2]


def test_a_leg_that_has_not_rung_yet_is_nobodys_stray() -> None:
    brain = Brain()
    brain.pbx.phones.clear()  # dialled, but no word of it yet
    brain.in_queue("c1")
    leg = brain.leg()
    brain.look()
    brain.look()
    brain.lose_link()
    brain.restore_link()
    assert leg in brain.pbx.channels
    assert leg not in brain.hung_up()


def test_phones_of_a_look_count_when_two_say_so() -> None:
    brain = Brain()
    brain.handle(PhoneChanged("1001", PhoneState.IDLE))
    brain.pbx.phone_states["1001"] = PhoneState.UNREACHABLE
    brain.look()
    (view,) = brain.distributor.views()["agents"]
    assert view["reachable"]
    brain.look()
    (view,) = brain.distributor.views()["agents"]
    assert not view["reachable"]


def test_the_pbx_started_anew() -> None:
    brain = Brain().in_talk("c1").in_queue("c2")
    brain.lose_link()
    brain.pbx.channels.clear()
    brain.handle(LinkUp(Snapshot((), {"1001": PhoneState.UNREACHABLE})))
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "unknown"}
    assert brain.ended("c2") == {"outcome": "abandoned_in_queue", "ended_by": "unknown"}
    brain.handle(ChannelGone("c1", 16))
    assert brain.kinds("c1").count("call.ended") == 1


def test_memory_of_a_newer_version_is_used_as_far_as_it_goes() -> None:
    brain = nobody().in_queue("c1")
    brain.killed()
    fields = json.loads(brain.pbx.memories["c1"]) | {"new": [1, 2, 3]}
    brain.pbx.memories["c1"] = json.dumps(fields)
    brain.pbx.take()
    after = brain.successor(agents=())
    after.time.settle()
    assert after.phase("c1") == "queue"
    assert after.pbx.sent(StartMusic) == []


def test_while_a_fence_is_not_answered_the_plain_dialplan_stays_away() -> None:
    """A caller who leaves a message when the service is restarted may speak on for minutes."""
    brain = nobody().in_menu("c1")
    brain.lose_link()
    brain.pbx.answer_seconds = None
    brain.restore_link()
    brain.time.advance(5 * DEAD_MAN_S)
    assert brain.pbx.places["c1"] is Place.ARRIVAL
    brain.pbx.answer_seconds = 0.0
    brain.pbx.finish("c1")
    brain.time.settle()
    assert brain.heard("c1") == ["Hello", "Menu", "Menu"]


def test_a_fence_that_is_never_answered_ends_in_the_plain_dialplan() -> None:
    brain = nobody().in_menu("c1")
    brain.lose_link()
    brain.pbx.answer_seconds = None
    brain.restore_link()
    brain.time.advance(LONGEST_FENCE_S + 2 * DEAD_MAN_S)
    assert brain.pbx.places["c1"] is Place.FALLBACK
