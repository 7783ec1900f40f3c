"""What can be said about recording, and what is refused with the place and what to do."""

from __future__ import annotations

import pytest

from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.recording import RecordMode, RecordRule
from cordboard.site import notices_of, queue_texts, record_rules_of


def config(queue: str, more: str = "") -> str:
    return f"company: C\nqueues:\n  sales: {{{queue}}}\n{more}"


def test_without_a_word_nothing_is_recorded() -> None:
    assert record_rules_of(parse_config(config(""))) == {"sales": RecordRule(RecordMode.NEVER, 1.0)}


def test_rules_of_the_queues() -> None:
    parsed = parse_config(config("record: always, record_share: 0.25, record_silently: true", "recordings_days: 90\n"))
    assert record_rules_of(parsed) == {"sales": RecordRule(RecordMode.ALWAYS, 0.25)}
    assert parsed.recordings_days == 90


def test_notices_in_the_order_of_the_languages() -> None:
    sales = "{record: on_demand, record_notice: {es: Hola., en: Hi.}}"
    parsed = parse_config(f"company: C\nlanguages: [en, es]\nqueues:\n  sales: {sales}\n")
    assert list(notices_of(parsed)["sales"].items()) == [("en", "Hi."), ("es", "Hola.")]
    assert queue_texts(parsed)["es"] == {"Hola."}
    assert notices_of(parse_config(config("record_notice: {en: Hi.}"))) == {}


@pytest.mark.parametrize(
    ("queue", "told"),
    [
        ("record: always", "3:11: queues.sales.record: callers must be told; give a record_notice, or"),
        ("record: always, record_notice: {es: Hola.}", 'record_notice: no text in "en"'),
        ("record: always, record_notice: {es: Hola.}", 'record_notice.es: "es" is not among the languages'),
        ("record: always, record_silently: true, record_notice: {en: Hi.}", "record_silently: true, but there is"),
        ("record: sometimes", "queues.sales.record: input should be 'never', 'always' or 'on_demand'"),
        ("record: on_demand, record_silently: true, record_share: 0.5", "record_share: is for record: always"),
        ("record: always, record_silently: true, record_share: 0", "record_share: input should be greater than 0"),
        ("record: always, record_silently: true, record_share: 1.5", "record_share: input should be less than or"),
    ],
)
def test_what_is_refused(queue: str, told: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        parse_config(config(queue))
    assert told in str(refused.value)
