"""What the system says to those who wait: their place, and how long the wait will be.

Decides the wording, and that it promises nothing: a wait is told as what four of five callers do not exceed, rounded up
to the next minute. Every sentence is a text of its own, prepared like all others, so that it sounds like one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.announcements import spoken_language

MOST_POSITION = 100
MOST_MINUTES = 60


@dataclass(frozen=True, slots=True)
class _Words:
    place: str
    beyond: str
    one_minute: str
    minutes: str
    longer: str


_WORDS = {
    "en": _Words(
        place="You are number {n} in the queue.",
        beyond="There are at least one hundred callers before you.",
        one_minute="From your place in the queue, four in five callers wait less than one minute.",
        minutes="From your place in the queue, four in five callers wait less than {n} minutes.",
        longer="From your place in the queue, the wait can be longer than one hour.",
    ),
    "es": _Words(
        place="Usted ocupa el lugar número {n} en la cola.",
        beyond="Hay al menos cien personas antes que usted.",
        one_minute="Desde su lugar en la cola, cuatro de cada cinco personas esperan menos de un minuto.",
        minutes="Desde su lugar en la cola, cuatro de cada cinco personas esperan menos de {n} minutos.",
        longer="Desde su lugar en la cola, la espera puede superar una hora.",
    ),
}


def place_text(position: int, language: str) -> str:
    """`position` counts from 1."""
    words = _WORDS[spoken_language(language)]
    return words.place.format(n=position) if position <= MOST_POSITION else words.beyond


def wait_text(seconds: float, language: str) -> str:
    """What four of five callers do not exceed, from now on."""
    words, minutes = _WORDS[spoken_language(language)], max(1, math.ceil(seconds / 60))
    if minutes > MOST_MINUTES:
        return words.longer
    return words.one_minute if minutes == 1 else words.minutes.format(n=minutes)


def place_texts(language: str) -> Iterator[str]:
    """All that `place_text` can be."""
    return (place_text(position, language) for position in range(1, MOST_POSITION + 2))


def wait_texts(language: str) -> Iterator[str]:
    """All that `wait_text` can be."""
    return (wait_text(minutes * 60, language) for minutes in range(1, MOST_MINUTES + 2))
