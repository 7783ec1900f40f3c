"""The verb `http`: what is sent, what is kept, where the caller goes; and what is wrong with one as it is written."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.effects import DropRequest, Request
from ivr.errors import DialplanErrors
from ivr.inputs import CallFacts
from ivr.known import Reach
from ivr.loader import load_files
from ivr.requests import HttpRequest, Saved, SecretName
from ivr.services import NothingToAskFor, Unsendable, address, body, header
from ivr.values import Kind
from tests.fakes.flow_caller import FlowCaller, flow_of

HEAD = """
flow: accounts
numbers: ["1"]
language: en
languages: [en, es]
start: ask
services:
  billing:
    url: https://billing.example.com/api/
    headers: {Authorization: "Bearer {secret:BILLING}", X-Caller: "{caller_number}"}
    timeout: 2s
    tries: 2
"""
FLOW = f"""{HEAD}
nodes:
  ask:
    http:
      service: billing
      get: /customers/{{caller_number}}/balance
      query: {{lang: "{{language}}", all: "yes"}}
      save:
        name: owner.name
        balance: {{from: account.0.balance, type: amount}}
        tier: {{from: tier, one_of: [gold, silver], default: silver}}
      cache: 30s
    next: good
    otherwise: {{not_found: unknown, else: bad}}
  good: {{say: {{en: "You are {{tier}}.", es: "Usted es {{tier}}."}}, next: done}}
  unknown: {{hangup: {{cause: busy}}}}
  bad: {{hangup: {{cause: congestion}}}}
  done: {{hangup: {{}}}}
"""


def asked(caller: FlowCaller) -> HttpRequest:
    what = caller.last(Request).what
    assert isinstance(what, HttpRequest)
    return what


def test_what_is_sent() -> None:
    caller = FlowCaller(flow_of(FLOW)).starts()
    assert asked(caller) == HttpRequest(
        "billing",
        "GET",
        "https://billing.example.com/api/customers/%2B15550142/balance?lang=en&all=yes",
        (("Authorization", ("Bearer ", SecretName("BILLING"))), ("X-Caller", ("+15550142",))),
        timeout_s=2.0,
        tries=2,
        cache_s=30.0,
        save=(
            Saved("name", ("owner", "name"), Kind.TEXT),
            Saved("balance", ("account", "0", "balance"), Kind.AMOUNT),
            Saved("tier", ("tier",), Kind.TEXT, ("gold", "silver"), "silver"),
        ),
    )
    assert caller.last(Request).limit_s > asked(caller).longest_s


def test_what_is_kept_and_spoken() -> None:
    caller = FlowCaller(flow_of(FLOW)).starts().is_answered(name="Ana", balance=12.5, tier="gold")
    assert caller.went == ["ask.next"]
    assert (caller.variable("name"), caller.variable("balance")) == ("Ana", 12.5)
    assert caller.heard == ["You are gold"]
    assert {"gold", "silver"} <= caller.flow.texts()["es"]


@pytest.mark.parametrize(
    ("outcome", "label"), [("not_found", "not_found"), ("refused", "else"), ("failed", "else"), ("surprise", "else")]
)
def test_where_the_caller_goes_without_an_answer(outcome: str, label: str) -> None:
    caller = FlowCaller(flow_of(FLOW)).starts().is_answered(outcome)
    assert caller.went == [f"ask.{label}"]
    assert caller.variable("balance") is None


def test_an_anonymous_caller_is_not_found_without_asking() -> None:
    caller = FlowCaller(flow_of(FLOW), CallFacts("", "", "1", "c")).starts()
    assert caller.last(Request) is None
    assert caller.went == ["ask.not_found"]
    assert caller.outcomes("http.ended") == ["not_found"]


def test_one_way_for_every_failure() -> None:
    flow = flow_of(FLOW.replace("{not_found: unknown, else: bad}", "bad").replace("unknown:", "bad2:"))
    assert FlowCaller(flow).starts().is_answered("refused").went == ["ask.otherwise"]


def test_a_caller_who_leaves_waits_for_nothing_and_on_hangup_may_tell() -> None:
    text = FLOW.replace("start: ask\n", "start: ask\non_hangup: tell\n") + (
        "  tell: {http: {service: billing, post: /left, body: {who: '{caller_number}'}}, next: done, otherwise: done}\n"
    )
    caller = FlowCaller(flow_of(text)).starts().hangs_up()
    assert caller.last(DropRequest) is not None
    assert (asked(caller).method, asked(caller).body) == ("POST", {"who": "+15550142"})


SECURE = f"""{HEAD}
nodes:
  ask:
    ask: {{type: digits, secure: true, save: pin, length: 4, prompt: {{en: Pin., es: Pin.}}}}
    next: pay
    otherwise: done
  pay:
    http: {{service: billing, post: /pay, body: {{pin: "{{pin}}", note: ["pin {{pin}}"]}}}}
    next: after
    otherwise: done
  after:
    http: {{service: billing, put: /again, body: {{pin: "{{pin}}"}}}}
    next: done
    otherwise: done
  done: {{hangup: {{}}}}
"""


def test_a_secure_value_is_sent_and_forgotten() -> None:
    caller = FlowCaller(flow_of(SECURE)).starts().listens().presses("1234")
    assert asked(caller).body == {"pin": "1234", "note": ["pin 1234"]}
    assert asked(caller).secret
    assert caller.position.secrets == ()
    assert "1234" not in repr(caller.step) + repr(caller.position.to_memory())
    sent = caller.last(Request)
    caller.is_answered()
    assert caller.last(Request) is sent, "it was used: nothing is sent without it"
    assert caller.went[-1] == "after.otherwise"


def test_what_may_have_been_sent_is_not_sent_again_after_a_restart() -> None:
    caller = FlowCaller(flow_of(SECURE)).starts().listens().presses("1234")
    again = FlowCaller(caller.flow).resumes(caller.position.to_memory())
    assert again.last(Request) is None
    assert again.went[0] == "pay.otherwise"


def test_a_question_is_asked_again_after_a_restart() -> None:
    caller = FlowCaller(flow_of(FLOW)).starts()
    assert asked(FlowCaller(caller.flow).resumes(caller.position.to_memory())) == asked(caller)


def test_an_order_behind_the_node_of_the_restart_is_given() -> None:
    text = FLOW.replace("next: good\n", "next: tell\n").replace(
        "  good:", "  tell: {http: {service: billing, post: /x}, next: good, otherwise: bad}\n  good:"
    )
    caller = FlowCaller(flow_of(text)).starts()
    again = FlowCaller(caller.flow).resumes(caller.position.to_memory()).is_answered(name="a", balance=1.0, tier="gold")
    assert asked(again).method == "POST"


# Values in what is sent


ANY = st.text(max_size=20) | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@settings(max_examples=100)
@given(ANY, ANY)
def test_no_value_changes_where_a_request_goes(one: Any, two: Any) -> None:
    values = {"one": one, "two": two}
    try:
        url = address("https://a.example.com/api", "/c/{one}/x-{two}", {"q": "{two}&{one}"}, values.__getitem__)
    except (NothingToAskFor, Unsendable):
        return
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "a.example.com", "")
    segments = parts.path.split("/")
    assert segments[:3] == ["", "api", "c"]
    assert len(segments) == 5
    assert url.isascii()
    assert [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)] == ["q"]
    if isinstance(one, str):
        assert unquote(segments[3]) == one


@pytest.mark.parametrize("value", ["..", ".", "../admin", "a/../b", "..\\x", "x/."])
def test_a_value_that_would_climb_is_not_sent(value: str) -> None:
    with pytest.raises(Unsendable):
        address("https://a.example.com", "/c/{v}", {}, lambda _name: value)


@pytest.mark.parametrize("value", ["", "  "])
def test_nothing_to_ask_for(value: str) -> None:
    with pytest.raises(NothingToAskFor):
        address("https://a.example.com", "/c/{v}", {}, lambda _name: value)


def test_a_climb_in_the_middle_of_what_is_written_is_seen() -> None:
    with pytest.raises(Unsendable):
        address("https://a.example.com", "/c/.{v}/x", {}, lambda _name: ".")


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "\x00", "\x7f"])
def test_a_header_stays_one_line(value: str) -> None:
    with pytest.raises(Unsendable):
        header("v {x}", lambda _name: value)


def test_a_value_never_becomes_a_secret() -> None:
    assert header("{secret:A}{x}", lambda _name: "{secret:B}") == (SecretName("A"), "{secret:B}")


def test_a_body_keeps_types() -> None:
    values: dict[str, Any] = {"n": 7, "a": 12.5, "b": True, "t": "x"}
    given = {"n": "{n}", "deep": [{"a": "{a}"}, "{b}", "n is {n}, {b}, {a} {{}}", None], "c": "7"}
    assert body(given, values.__getitem__) == {
        "n": 7,
        "deep": [{"a": 12.5}, True, "n is 7, true, 12.50 {}", None],
        "c": "7",
    }


# As it is written


def problems(text: str, reach: Reach | None = None) -> list[str]:
    with pytest.raises(DialplanErrors) as refused:
        load_files({"f.yaml": text.encode()}, reach=reach)
    return [str(problem) for problem in refused.value.problems]


NODE = "      get: /customers/{caller_number}/balance\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("service: billing\n", "service: biling\n", "there is no service 'biling' (did you mean 'billing'?)"),
        (NODE, "      get: customers\n", "'customers' must begin with /"),
        (NODE, "      get: /a?b={language}\n", "parameters stand under 'query'"),
        (NODE, "      get: /a/../b\n", "a path must not hold . or .."),
        (NODE, "      get: /a/{nobody}\n", "there is no variable 'nobody'"),
        (NODE, "      get: /a/{Nobody}\n", "'{Nobody}' is no variable"),
        (NODE, "", "exactly one of get, post, put and delete is needed; there is none"),
        (NODE, NODE + "      post: /b\n", "'post' is a second one"),
        (NODE, NODE + "      body: {a: b}\n", "'get' sends no body"),
        (NODE, NODE.replace("get", "post"), "only the answer to a 'get' can be kept"),
        ('all: "yes"', 'all: "{nobody}"', "there is no variable 'nobody'"),
        ("name: owner.name", "name: owner..name", "is not a place in the answer"),
        ("name: owner.name", "caller_name: owner.name", "'caller_name' comes from the call and cannot be set"),
        ("type: amount", "type: money", "'type': Input should be 'text'"),
        ("one_of: [gold, silver]", "type: number, one_of: [gold]", "'gold' is no number"),
        ("default: silver", "type: amount, default: much", "'much' is no amount"),
        ("    url: https://billing.example.com/api/\n", "    url: billing\n", "is not an address such as https://"),
        ("    url: https://billing.example.com/api/\n", "    url: https://b.example.com/?a=b\n", "is not an address"),
        ("X-Caller:", "Host:", "the header 'Host' is set by Cordboard itself"),
        ("X-Caller:", "'X Caller':", "is no name of a header"),
        ('"{caller_number}"}', '"{nobody}"}', "there is no variable 'nobody'"),
        ("{secret:BILLING}", "{secret:billing}", "a secret is written {secret:NAME}"),
        ("tries: 2", "tries: 9", "tries"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(old: str, new: str, said: str) -> None:
    assert old in FLOW
    found = problems(FLOW.replace(old, new, 1))
    assert any(said in problem for problem in found), found


def test_a_body_is_data() -> None:
    post = FLOW.replace(NODE, "      post: /b\n      body: BODY\n").replace("      cache: 30s\n", "")
    for bad, said in (
        ("[a]", "'body' must be a mapping"),
        ("{a: '{nobody}'}", "no variable 'nobody'"),
        ("{a: '{'}", "a lone"),
    ):
        assert any(said in problem for problem in problems(post.replace("BODY", bad)))


REACH = Reach(lambda url: url.startswith("https://billing.example.com"), {"BILLING", "CRM"})


def test_what_the_site_allows() -> None:
    assert load_files({"f.yaml": FLOW.encode()}, reach=REACH).warnings == ()
    assert problems(FLOW.replace("billing.example.com", "evil.example.com"), REACH) == [
        "f.yaml:9:10: https://evil.example.com/api/ may not be asked (add it to 'lookups.allow' in the configuration)"
    ]
    assert problems(FLOW.replace("{secret:BILLING}", "{secret:BILING}"), REACH) == [
        "f.yaml:10:30: there is no secret 'BILING' (did you mean 'BILLING'?)"
    ]


@pytest.mark.parametrize("where", ["get: '/x/{pin}'", "get: /x\n      query: {a: '{pin}'}"])
def test_a_secure_value_is_no_part_of_an_address(where: str) -> None:
    text = SECURE.replace(
        '    http: {service: billing, post: /pay, body: {pin: "{pin}", note: ["pin {pin}"]}}\n',
        f"    http:\n      service: billing\n      {where}\n",
    )
    assert any("would stand in an address" in problem for problem in problems(text))


def test_a_service_may_stand_in_a_part() -> None:
    head, services = HEAD.split("services:")
    flow = head + "include: [shared.yaml]\n" + FLOW.removeprefix(HEAD)
    files = {"f.yaml": flow.encode(), "shared.yaml": ("services:" + services).encode()}
    dialplans = load_files(files)
    assert dialplans.warnings == ()
    assert [flow.services["billing"].timeout for flow in dialplans] == [2.0]
