"""The sentences of a comparison: how a caller comes to a place, what is there, and what is different.

Decides words only.
"""

from __future__ import annotations

from typing import Any, Final

from ivr.comparing.contents import Content
from ivr.comparing.places import CASE, ELSE, KEY, Exit, Place, Plans

_LONGEST = 100
_AROUND = 30
"""Characters before and behind a difference that are shown with it."""

_LANGUAGES: Final = {"en": "English", "es": "Spanish"}

_WAYS: Final[dict[tuple[str, str], str]] = {
    ("menu", ELSE): "chooses nothing",
    ("menu", "otherwise"): "chooses nothing",
    ("ask", "next"): "gives an answer",
    ("ask", "no_input"): "keys in nothing",
    ("ask", "no_match"): "gives no possible answer",
    ("ask", ELSE): "gives no answer",
    ("to_queue", "then"): "has talked with an agent",
    ("to_queue", "closed"): "finds the queue closed",
    ("to_queue", "full"): "finds the queue full",
    ("to_queue", "too_long"): "would have to wait too long",
    ("to_queue", "timeout"): "has waited too long",
    ("to_queue", "empty"): "finds nobody at work",
    ("to_queue", ELSE): "is served by nobody",
    ("hours", "open"): "calls while it is open",
    ("hours", "closed"): "calls while it is closed",
    ("hours", "holiday"): "calls on a holiday",
    ("switch", "on"): "calls while the switch is on",
    ("switch", "off"): "calls while the switch is off",
    ("customer", "next"): "is a known customer",
    ("customer", "unknown"): "is not a known customer",
    ("customer", "failed"): "cannot be looked up",
    ("customer", ELSE): "is not a known customer",
    ("http", "next"): "is known to the other system",
    ("http", "not_found"): "is not known to the other system",
    ("http", "refused"): "is refused by the other system",
    ("http", "failed"): "gets no answer from the other system",
    ("http", ELSE): "gets no answer from the other system",
    ("transfer", "next"): "has talked with whom they were put through to",
    ("transfer", "busy"): "finds the number busy",
    ("transfer", "no_answer"): "is not answered",
    ("transfer", "refused"): "is pressed away",
    ("transfer", "not_allowed"): "may not be put through",
    ("transfer", "unreachable"): "cannot be put through",
    ("transfer", ELSE): "is not put through",
    ("voicemail", "next"): "has left a message",
    ("voicemail", "no_message"): "says nothing",
    ("voicemail", "failed"): "cannot be recorded",
    ("voicemail", ELSE): "leaves no message",
    ("callback", "next"): "is promised a call back",
    ("callback", "already"): "is promised a call back already",
    ("callback", "not_allowed"): "cannot be called back",
    ("callback", ELSE): "is promised nothing",
}

_SLOTS: Final = {"invalid": " after a wrong answer", "no_input": " after no answer", "confirm": " to confirm"}

_FACTS: Final[dict[tuple[str, str], str]] = {
    ("menu", "timeout"): "has {new} s instead of {old} s to press a key",
    ("menu", "tries"): "may try {new} times instead of {old}",
    ("ask", "timeout"): "has {new} s instead of {old} s to begin the answer",
    ("ask", "tries"): "may try {new} times instead of {old}",
    ("to_queue", "queue"): "waits in the queue {new} instead of {old}",
    ("hangup", "cause"): "is hung up on as {new} instead of {old}",
    ("wait", "for"): "waits {new} s instead of {old} s",
    ("transfer", "to"): "is put through to {new} instead of {old}",
    ("transfer", "ring"): "hears it ring for {new} s instead of {old} s",
    ("voicemail", "box"): "leaves a message in the box {new} instead of {old}",
    ("callback", "queue"): "is called back by the queue {new} instead of {old}",
    ("switch", ""): "depends on the switch {new} instead of {old}",
}


def caller(way: tuple[str, ...]) -> str:
    """`A caller who dials 100, presses 2, then 1`."""
    told: list[str] = []
    pressed = False
    for step in way:
        presses = step.startswith("presses ")
        told.append(f"then {step.removeprefix('presses ')}" if presses and pressed else step)
        pressed = presses
    return f"A caller who {', '.join(told)}"


def step(verb: str, exit_: Exit) -> str:
    """How a caller takes a way; "" when there is nothing to choose."""
    if exit_.kind == KEY:
        return f"presses {exit_.name}" + (" while waiting" if verb == "to_queue" else "")
    if exit_.kind == CASE:
        return f"fulfils `{exit_.name}`"
    if verb == "if":
        return "fulfils no condition"
    if verb == "split":
        return f"draws {exit_.name}"
    known = _WAYS.get((verb, exit_.name))
    return known if known is not None else "" if exit_.name == "next" else f"goes on by “{exit_.name}”"


def what(plans: Plans, place: Place, content: Content | None) -> str:
    """What a caller meets at a place."""
    if content is None:
        return "the end of the call"
    words = f" “{shortened(content.words())}”" if content.words() else ""
    facts = dict(content.facts)
    match content.verb:
        case "say":
            return words.strip()
        case "to_queue":
            return f"the queue {facts['to_queue.queue']}"
        case "hangup":
            return "the end of the call"
        case "transfer":
            return f"the number {facts.get('transfer.to', '')}"
        case "menu":
            return f"the menu{words}"
        case "ask":
            return f"the question{words}"
        case "voicemail":
            return f"the voicemail box {facts.get('voicemail.box', '')}"
        case verb:
            return f"{verb} (node {place.node}){words}"


def heard(slot: str, old: str, new: str, languages: tuple[str, str]) -> str:
    """`languages`: the old and the new one, "" when there is only one anyway."""
    where = _SLOTS.get(slot.split(".", maxsplit=1)[0], "")
    was, now = (f" in {_LANGUAGES.get(language, language)}" if language else "" for language in languages)
    if not old:
        return f"hears “{shortened(new)}”{where} as well{now}"
    if not new:
        return f"no longer hears “{shortened(old)}”{where}{was}"
    old, new = _apart(old, new)
    if was == now:
        return f"hears “{new}”{where} instead of “{old}”{now}"
    return f"hears “{new}”{now}{where} instead of “{old}”{was}"


def _apart(old: str, new: str) -> tuple[str, str]:
    """Two long texts cut down to where they differ."""
    if max(len(old), len(new)) <= _LONGEST:
        return old, new
    before = _shared(old, new)
    behind = min(_shared(old[::-1], new[::-1]), min(len(old), len(new)) - before)
    begin = old.rfind(" ", 0, max(before - _AROUND, 0)) + 1
    ends = [text.find(" ", len(text) - behind + _AROUND) for text in (old, new)]
    parts = [text[begin : end if end >= 0 else None] for text, end in zip((old, new), ends, strict=True)]
    told = [f"{'…' if begin else ''}{part}{'…' if end >= 0 else ''}" for part, end in zip(parts, ends, strict=True)]
    return shortened(told[0], 2 * _LONGEST), shortened(told[1], 2 * _LONGEST)


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    apart = (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(apart, min(len(one), len(other)))


def fact(name: str, old: Any, new: Any) -> str:
    if name.endswith(".bargein"):
        return "can cut this short by a key" if new else "can no longer cut this short by a key"
    if name == "hours.holidays":
        return _days(old or (), new or ())
    verb, _, rest = name.partition(".")
    known = _FACTS.get((verb, rest))
    if known is None or old is None or new is None:
        about = f"{verb} {rest}".replace(".", " ").strip()
        return f"meets other settings: {about} is {_value(new)} instead of {_value(old)}"
    return known.format(old=_value(old), new=_value(new))


def _days(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    more, less = sorted(set(new) - set(old)), sorted(set(old) - set(new))
    told = [f"new: {', '.join(more[:3])}"] if more else []
    told += [f"no longer: {', '.join(less[:3])}"] if less else []
    return f"finds other holidays ({'; '.join(told)})"


def _value(value: Any) -> str:
    match value:
        case None | "" | ():
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def shortened(text: str, most: int = _LONGEST) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
