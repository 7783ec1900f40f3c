"""Prompts without a translation: what callers hear instead, what is said to the admin, and what is still refused."""

from __future__ import annotations

import pytest

from ivr.comparing.compare import compare
from ivr.dialplans import Dialplans
from ivr.inputs import CallFacts
from ivr.known import Known
from ivr.loader import judge_files, load_files
from ivr.own_sounds import SoundList, Trouble
from ivr.problems import Problem, Severity
from ivr.rehearsal.happenings import Said
from ivr.rehearsal.rehearsal import Awaits, Rehearsal
from ivr.wav import Sound

MAIN = """
flow: main
numbers: ["100"]
language: pt
languages: [pt, es, en]
fallback: {pt: es, es: en}
currency: USD
start: hello
prompts:
  night: {en: Good night., es: Buenas noches.}
nodes:
  hello: {say: {pt: Bom dia., es: Buenos días., en: Good morning.}, next: some}
  some: {say: [{pt: Sim., es: Sí., en: Yes.}, night], next: english}
  english: {say: {en: Only English.}, next: debt}
  debt: {set: {owed: {expr: "12.5"}}, next: owes}
  owes: {say: {en: "{owed}.", es: "Son {owed}."}, next: done}
  done: {hangup: {}}
"""


def judged(text: str, known: Known | None = None, *, advice: bool = True) -> list[Problem]:
    return list(judge_files({"main.yaml": text.encode()}, known or Known(), advice=advice)[1])


def heard(dialplans: Dialplans, number: str = "100") -> list[tuple[str, str]]:
    flow = dialplans.flow_for(number)
    assert flow is not None
    call = Rehearsal(flow, CallFacts("+15550100", "", number, "c1"), 1.8e9)
    call.begin()
    while call.awaits is Awaits.PROMPT:
        call.listen()
    return [(one.language, one.text) for one in call.happenings if isinstance(one, Said)]


def test_callers_hear_the_nearest_language_that_there_is_and_each_prompt_in_one_language() -> None:
    assert heard(load_files({"main.yaml": MAIN.encode()})) == [
        ("pt", "Bom dia."),
        ("es", "Sí. Buenas noches."),
        ("en", "Only English."),
        ("es", "Son doce dólares con cincuenta centavos"),
    ]


def test_each_missing_translation_is_advice_that_says_what_is_heard() -> None:
    found = judged(MAIN)
    assert {one.severity for one in found} == {Severity.WARNING}
    assert [(one.line, one.rule, one.message) for one in found if one.rule == "missing-translation"] == [
        (10, "missing-translation", "no translation to 'pt': callers hear 'es'"),
        (14, "missing-translation", "no translation to 'pt' and 'es': callers hear 'en'"),
        (16, "missing-translation", "no translation to 'pt': callers hear 'es'"),
    ]
    assert judged(MAIN, advice=False) == []


def test_a_publish_takes_what_the_check_takes() -> None:
    assert [str(one) for one in load_files({"main.yaml": MAIN.encode()}).warnings] == []


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("fallback: {pt: es, es: en}", "fallback: {pt: es}", "no translation to 'pt' and 'es'"),
        ("fallback: {pt: es, es: en}", "fallback: {pt: fr}", "this flow does not speak 'fr'"),
        ("fallback: {pt: es, es: en}", "fallback: {fr: en}", "this flow does not speak 'fr'"),
        ("es: en}", "es: pt}", "'pt' would be heard in the place of itself"),
        ("es: en}", "es: es}", "'es' would be heard in the place of itself"),
        ("{en: Only English.}", "{pt: Só português.}", "no translation to 'es' and 'en'"),
    ],
)
def test_what_nobody_could_hear_is_refused(was: str, now: str, said: str) -> None:
    errors = [one for one in judged(MAIN.replace(was, now)) if one.severity is Severity.ERROR]
    assert said in [one.message for one in errors]


def test_a_value_that_a_language_cannot_speak_is_better_not_translated() -> None:
    """Values are spoken in English and Spanish; the prompt as a whole can be heard in the other language."""
    (error,) = (
        one
        for one in judged(MAIN.replace('{en: "{owed}."', '{pt: "São {owed}.", en: "{owed}."'))
        if one.severity is Severity.ERROR
    )
    assert "cannot be spoken in 'pt'" in error.message
    assert error.hint.endswith("without this translation callers hear the language of 'fallback'")


def test_a_text_without_a_language_is_that_of_the_flow() -> None:
    """Portuguese here, for which there is no stand-in in the other direction."""
    plain = MAIN.replace("{en: Only English.}", "Só português.")
    assert "a text in one language, and the flow speaks several" in [one.message for one in judged(plain)]
    turned = plain.replace("{pt: es, es: en}", "{es: pt, en: pt}")
    assert "a text in one language, and the flow speaks several: callers hear 'pt'" in [
        one.message for one in judged(turned) if one.severity is Severity.WARNING
    ]


def test_a_sound_that_one_language_lacks_makes_its_prompt_be_heard_in_another() -> None:
    sound = Sound("own/jingle", "own/jingle.wav", 1.0)
    sounds = SoundList("own", {("es", "jingle"): sound, ("en", "jingle"): sound})
    text = MAIN.replace("say: {pt: Bom dia.,", "say: [{file: jingle}, {pt: Bom dia.,").replace(
        "morning.}", "morning.}]"
    )
    files = {"main.yaml": text.encode()}
    assert [one for one in judged(text, Known(sounds=sounds), advice=False) if one.severity is Severity.ERROR] == []
    assert heard(load_files(files, None, None, sounds))[0][0] == "es"
    broken = SoundList("own", {("es", "jingle"): sound}, {("en", "jingle"): Trouble("is broken")})
    assert "is broken" in [one.message for one in judged(text, Known(sounds=broken))]


SUB = """
flow: sub
language: en
languages: [en, es]
start: hello
nodes:
  hello: {say: {en: Inside., es: Adentro.}, next: back}
  back: {return: {}}
"""


def test_another_flow_is_heard_in_the_nearest_language_and_then_the_own_one_is_back() -> None:
    files = {
        "main.yaml": MAIN.replace("next: some}", "next: over}")
        .replace("nodes:", "nodes:\n  over: {call: {flow: sub}, next: again}\n  again: {goto: some}")
        .encode(),
        "sub.yaml": SUB.encode(),
    }
    said = heard(load_files(files))
    assert said[:3] == [("pt", "Bom dia."), ("es", "Adentro."), ("es", "Sí. Buenas noches.")]
    third = MAIN.replace("next: some}", "next: over}").replace(
        "nodes:",
        "nodes:\n  over: {call: {flow: sub}, next: more}\n  more: {say: {pt: Mais., es: Más., en: More.}, next: some}",
    )
    assert heard(load_files(files | {"main.yaml": third.encode()}))[2] == ("pt", "Mais.")


def test_a_comparison_compares_what_is_heard() -> None:
    """A translation that is added is a difference to those who speak that language, to nobody else; so is another
    stand-in."""
    old = load_files({"main.yaml": MAIN.encode()})
    assert compare(old, load_files({"main.yaml": MAIN.encode()})) == []
    more = load_files({"main.yaml": MAIN.replace("{en: Only English.}", "{en: Only English., es: Inglés.}").encode()})
    assert ["Inglés." in one.text for one in compare(old, more)] == [True]
