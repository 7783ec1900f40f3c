"""What happens to a caller at one place, in a form that can be compared: all that an admin wrote, but no node's name.

Decides what counts as the same: the words in the caller's language, the settings with their defaults, the opening hours
and not what they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from ivr.anatomy import details, read_piece
from ivr.comparing.places import KEY, Exit, Place, Plans
from ivr.flow import Flow
from ivr.hours import OpeningHours
from ivr.node import Node
from ivr.values import Kind
from ivr.verbs.menu import MenuNode
from ivr.verbs.split import SplitNode
from ivr.wording import Piece, Variable

WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOLIDAYS_SEEN = (date(2026, 1, 1), date(2031, 1, 1))
"""Calendars are compared day by day: two that agree for five years are taken for the same."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Content:
    """`prompts`: by slot, in the order in which they are written, the first one is what is said first. `language`: in
    which they are heard, "" when nothing is. `ways`: the names of the exits."""

    verb: str
    facts: tuple[tuple[str, Any], ...]
    prompts: tuple[tuple[str, str], ...]
    language: str
    ways: tuple[tuple[str, str], ...]

    def words(self) -> str:
        """What is heard first."""
        return self.prompts[0][1] if self.prompts else ""


def content(plans: Plans, place: Place) -> Content:
    flow, node = plans.flow(place), plans.node(place)
    language = node.spoken_in() or place.language
    exits = list(plans.exits(place))
    prompts = tuple((slot, _heard(flow, place.node, slot, language)) for slot, _, _ in node.prompts())
    return Content(
        verb=node.verb,
        facts=tuple(sorted(_facts(flow, node, exits, language).items())),
        prompts=prompts,
        language=language if prompts else "",
        ways=tuple((exit_.kind, exit_.name) for exit_ in exits),
    )


def _facts(flow: Flow, node: Node, exits: list[Exit], language: str) -> Facts:
    named = {path for path, _ in (*node.flows(), *node.hours(), *node.services())}
    facts: Facts = {}
    for path, value in details(node).items():
        if value is None or path in named or path[-1:] == ("when",) or "otherwise" in path:
            continue
        if isinstance(node, MenuNode) and path[:2] == ("menu", "words"):
            continue
        if isinstance(node, SplitNode):
            continue
        facts[".".join(str(part + 1) if isinstance(part, int) else part for part in path)] = value
    if isinstance(node, MenuNode):
        facts |= _spoken_choices(node, exits, language)
    if isinstance(node, SplitNode):
        total = sum(node.split.values())
        for number, weight in enumerate(node.split.values(), 1):
            facts[f"split.share of lot {number}"] = f"{100 * weight / total:.4g} %"
    for _, name in node.hours():
        facts |= _opening(flow.hours[name])
    for _, name in node.services():
        service = flow.services[name].model_dump()
        headers = tuple(sorted(service.pop("headers").items()))
        facts |= {f"http.service {key}": value for key, value in (service | {"headers": headers}).items()}
    if any(sets.kind is Kind.DATE for sets in node.sets()) and node.verb == "ask":
        facts["ask.today is reckoned in"] = flow.zone.key
    return facts


def _spoken_choices(node: MenuNode, exits: list[Exit], language: str) -> Facts:
    """What can be said instead of a key, by the key."""
    found: Facts = {}
    for exit_ in exits:
        phrases = node.menu.words.get(exit_.to.node, {}).get(language, ()) if exit_.kind == KEY else ()
        if phrases:
            found[f"menu.words for key {exit_.name}"] = phrases
    return found


def _opening(hours: OpeningHours) -> Facts:
    facts: Facts = {"hours.time zone": str(hours.zone)}
    for day, spans in zip(WEEK, hours.weekly, strict=True):
        facts[f"hours.{day}"] = _times(spans)
    facts |= {f"hours.{day}": _times(spans) for day, spans in (hours.days or {}).items()}
    facts["hours.holidays"] = _holidays(hours.holiday)
    return facts


@lru_cache(maxsize=64)
def _holidays(is_one: Callable[[date], bool]) -> tuple[str, ...]:
    first, last = HOLIDAYS_SEEN
    days = (first + timedelta(days=number) for number in range((last - first).days))
    return tuple(day.isoformat() for day in days if is_one(day))


def _times(spans: tuple[tuple[int, int], ...]) -> str:
    told = (f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}" for begin, end in spans)
    return ", ".join(told) or "closed"


def _heard(flow: Flow, node: str, slot: str, language: str) -> str:
    wording = flow.wordings.get((node, slot))
    if wording is None:
        return ""
    return " ".join(_piece(flow, piece) for piece in wording.pieces.get(flow.heard_in(wording, language), ()))


def _piece(flow: Flow, piece: Piece) -> str:
    if not isinstance(piece, Variable):
        return read_piece(piece)
    spoken = piece.how or flow.kind(piece.name)
    money = f" {flow.currency}" if flow.currency and spoken in {Kind.AMOUNT, "money"} else ""
    return f"{{{piece.name}:{spoken}{money}}}"
