"""The other side of an offer: on whose behalf an agent's phone rings, and what its fate means for them.

Three kinds: a caller in line, a talk whose agent wants to consult somebody, a talk that the agent has already left to
whoever answers. `Offers` moves the agent and asks the side; a side refuses to know how agents move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from acd.lines import Lines
from acd.orders import ConnectTalk, ConsultOver, QueueResult, ReleaseCaller
from acd.outbox import Outbox

if TYPE_CHECKING:
    from acd.offers import Offer, Offers

ANSWERED_ELSEWHERE = "answered_elsewhere"


class Side(Protocol):
    def answered(self, offer: Offer, now: float) -> None:
        """The agent picked up."""

    def dropped(self, offer: Offer) -> None:
        """It came to nothing, whoever's fault it was."""

    def started(self, offer: Offer) -> None:
        """They talk."""

    def ended(self, offer: Offer) -> None:
        """The talk is over for this agent."""


class InLine:
    """A caller who waits in a queue: they keep their place until they talk."""

    def __init__(self, offers: Offers, lines: Lines, outbox: Outbox) -> None:
        self._offers = offers
        self._lines = lines
        self._out = outbox

    def answered(self, offer: Offer, now: float) -> None:
        self._out.give(ConnectTalk(offer.id, offer.call, offer.agent))
        standing = self._lines.callers[offer.call]
        self._lines.answer(standing, offer.id)
        for other in list(standing.offers):
            if other != offer.id:
                self._offers.withdraw(self._offers.open[other], ANSWERED_ELSEWHERE, now)

    def dropped(self, offer: Offer) -> None:
        standing = self._lines.callers[offer.call]
        self._lines.unreserve(standing, offer.id)
        if standing.overdue:
            self._out.give(ReleaseCaller(offer.call, QueueResult.TIMEOUT))
            self._offers.leave_line(standing, QueueResult.TIMEOUT)
        else:
            self._offers.seekers[offer.call] = None

    def started(self, offer: Offer) -> None:
        self._offers.talks[offer.call] = offer.id
        self._offers.note("talk.started", offer)
        self._offers.leave_line(self._lines.callers[offer.call], "answered")

    def ended(self, offer: Offer) -> None:
        del self._offers.talks[offer.call]


class Consulting:
    """A talk whose agent wants a word with another one first. The talk stays the first agent's."""

    def __init__(self, offers: Offers, outbox: Outbox) -> None:
        self._offers = offers
        self._out = outbox

    def answered(self, offer: Offer, now: float) -> None:
        pass  # whoever keeps the talk's legs brings them together

    def dropped(self, offer: Offer) -> None:
        del self._offers.consults[offer.call]
        self._out.give(ConsultOver(offer.id, offer.call))

    def started(self, offer: Offer) -> None:
        self._offers.note("talk.consulted", offer)

    def ended(self, offer: Offer) -> None:
        del self._offers.consults[offer.call]


class Heir(Consulting):
    """The first agent has left the talk to this one, perhaps while the phone still rings."""

    def started(self, offer: Offer) -> None:
        self._offers.consults.pop(offer.call, None)
        self._offers.talks[offer.call] = offer.id
        self._offers.note("talk.started", offer)

    def ended(self, offer: Offer) -> None:
        del self._offers.talks[offer.call]
