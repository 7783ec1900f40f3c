"""`hours`: whether it is open now.

Afterwards `opens_on` and `opens_at` hold the next opening; they are empty when there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ivr.answers import moment
from ivr.node import Name, Node, NodeId, Path

if TYPE_CHECKING:
    from ivr.walk import Walk


class HoursNode(Node):
    """Choose by the time of day, the weekday and holidays."""

    verb: ClassVar[str] = "hours"
    needs_caller: ClassVar[bool] = False

    hours_name: Name = Field(alias="hours", description="a name from the flow's `hours`")
    open: NodeId
    closed: NodeId
    holiday: NodeId | None = Field(None, description="on a holiday, or a day that is closed by its own date")

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("open",), "open", self.open
        yield ("closed",), "closed", self.closed
        if self.holiday is not None:
            yield ("holiday",), "holiday", self.holiday

    def hours(self) -> Iterator[tuple[Path, str]]:
        yield ("hours",), self.hours_name

    def enter(self, walk: Walk) -> None:
        hours, now = walk.flow.hours[self.hours_name], walk.around.now()
        opening = hours.next_opening(now)
        on, at = moment(opening, hours.zone) if opening is not None else ("", "")
        walk.assign("opens_on", on)
        walk.assign("opens_at", at)
        if hours.open_at(now):
            walk.go(self.open, "open")
        elif self.holiday is not None and hours.holiday_at(now):
            walk.go(self.holiday, "holiday")
        else:
            walk.go(self.closed, "closed")
