"""`to_queue`: the caller waits for an agent.

`then` follows when an agent has talked to them and they are still there; `otherwise` when nobody did (the wait became
too long, or the queue cannot serve). A caller who hangs up is gone: no node follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ivr.inputs import Input, QueueEnded
from ivr.node import Node, NodeId, Path, QueueName, Strict

if TYPE_CHECKING:
    from ivr.walk import Walk

TALKED = "talked"


class ToQueue(Strict):
    """Which queue, and what follows."""

    queue: QueueName = Field(description="a queue of the configuration")
    then: NodeId = Field(description="after a talk with an agent")
    otherwise: NodeId = Field(description="when nobody could talk to the caller")


class ToQueueNode(Node):
    """Let the caller wait for an agent."""

    verb: ClassVar[str] = "to_queue"

    to_queue: ToQueue

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield ("to_queue", "then"), self.to_queue.then
        yield ("to_queue", "otherwise"), self.to_queue.otherwise

    def queues(self) -> Iterator[tuple[Path, str]]:
        yield ("to_queue", "queue"), self.to_queue.queue

    def enter(self, walk: Walk) -> None:
        walk.enter_queue(self.to_queue.queue)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case QueueEnded(result=result):
                walk.go(self.to_queue.then if result == TALKED else self.to_queue.otherwise)
            case _:
                pass
