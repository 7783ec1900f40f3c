"""What a waiting caller hears between the music, and that neither an agent, a key nor a restart waits for it."""

from __future__ import annotations

from typing import Any

import pytest

from acd.model import QueueSpec
from cordboard.comfort import ComfortPlan
from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.site import comfort_of, comfort_texts
from ivr.waiting_words import place_text, place_texts, wait_text, wait_texts
from pbx.orders import Play, StopMusic, StopPlay
from tests.fakes.brain import FLOW, Brain
from tests.fakes.switch import PhoneScript

MESSAGES = ({"en": "Thank you", "es": "Gracias"}, {"en": "Still here"})
PLAN = ComfortPlan(30.0, 10.0, MESSAGES)
PLACES = ComfortPlan(20.0, 20.0, place=True, wait=True)
KEYS = FLOW.replace(
    "sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}",
    'sales: {to_queue: {queue: sales, then: survey, otherwise: sorry, keys: {"5": bye}}}',
)


def brain(*agents: str, plan: ComfortPlan = PLAN, **more: Any) -> Brain:
    made = Brain(agents=agents, comfort={"sales": plan}, **more)
    for agent in agents:
        made.pbx.phones[agent] = PhoneScript.rings_on()
    return made


def comforts(made: Brain, call: str = "c1") -> list[str]:
    """What was said while they waited."""
    plays = [play for play in made.pbx.sent(Play) if play.channel == call and play.token.startswith("comfort")]
    return [file.rsplit("/", 1)[1] for play in plays for file in play.files]


def noted(made: Brain, kind: str) -> list[dict[str, Any]]:
    return [data for found, _, data in made.notes if found == kind]


def test_messages_come_in_turn_and_the_music_goes_on_after_each() -> None:
    made = brain().in_queue("c1")
    made.time.advance(9.9)
    assert comforts(made) == []
    made.time.advance(0.2)
    assert comforts(made) == ["Thank you"]
    assert made.music("c1") == ""
    made.time.advance(1)
    assert made.music("c1") == "default"
    made.time.advance(60)
    assert comforts(made) == ["Thank you", "Still here", "Thank you"]
    assert [data["message"] for data in noted(made, "queue.comfort")] == [1, 2, 1]


def test_without_a_plan_there_is_only_music() -> None:
    made = Brain(agents=()).in_queue("c1")
    made.time.advance(200)
    assert comforts(made) == []


def test_in_the_language_of_the_caller() -> None:
    text = FLOW.replace("hello: {say: Hello, next: main}", "hello: {set: {language: es}, next: main}")
    text = text.replace("language: en", "language: en\nlanguages: [en, es]")
    for prompt in ("Menu", "Nothing", "Survey", "Sorry", "Bye"):
        text = text.replace(f"{prompt},", f"{{en: {prompt}, es: {prompt}}},")
    made = brain(text=text)
    made.pbx.call("c1")
    made.time.settle()
    made.pbx.press("c1", "1")
    made.time.advance(100)
    assert comforts(made) == ["Gracias", "Gracias"], "what is not translated is left out"


def test_place_and_wait_are_those_of_the_moment() -> None:
    made = brain(plan=PLACES, expected_wait=lambda engine, call, now: 100.0 if call == "c2" else None)
    made.in_queue("c1")
    made.in_queue("c2")
    made.time.advance(20)
    assert comforts(made, "c1") == [place_text(1, "en")], "nothing is said of a wait that is not known"
    assert comforts(made, "c2") == [place_text(2, "en"), wait_text(100, "en")]
    assert noted(made, "queue.expected") == [{"wait_s": 100.0, "quantile": 0.8}]
    made.pbx.hang_up("c1")
    made.time.advance(20)
    assert comforts(made, "c2")[2] == place_text(1, "en")


def test_an_agent_who_answers_does_not_wait_for_the_end_of_a_message() -> None:
    made = brain("1001").in_queue("c1")
    made.time.advance(10.5)
    assert comforts(made) == ["Thank you"]
    made.pbx.answer_leg(made.leg())
    made.time.settle()
    assert made.phase("c1") == "talk"
    made.time.advance(100)
    assert comforts(made) == ["Thank you"]
    assert noted(made, "command.overdue") == []


def test_a_key_does_not_wait_either() -> None:
    made = brain(text=KEYS).in_queue("c1")
    made.time.advance(10.5)
    before = len(made.pbx.orders)
    made.pbx.press("c1", "7")
    made.time.settle()
    assert made.pbx.orders[before:] == [], "a key that means nothing cuts nothing short"
    made.pbx.press("c1", "5")
    made.time.settle()
    assert made.heard("c1")[-1] == "Bye"
    assert [type(order) for order in made.pbx.orders[before:]][:3] == [StopPlay, StopMusic, Play]
    made.time.advance(0.5)
    assert made.music("c1") == "", "the end of what was cut short starts no music"
    assert made.phase("c1") == "flow"


def test_nor_does_the_end_of_the_wait() -> None:
    made = brain(queues=(QueueSpec("sales", max_wait_s=10.5),)).in_queue("c1")
    made.time.advance(10.6)
    assert made.heard("c1")[-1] == "Sorry"
    made.time.advance(20)
    assert made.ended("c1")["outcome"] == "completed"


def test_nothing_is_said_to_who_is_being_put_through() -> None:
    made = brain("1001")
    made.pbx.connect_seconds = 2.0
    made.in_queue("c1")
    made.time.advance(9)
    made.pbx.answer_leg(made.leg())
    made.time.advance(1.5)
    assert comforts(made) == []


def test_back_from_a_talk_that_never_began_it_goes_on() -> None:
    made = brain("1001")
    made.pbx.connect_seconds = 1.0
    made.in_queue("c1")
    leg = made.leg()
    made.time.advance(8)
    made.pbx.answer_leg(leg)
    made.pbx.hang_up(leg)
    made.time.advance(1)
    assert made.phase("c1") == "queue"
    made.time.advance(2)
    assert comforts(made) == ["Thank you"]


@pytest.mark.parametrize("killed", [True, False], ids=["restart", "link"])
@pytest.mark.parametrize("after", [9.0, 10.5], ids=["before", "during"])
def test_lost_before_or_during_a_message(killed: bool, after: float) -> None:
    """The music plays again whatever was cut off, and the turns stay where they were."""
    made = brain().in_queue("c1")
    made.time.advance(after)
    assert made.music("c1") == ("" if after > 10 else "default")
    if killed:
        made = made.successor(agents=(), comfort={"sales": PLAN})
        made.time.settle()
    else:
        made.lose_link()
        made.restore_link()
    assert made.music("c1") == "default"
    made.time.advance(39.9 - after)
    assert comforts(made) == ["Thank you"]
    made.time.advance(0.2)
    assert comforts(made) == ["Thank you", "Still here"]


def test_while_the_link_is_lost_nothing_is_said() -> None:
    made = brain().in_queue("c1")
    made.lose_link()
    made.time.advance(100)
    assert comforts(made) == []


def test_the_channel_is_elsewhere() -> None:
    """A refused message is a channel that we do not hold; the look finds it and the turns go on."""
    made = brain().in_queue("c1")
    made.pbx.hands.discard("c1")
    made.time.advance(10.1)
    assert isinstance(made.pbx.orders[-1], Play)
    made.time.advance(6)
    made.look()
    made.time.advance(24)
    assert comforts(made) == ["Thank you", "Still here"]


def test_a_message_that_never_ends_is_given_up() -> None:
    made = brain().in_queue("c1")
    made.pbx.seconds_per_file = None
    made.time.advance(10)
    assert made.music("c1") == ""
    made.time.advance(6.1)
    assert noted(made, "command.overdue") == [{"command": "play"}]
    assert made.music("c1") == "default"


def test_a_text_without_a_file_is_passed_over() -> None:
    made = brain().in_queue("c1")
    made.prompts.missing.add("Thank you")
    made.time.advance(45)
    assert comforts(made) == ["Still here"]
    assert noted(made, "prompt.missing") == [{"language": "en"}]


def test_a_kept_place_keeps_its_turns() -> None:
    text = KEYS.replace('"5": bye', '"5": aside') + "\n"
    text = text.replace("survey:", "aside: {say: Aside, next: sales}\n  survey:", 1)
    made = brain(text=text).in_queue("c1")
    made.time.advance(5)
    made.pbx.press("c1", "5")
    made.time.advance(5.2)
    assert comforts(made) == ["Thank you"]


def test_what_is_said_of_a_place() -> None:
    assert place_text(1, "en") == "You are number 1 in the queue."
    assert place_text(100, "es") == "Usted ocupa el lugar número 100 en la cola."
    assert place_text(101, "en") == place_text(5000, "en") == "There are at least one hundred callers before you."
    assert place_text(3, "fr") == place_text(3, "en")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "one minute"),
        (60, "one minute"),
        (60.1, "2 minutes"),
        (301, "6 minutes"),
        (3600, "60 minutes"),
        (3601, "hour"),
    ],
)
def test_a_wait_is_rounded_up_to_the_next_minute(seconds: float, said: str) -> None:
    assert said in wait_text(seconds, "en")


@pytest.mark.parametrize("language", ["en", "es"])
def test_all_that_can_be_said_is_prepared(language: str) -> None:
    assert {place_text(position, language) for position in range(1, 200)} == set(place_texts(language))
    assert {wait_text(seconds, language) for seconds in range(8000)} == set(wait_texts(language))


@pytest.mark.parametrize(
    ("waited", "turn", "due"), [(0.0, 0, 10.0), (9.9, 0, 10.0), (10.0, 1, 40.0), (39.0, 1, 40.0), (100.0, 4, 130.0)]
)
def test_turns_count_from_joining(waited: float, turn: int, due: float) -> None:
    assert PLAN.next_turn(waited) == turn
    assert PLAN.due(turn) == due


CONFIG = """company: X
languages: [en, es]
queues:
  sales:
    comfort: {comfort}
  support: {{}}
"""


def test_the_configuration_says_all_of_it() -> None:
    comfort = "{every_s: 30, messages: [{en: Hi, es: Hola}], announce_position: true}"
    config = parse_config(CONFIG.format(comfort=comfort))
    assert comfort_of(config) == {"sales": ComfortPlan(30.0, 30.0, ({"en": "Hi", "es": "Hola"},), place=True)}
    texts = comfort_texts(config)
    assert {"Hola", place_text(7, "es")} <= texts["es"]
    assert wait_text(60, "en") not in texts["en"]
    assert comfort_texts(parse_config(CONFIG.format(comfort="null"))) == {}


@pytest.mark.parametrize(
    ("comfort", "said"),
    [
        ("{}", "cordboard.yaml:5:5: queues.sales.comfort: says nothing; give messages"),
        ("{messages: [{en: Hi}]}", 'queues.sales.comfort.messages.0: no text in "es"'),
        ("{messages: [{en: Hi, es: Hola, fr: Salut}]}", 'messages.0.fr: "fr" is not among the languages'),
        ("{announce_wait: true, every_s: 1}", "queues.sales.comfort.every_s"),
        ('{messages: [{en: "...", es: Hola}]}', "queues.sales.comfort.messages.0.en"),
    ],
)
def test_what_is_wrong_with_it(comfort: str, said: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        parse_config(CONFIG.format(comfort=comfort))
    assert said in str(refused.value)
