"""Terms on which a caller waits: what a flow says becomes what the distributor needs, and survives in the memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.skills import Need, Relaxed, Requirement
from cordboard.last_agents import LastAgents
from cordboard.memory import Memory, Phase
from cordboard.terms import Terms
from ivr.handover import LAST, Handover, Skills
from pbx.actions import MAX_MEMORY
from pbx.facts import Origin

SPANISH = Requirement((Need("spanish", 3),), (Need("bikes", 2),), (Relaxed(30.0, (Need("spanish", 1),)), Relaxed(60.0)))


def memory(**more: Any) -> Memory:
    return Memory(Phase.QUEUE, 1_700_000_000.0, Origin.PUBLIC, "100", "main", "sales", 1_700_000_001.0, **more)


def test_a_handover_in_the_distributors_words() -> None:
    skills = Skills((("spanish", 3),), (("bikes", 2),), ((30, (("spanish", 1),)), (60, ())))
    terms = Terms.of(Handover("sales", skills, 60, "1001", 20, keys="1"), None)
    caller = terms.waiting("c1", "sales", 100.0, "+1555", "Ann")
    assert caller.requirement == SPANISH
    assert (caller.rank, caller.preferred, caller.preferred_s) == (40.0, "1001", 20.0)
    assert terms.keys == "1"


def test_the_last_agent_is_preferred_when_there_is_one() -> None:
    asked = Handover("sales", prefer=LAST, prefer_s=20)
    assert (Terms.of(asked, "1002").preferred, Terms.of(asked, "1002").preferred_s) == ("1002", 20.0)
    assert Terms.of(asked, None) == Terms()


names = st.text("abcdefghijklmnopqrstuvwxyz_-", min_size=1, max_size=40)
levels = st.dictionaries(names, st.integers(1, 5), max_size=6).map(
    lambda found: tuple(Need(*one) for one in found.items())
)
all_terms = st.builds(
    Terms,
    st.integers(0, 86_400).map(float),
    st.sampled_from(["1001", "1002"]),
    st.integers(1, 3600).map(float),
    st.none()
    | st.builds(lambda must, nice: Requirement(must, nice, (Relaxed(30.0, must), Relaxed(60.5))), levels, levels),
    st.text("0123456789*#", max_size=12),
)


@given(all_terms)
def test_terms_survive_in_the_memory_or_are_cut_to_what_the_flow_knows(terms: Terms) -> None:
    stored = memory(terms=terms, kept=("sales", 1_700_000_000.5)).dump()
    assert len(stored.encode()) <= MAX_MEMORY
    found = Memory.load(stored)
    assert found is not None
    assert found.kept == ("sales", 1_700_000_000.5)
    assert found.terms in (terms, terms.shorter())
    if found.terms != terms:
        assert found.terms.cut


def test_what_is_asked_of_agents_goes_before_the_variables() -> None:
    long = Requirement(tuple(Need("x" * 38 + f"{n:02d}", 3) for n in range(16)))
    position = {"n": "queue", "l": "en", "t": 3, "v": {"order": "4711"}}
    found = Memory.load(memory(position=position, terms=Terms(60.0, "1001", 5.0, long)).dump())
    assert found is not None
    assert found.position == position
    assert found.terms == Terms(60.0, "1001", 5.0, None, cut=True)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("hasmnrkx"), inner, max_size=5),
)


@given(anything)
def test_any_memory_makes_terms_that_an_order_can_be_made_with(found: Any) -> None:
    terms = Terms.from_memory(found)
    assert terms.head_start >= 0
    assert terms.waiting("c", "q", 1.0, "", "").rank <= 1.0
    json.dumps(terms.to_memory(), allow_nan=False)


@pytest.mark.parametrize("kept", ['["sales"]', '"sales"', '["sales",NaN]', "[1,2]"])
def test_a_kept_place_that_is_none_makes_no_memory(kept: str) -> None:
    text = memory().dump()
    assert Memory.load(f'{text[:-1]},"k":{kept}}}') is None


def test_the_last_agent_of_a_caller() -> None:
    last = LastAgents(most=2)
    last.prime([("+1", "1001"), ("+1", "1002"), ("", "1003"), ("anonymous", "1003")])
    assert last.agent_of("+1") == "1002"
    assert last.agent_of("") is None
    assert last.agent_of("anonymous") is None
    last.talked("+2", "1001")
    last.talked("+1", "1002")
    last.talked("+3", "1001")
    assert len(last) == 2
    assert last.agent_of("+2") is None, "whoever has not talked for longest is forgotten"
    assert last.agent_of("+1") == "1002"
