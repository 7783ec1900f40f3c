"""Where a caller can be sent out of a talk. Checked by whoever makes one; nothing here is looked up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToAgent:
    agent: str


@dataclass(frozen=True, slots=True)
class ToNumber:
    """A number that the configuration allows."""

    number: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    """To wait there. `same_place`: in the queue that they came from, as if they had never left it."""

    queue: str
    same_place: bool = False


@dataclass(frozen=True, slots=True)
class ToFlow:
    """As if they had dialled `number`, which this flow answers."""

    flow: str
    number: str


Destination = ToAgent | ToNumber | ToQueue | ToFlow
Person = ToAgent | ToNumber
"""Somebody whose phone can be rung."""


def kind_of(destination: Destination) -> str:
    """One word for the history: agent, number, queue or flow."""
    return type(destination).__name__.removeprefix("To").lower()
