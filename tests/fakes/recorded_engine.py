"""An engine with a routing log in memory, as `Hands` and `RoutingLog` keep it."""

from __future__ import annotations

from acd import replay
from acd.engine import Engine
from acd.facts import Fact
from acd.model import AgentSpec, QueueSpec, Rules
from acd.orders import Order
from acd.replay import Began, Entry


def record(
    engine: Engine, queues: list[QueueSpec], agents: list[AgentSpec], *, first: int = 1, at: float = 0.0
) -> list[Entry]:
    """The log of all that this engine is told from now on; call it before the first fact."""
    log = [replay.began(first, at, Began(tuple(queues), tuple(agents), Rules(), "test"))]
    decide = engine.handle

    def handle(fact: Fact, now: float) -> list[Order]:
        outcome: list[Order] | Exception
        try:
            outcome = decide(fact, now)
        except Exception as error:
            outcome = error
        log.append(replay.told(first + len(log), now, fact, outcome))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    engine.handle = handle  # type: ignore[method-assign]
    return log
