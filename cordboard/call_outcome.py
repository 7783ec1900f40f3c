"""How a call ended, in one word. Pure."""

from __future__ import annotations

from cordboard.memory import Phase


def outcome(phase: Phase, talked: bool, transferred: bool, ended_by: str, flow: str) -> str:
    """`phase` is where the call was when it ended; `talked`: with an agent out of a queue; `transferred`: with somebody
    whom the flow rang. Whoever gave up waiting for an agent has abandoned, even if somebody else had talked to them."""
    if phase is Phase.FALLBACK:
        return "fallback"
    if talked:
        return "talked"
    if phase is Phase.QUEUE:
        return "abandoned_in_queue"
    if transferred:
        return "transferred"
    if ended_by == "service":
        return "stopped"
    if phase is Phase.LEAVING:
        return "completed" if flow else "no_such_number"
    return "left_in_flow"
