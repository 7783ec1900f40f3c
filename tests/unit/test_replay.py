"""Decisions worked out again from what was written down: the same, or it is said where they are not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd import facts as f
from acd import orders as o
from acd.codec import NotDecodable, decode, encode
from acd.engine import Engine
from acd.model import PERSONAL, AgentSpec, QueueSpec, Rules, WaitingCaller
from acd.replay import Began, Entry, Replay, State, began, fact_of, replay, told
from acd.simulate.load import Load, Staffing, Stream
from acd.simulate.simulator import chances
from acd.simulate.world import World
from acd.skills import Need, Relaxed, Requirement
from acd.snapshot import SnapshotMismatch, restore, snapshot
from acd.strategies import Strategy
from tests.fakes.faulty_world import REQUIREMENTS, FaultyWorld
from tests.fakes.recorded_engine import record

ROOT = Path(__file__).parents[2]
FACTS = get_args(f.Fact)
WORDS = st.text(max_size=6)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotation, for whatever fields facts and orders come to have."""
    if get_origin(hint) in (Union, UnionType):
        return st.one_of(*map(values, get_args(hint)))
    if hint is NoneType:
        return st.none()
    if hint is Requirement:
        return st.sampled_from([one for one in REQUIREMENTS if one is not None])
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(hint, **{one.name: values(hints[one.name]) for one in fields(hint)})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and issubclass(hint, tuple):
        return st.tuples(*map(values, get_type_hints(hint).values())).map(hint._make)  # type: ignore[attr-defined]
    if get_origin(hint) is tuple:
        members = get_args(hint)
        return (
            st.lists(values(members[0]), max_size=3).map(tuple) if ... in members else st.tuples(*map(values, members))
        )
    if get_origin(hint) is Mapping:
        return st.dictionaries(*map(values, get_args(hint)), max_size=3)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: WORDS,
        bool: st.booleans(),
        int: st.integers(-9, 10**6),
        float: st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0),  # 0.0 and -0.0 are equal
    }
    return simple[hint]


def impersonal(value: Any) -> Any:
    """The same without numbers and names, at any depth of dataclasses."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    kept = {}
    for one in fields(value):
        kept[one.name] = "" if one.metadata.get(PERSONAL) else impersonal(getattr(value, one.name))
    return replace(value, **kept)


@pytest.mark.parametrize("cls", [*FACTS, *get_args(o.Order)], ids=lambda cls: cls.__name__)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_fact_and_order_comes_back_as_it_was(cls: type[Any], data: st.DataObject) -> None:
    value = data.draw(values(cls))
    text = json.dumps(encode(value))
    back = decode(cls, json.loads(text))
    assert back == impersonal(value)
    for one in get_type_hints(cls):  # enums come back as enums, which `==` does not see
        assert repr(getattr(back, one)) == repr(getattr(impersonal(value), one))


@settings(max_examples=30, deadline=None)
@given(values(Began))
def test_a_configuration_comes_back_as_it_was(configuration: Began) -> None:
    back = decode(Began, json.loads(json.dumps(encode(configuration))))
    assert (back.queues, back.rules) == (configuration.queues, configuration.rules)
    assert back.agents == tuple(map(impersonal, configuration.agents))


def test_numbers_and_names_are_not_written_down() -> None:
    caller = WaitingCaller("c-1", "q", 5.0, caller_number="+34600111222", caller_name="Zoe Quint")
    agent = AgentSpec("1001", "Ana Wexler", "1001", ("q",))
    engine = Engine((QueueSpec("q"),), (agent,), lambda: "cb-1")
    log = [began(1, 0.0, Began((QueueSpec("q"),), (agent,), Rules()))]
    for number, fact in enumerate((f.AgentLoggedIn("1001"), f.CallerJoined(caller), f.AgentSet(agent)), start=2):
        log.append(told(number, 5.0, fact, engine.handle(fact, 5.0)))
    text = repr(log) + json.dumps(snapshot(engine))
    assert not [secret for secret in ("34600", "Zoe", "Quint", "Ana", "Wexler") if secret in text]
    assert replay(log).differences == [], "and without them the decisions are the same"


def test_what_another_version_wrote_is_refused() -> None:
    with pytest.raises(NotDecodable, match="AgentLoggedIn"):
        decode(f.AgentLoggedIn, {"agent": "1001", "mood": "good"})
    with pytest.raises(NotDecodable, match="CallerJoined"):
        decode(f.CallerJoined, {})
    with pytest.raises(NotDecodable, match="Dreamt"):
        fact_of(Entry(1, 0.0, "Dreamt", None, "{}", "", ""))


def day(seed: int, facts: int) -> tuple[FaultyWorld, list[Entry]]:
    world = FaultyWorld(seed, callers_per_s=1.0)
    log = record(world.engine, world.queues, world.specs)
    world.run(facts=facts, check_every=facts)
    return world, log


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_day_of_a_faulty_pbx_replayed_gives_the_same_orders(seed: int) -> None:
    world, log = day(seed, 5_000)
    play = Replay()
    orders = [order for entry in log for order in play.take(entry)]
    assert play.differences == []
    assert play.facts == world.facts
    assert orders == world.orders  # the world's callers have no names, so the very same


def test_a_replay_can_begin_at_any_state_that_another_came_to() -> None:
    world, log = day(4, 4_000)
    play = Replay()
    states = []
    for entry in log:
        play.take(entry)
        if entry.number % 391 == 0:
            states.append(play.state())
    assert len(states) > 8
    for state in states:
        assert state is not None
        later = replay((entry for entry in log if entry.number > state.number), state)
        assert later.differences == []
        assert later.state() == play.state()
    final = play.state()
    assert final is not None
    assert json.loads(final.body) == json.loads(json.dumps(snapshot(world.engine)))


def test_a_simulated_day_replayed_gives_the_same_orders() -> None:
    queues = (
        QueueSpec("q", wrap_up_s=20.0, noted_positions=0, strategy=Strategy.LEAST_OCCUPIED),
        QueueSpec("gold", head_start_s=60.0, noted_positions=0, max_wait_s=120.0),
    )
    agents = tuple(AgentSpec(f"a{n}", "", f"p{n}", ("q", "gold"), {"es": n % 6}) for n in range(1, 12))
    spanish = Requirement((Need("es", 4),), relax=(Relaxed(30.0, (Need("es", 1),)),))
    streams = (Stream("q", 100, 180, patience_s=90), Stream("gold", 60, 120, requirement=spanish))
    load = Load(streams, hours=10)
    world = World(load, Staffing(queues, agents), chances(load, 5))
    start = State(1, 0.0, json.dumps(snapshot(world.engine)))
    log = record(world.engine, list(queues), list(agents))
    world.run()
    play = replay(log[1:], start)
    assert play.differences == []
    assert play.facts > 5_000


def test_the_order_of_hashes_changes_no_state() -> None:
    script = (
        "from hashlib import sha256; from tests.unit.test_replay import day; from acd.replay import replay;"
        "print(sha256(replay(day(9, 1_000)[1]).state().body.encode()).hexdigest())"
    )

    def digest(seed: str) -> bytes:
        return subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, env={"PYTHONHASHSEED": seed})

    assert digest("1") == digest("2")


# A log that is not what was written


def changed(log: list[Entry], index: int, **change: Any) -> list[Entry]:
    return [*log[:index], log[index]._replace(**change), *log[index + 1 :]]


@pytest.fixture(scope="module")
def small() -> list[Entry]:
    return day(6, 400)[1]


@pytest.mark.parametrize(
    "change", [{"body": "{}"}, {"at": 1.5}, {"kind": "SwitchLost"}, {"offers": "cb-77"}, {"call": "c-2"}]
)
def test_a_changed_line_is_noticed(small: list[Entry], change: dict[str, Any]) -> None:
    play = replay(changed(small, 200, **change))
    assert [str(one) for one in play.differences] == ["line 201: it was changed after it was written"]
    assert play.engine is None
    assert play.state() is None, "nothing is worked out from a log that is not to be believed"


def test_a_fact_changed_with_its_digest_leads_elsewhere(small: list[Entry]) -> None:
    index = next(n for n, entry in enumerate(small) if entry.kind == "CallerJoined" and n > 50)
    fact = fact_of(small[index])
    assert isinstance(fact, f.CallerJoined)
    forged = told(small[index].number, small[index].at, f.CallerJoined(replace(fact.caller, call="other")), [])
    log = changed(small, index, **{**forged._asdict(), "digest": forged.digest[:8] + small[index].digest[8:]})
    (difference,) = replay(log).differences
    assert str(difference) == f"line {index + 1}: CallerJoined leads to other orders than it did"


def test_a_missing_line_is_noticed(small: list[Entry]) -> None:
    (difference,) = replay([*small[:100], *small[103:]]).differences
    assert str(difference) == "line 104: 3 lines are missing before it"


def test_after_a_difference_the_next_start_of_a_service_is_believed_again(small: list[Entry]) -> None:
    again = [entry._replace(number=entry.number + 400) for entry in small]
    fresh = [began(401, 0.0, Began((), (), Rules(), "2")), *(told(n, 1.0, f.SwitchLost(), []) for n in (402, 403))]
    play = replay([*changed(small, 200, body="{}")[:400], *fresh])
    assert len(play.differences) == 1
    assert play.program == "2"
    assert play.engine is not None
    assert replay(again).differences[0].text == "it was changed after it was written", "a number is part of its line"


def test_a_state_of_another_version_is_refused() -> None:
    content = snapshot(Engine((), (), lambda: ""))
    for damaged in (
        {**content, "classes": ["os:PathLike" for _ in content["classes"]]},
        {**content, "classes": [name.replace("Floor", "Ceiling") for name in content["classes"]]},
        {**content, "state": ["object", 0, 99, {}]},
        {"state": content["state"]},
    ):
        with pytest.raises(SnapshotMismatch):
            restore(damaged, lambda: "")


def test_a_refusal_is_repeated_too() -> None:
    engine = Engine((), (), lambda: "")
    log = record(engine, [], [])
    with pytest.raises(Exception, match="no agent"):
        engine.handle(f.AgentReady("1001"), 1.0)
    assert replay(log).differences == []
    accepted = [log[0], told(2, 1.0, f.AgentReady("1001"), [])]
    assert "leads to other orders" in str(replay(accepted).differences[0])
