"""What a verb looks like: an outline and a colour for each family of verbs. The verb's name always stands beside them.

A verb that is not named here is drawn as plain, so a new one is never missing from a drawing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Family(StrEnum):
    """What a caller meets at a node."""

    SPEAK = "speak"
    ASK = "ask"
    DECIDE = "decide"
    PEOPLE = "people"
    DATA = "data"
    ELSEWHERE = "elsewhere"
    END = "end"
    PLAIN = "plain"


_VERBS: Final = {
    Family.SPEAK: ("say", "wait"),
    Family.ASK: ("menu", "ask", "survey"),
    Family.DECIDE: ("if", "hours", "split", "switch"),
    Family.PEOPLE: ("to_queue", "transfer", "callback", "voicemail"),
    Family.DATA: ("set", "http", "customer"),
    Family.ELSEWHERE: ("call", "goto"),
    Family.END: ("hangup", "return"),
}
_FAMILY: Final = {verb: family for family, verbs in _VERBS.items() for verb in verbs}

MEANING: Final = {
    Family.SPEAK: "the caller hears something",
    Family.ASK: "the caller is asked",
    Family.DECIDE: "the flow decides",
    Family.PEOPLE: "people and messages",
    Family.DATA: "something is looked up or remembered",
    Family.ELSEWHERE: "another flow",
    Family.END: "the end",
    Family.PLAIN: "another step",
}


def family_of(verb: str) -> Family:
    return _FAMILY.get(verb, Family.PLAIN)
