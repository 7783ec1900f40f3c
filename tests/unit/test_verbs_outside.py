"""`transfer` and `callback` in a flow: what is asked for, and where the flow goes with each answer."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.inputs import ENDED
from ivr.loader import load_text
from ivr.requests import CallbackRequest, TransferRequest
from tests.fakes.flow_caller import FlowCaller, Request, flow_of

FLOW = """
flow: front
numbers: ["300"]
language: en
languages: [en, es]
start: who
on_hangup: missed
nodes:
  who:
    ask: {type: digits, length: 4, prompt: {en: Who?, es: "¿Quién?"}, save: wanted}
    next: them
    otherwise: bye
  them:
    transfer: {to: "+57{wanted}", ring: 20s}
    next: again
    otherwise: {busy: busy, not_allowed: who, else: promise}
  again: {transfer: {to: "1001"}, next: bye, otherwise: promise}
  busy: {set: {language: es}, next: promise}
  promise:
    callback: {queue: sales, number: "{wanted}", data: {why: "{wanted} for {caller_name}"}}
    next: thanks
    otherwise: {already: thanks, else: sorry}
  missed: {callback: {queue: sales}, next: bye, otherwise: bye}
  thanks: {say: {en: Thanks., es: Gracias.}, next: bye}
  sorry: {say: {en: Sorry., es: Disculpe.}, next: bye}
  bye: {hangup: {}}
"""


def asks(typed: str = "4711") -> FlowCaller:
    """The caller has typed whom they want."""
    return FlowCaller(flow_of(FLOW)).starts().listens().presses(typed)


def request(caller: FlowCaller) -> Any:
    asked: Request = caller.last(Request)
    assert asked.token == caller.position.asking
    return asked.what


def test_what_a_transfer_asks_for() -> None:
    caller = asks()
    assert request(caller) == TransferRequest("+574711", 20, "front/them")
    assert caller.last(Request).limit_s > 20
    assert "4711" not in repr(request(caller))
    caller.is_answered("ok")
    assert request(caller) == TransferRequest("1001", 30, "front/again")


@pytest.mark.parametrize(
    ("outcome", "way", "node"),
    [
        ("ok", "them.next", "again"),
        ("busy", "them.busy", "busy"),
        ("not_allowed", "them.not_allowed", "who"),
        ("no_answer", "them.else", "promise"),
        ("refused", "them.else", "promise"),
        ("failed", "them.else", "promise"),
    ],
)
def test_where_a_transfer_leads(outcome: str, way: str, node: str) -> None:
    caller = asks().is_answered(outcome)
    assert way in caller.went
    assert node in caller.nodes


def test_one_way_for_every_failure() -> None:
    caller = asks().is_answered("ok").is_answered("unreachable")
    assert "again.otherwise" in caller.went


def test_keys_are_nobody_s_while_it_rings() -> None:
    caller = asks("4711").presses("99").is_answered("not_allowed").listens()
    assert caller.nodes[-1] == "who"
    assert caller.position.typed == ""


def test_what_a_callback_asks_for_in_the_caller_s_language() -> None:
    caller = asks().is_answered("busy")
    assert request(caller) == CallbackRequest("sales", "4711", "es", (("why", "4711 for Ada"),))
    assert "4711" not in repr(request(caller)).partition("why")[0]
    assert caller.is_answered().heard[-1] == "Gracias."


@pytest.mark.parametrize(
    ("outcome", "heard"), [("already", "Thanks."), ("not_allowed", "Sorry."), ("failed", "Sorry.")]
)
def test_where_a_callback_leads(outcome: str, heard: str) -> None:
    assert asks().is_answered("no_answer").is_answered(outcome).heard[-1] == heard


@pytest.mark.parametrize("where", ["asked", "put through", "promised"])
def test_after_the_caller_has_hung_up_a_callback_can_be_asked_for(where: str) -> None:
    caller = FlowCaller(flow_of(FLOW)).starts() if where == "asked" else asks()
    if where == "promised":
        caller.is_answered("no_answer")
    caller.hangs_up()
    assert request(caller) == CallbackRequest("sales", "+15550142", "en", ())
    said = len(caller.heard)
    caller.is_answered("failed")
    assert caller.position.stage == ENDED
    assert len(caller.heard) == said  # nobody hears that it failed


DIALS = """
flow: front
numbers: ["300"]
language: en
start: a
nodes:
  a: {transfer: {to: "TO"}, next: bye, otherwise: bye}
  bye: {hangup: {}}
"""


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("1001", ""),
        ("+5712345", ""),
        ("+57{caller_number}", ""),
        ("{caller_number}", ""),
        ("1009", "1009 is no agent, and no number that transfers.prefixes allows (did you mean '1001'?)"),
        (
            "+4930123",
            "+4930123 is no agent, and no number that transfers.prefixes allows "
            "(add its beginning to transfers.prefixes)",
        ),
    ],
)
def test_whom_nobody_may_dial_is_said_at_load(to: str, said: str) -> None:
    text = DIALS.replace("TO", to).encode()
    flow, problems = load_text(text, "x.yaml", {"sales"}, {"1001": {}}, ["+57"])
    assert flow is not None  # a warning: the flow has a way for it
    assert [str(one).partition(": warning: ")[2] or str(one) for one in problems] == ([said] if said else [])
    assert load_text(text, "x.yaml")[1] == []  # nothing is known of the site


def test_when_nobody_at_all_may_be_dialled() -> None:
    text = DIALS.replace("TO", "{caller_number}").encode()
    (problem,) = load_text(text, "x.yaml", {"sales"}, {}, [])[1]
    assert "nobody can be dialled" in problem.message
