"""Today's figures as they grow: folded from the events as they are noted, from midnight on.

Decides what the live view shows of a queue, and that a new day begins with nothing. Which moments are midnights it is
told. Until the log of earlier today has been read, what it would say is not known: None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cordboard.events import Event
from cordboard.figures.catalogue import QUEUE_FIGURES
from cordboard.figures.fold import FOLDS, Fold, Thresholds
from cordboard.figures.intervals import Intervals
from cordboard.figures.tally import QueueTally

SERVICE_LEVEL = "service_level_offered"
_SHOWN = ("offered", "answered", "abandoned", "average_wait_s")

Day = Callable[[float], tuple[float, float]]
"""The midnights before and after a moment."""


class Today:
    def __init__(self, now: float, day: Day, thresholds: Thresholds) -> None:
        self._day = day
        self._thresholds = thresholds
        self.begin, self._end = day(now)
        self.fold = Fold(Intervals([self.begin, self._end]), thresholds)
        self._held_back: list[Event] | None = []  # noted while the log of earlier today is being read

    def note(self, event: Event) -> None:
        if self._held_back is not None:
            if event.kind in FOLDS:
                self._held_back.append(event)
        else:
            self._apply(event)

    def begin_again(self) -> None:
        """Before the first event of the log, and when it could not be read to its end."""
        self.fold = Fold(Intervals([self.begin, self._end]), self._thresholds)

    def earlier(self, event: Event) -> None:
        """An event of the log, in order, before `caught_up`."""
        self._apply(event)

    def caught_up(self) -> None:
        """All of the log has been told: what was noted meanwhile follows."""
        held_back, self._held_back = self._held_back or [], None
        for event in held_back:
            self._apply(event)

    def queue(self, name: str, now: float) -> dict[str, Any]:
        """For the view of a queue. The service level never stands without its formula."""
        shown = QUEUE_FIGURES[SERVICE_LEVEL]
        known = self._held_back is None
        if now >= self._end:
            self._next_day(now)
        tally = self.fold.queues.get((0, name)) or QueueTally()
        figures = {figure: QUEUE_FIGURES[figure].value(tally) if known else None for figure in _SHOWN}
        return {
            **figures,
            "service_level": shown.value(tally) if known else None,
            "service_level_formula": shown.formula_with(self._thresholds),
        }

    def _apply(self, event: Event) -> None:
        if event.at >= self._end:
            self._next_day(event.at)
        self.fold.apply(event)

    def _next_day(self, now: float) -> None:
        self.begin, self._end = self._day(now)
        self.fold.go_on(Intervals([self.begin, self._end]))
