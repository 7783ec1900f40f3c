"""The way in: from the routing log and a call to what became of it and what would have changed that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from acd.explain import words
from acd.explain.story import Story, tell
from acd.explain.whatif import WhatIf, what_ifs
from acd.replay import Entry, State

_LATER = 3_000  # lines after a caller left, in which it is looked for who would have had them


@dataclass(frozen=True, slots=True)
class Explanation:
    story: Story
    what_ifs: list[list[WhatIf]]  # for each stay

    def text(self, clock: Callable[[float], str]) -> str:
        return "\n".join(words.lines(self.story, self.what_ifs, clock)) + "\n"

    def data(self) -> dict[str, Any]:
        """Plain JSON."""
        story = self.story
        return {
            "call": story.call,
            "stays": [
                {
                    "queue": stay.caller.queue,
                    "joined_at": stay.caller.joined_at,
                    "outcome": stay.outcome or None,
                    "moments": [_filled(asdict(moment)) for moment in stay.moments],
                    "what_if": [_filled(asdict(one)) for one in others],
                }
                for stay, others in zip(story.stays, self.what_ifs, strict=True)
            ],
            "replayed": story.lines,
            "differences": [str(one) for one in story.differences],
        }


def explain(call: str, entries: Sequence[Entry], start: State | None = None, *, last: int = 0) -> Explanation:
    """`entries` go on from `start` or begin with a service's first line; `last` is the last one that names the call."""
    story = tell(call, entries, start, last=last)
    others: list[list[WhatIf]] = []
    for stay in story.stays:
        end = stay.moments[-1].number + _LATER
        within = [entry for entry in entries if stay.first.number <= entry.number <= end]
        others.append(what_ifs(stay, within) if not story.differences else [])
    return Explanation(story, others)


def _filled(content: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {key: value for key, value in content.items() if value not in (None, "", (), [])}
