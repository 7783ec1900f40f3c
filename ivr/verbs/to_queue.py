"""`to_queue`: the caller waits for an agent.

`then` follows when an agent has talked to them and they are still there; `otherwise` when nobody did (the wait became
too long, or the queue cannot serve), if need be by reason. A key of `keys` takes a waiting caller out of the queue to
another node. A caller who hangs up is gone: no node follows.

What the flow knows of the caller goes with them: what an agent must be able to do, how urgent they are, whom they want
and what the agent should see.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from ivr.handover import LEFT, Handover, Levels, Skills
from ivr.inputs import Input, QueueEnded
from ivr.node import (
    MOST_SECONDS,
    AgentRef,
    Amount,
    Key,
    Name,
    Node,
    NodeId,
    Path,
    QueueName,
    Read,
    Shown,
    Strict,
    Use,
    kind_of,
)
from ivr.otherwise import Reasons, go, ways
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.walk import Walk

TALKED = "talked"
MAX_DATA = 16

Level = Annotated[int, Field(ge=1, le=5)]
Demanded = dict[Name, Level]


class Relaxed(Strict):
    """From `after_s` on a waiting caller must have only this."""

    after_s: Annotated[int, Field(ge=1, le=MOST_SECONDS)]
    must: Demanded = Field(default_factory=dict)


class SkillsAsked(Strict):
    """What an agent must have, in the words of a queue's configuration; it takes the place of the queue's own."""

    must: Demanded = Field(default_factory=dict, description="skill to the level that an agent needs")
    nice: Demanded = Field(default_factory=dict, description="agents who have more of these come first")
    relax: tuple[Relaxed, ...] = Field((), description="what is needed after some waiting")

    def plain(self) -> Skills:
        return Skills(
            _levels(self.must), _levels(self.nice), tuple((step.after_s, _levels(step.must)) for step in self.relax)
        )

    def named(self) -> Iterator[tuple[Path, str, int]]:
        for where, levels in (("must", self.must), ("nice", self.nice)):
            for skill, level in levels.items():
                yield (where, skill), skill, level
        for index, step in enumerate(self.relax):
            for skill, level in step.must.items():
                yield ("relax", index, "must", skill), skill, level

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        """Steps out of order, or that ask for more than the step before them."""
        after_s, must = 0, self.must
        for index, step in enumerate(self.relax):
            if step.after_s <= after_s:
                yield ("relax", index, "after_s"), f"'after_s' must be above the {after_s} s of the step before"
            for skill, level in step.must.items():
                if level > must.get(skill, 0):
                    asked = f"{skill}: {must[skill]}" if skill in must else f"no {skill}"
                    text = f"a requirement only relaxes, and the step before asks for {asked}"
                    yield ("relax", index, "must", skill), text
            after_s, must = step.after_s, step.must


class ByReason(Reasons):
    """Where a caller goes whom nobody talked to, by why."""

    closed: NodeId | None = Field(None, description="outside the queue's hours")
    full: NodeId | None = Field(None, description="too many wait already")
    too_long: NodeId | None = Field(None, description="they would have to expect more than its max_expected_wait_s")
    timeout: NodeId | None = Field(None, description="they waited for the queue's max_wait_s")
    empty: NodeId | None = Field(None, description="none of its agents is logged in")


Otherwise = Annotated[
    Annotated[NodeId, Tag("<node>")] | Annotated[ByReason, Tag("<by reason>")],
    Discriminator(kind_of("<node>", "<by reason>")),
]


class ToQueue(Strict):
    """Which queue, with what, and what follows."""

    queue: QueueName = Field(description="a queue of the configuration")
    then: NodeId = Field(description="after a talk with an agent")
    otherwise: Otherwise = Field(description="when nobody could talk to the caller: a node, or one for each reason")
    skills: SkillsAsked | None = Field(None, description="what an agent must have, instead of the queue's own rules")
    head_start_s: Amount = Field("0", description="the caller counts as having waited so much longer")
    prefer: AgentRef | None = Field(None, description="whom the caller waits for alone at first: an agent, or `last`")
    prefer_s: Annotated[int, Field(ge=1, le=3600)] = Field(30, description="how long at most they wait for that agent")
    data: Annotated[dict[Name, Shown], Field(max_length=MAX_DATA)] = Field(
        default_factory=dict, description="what the agent sees: name to text"
    )
    keys: dict[Key, NodeId] = Field(default_factory=dict, description="while waiting: phone key to node")
    keep_place: bool = Field(True, description="who left this queue by a key comes back to their old place")


class ToQueueNode(Node):
    """Let the caller wait for an agent."""

    verb: ClassVar[str] = "to_queue"
    waits: ClassVar[bool] = True

    to_queue: ToQueue

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        asked = self.to_queue
        yield ("to_queue", "then"), "then", asked.then
        for path, label, node in ways(asked.otherwise):
            yield ("to_queue", *path), label, node
        for key, node in asked.keys.items():
            yield ("to_queue", "keys", key), key, node

    def reads(self) -> Iterator[Read]:
        asked = self.to_queue
        for name, text in asked.data.items():
            for variable in names_in(text):
                yield Read(("to_queue", "data", name), variable, Use.SCREEN)
        for variable in names_in(asked.prefer or ""):
            yield Read(("to_queue", "prefer"), variable, Use.AGENT)
        for variable in names_in(asked.head_start_s):
            yield Read(("to_queue", "head_start_s"), variable, Use.SECONDS)

    def queues(self) -> Iterator[tuple[Path, str]]:
        yield ("to_queue", "queue"), self.to_queue.queue

    def skills(self) -> Iterator[tuple[Path, str, int]]:
        if self.to_queue.skills is not None:
            for path, skill, level in self.to_queue.skills.named():
                yield ("to_queue", "skills", *path), skill, level

    def agents(self) -> Iterator[tuple[Path, str]]:
        if self.to_queue.prefer is not None:
            yield ("to_queue", "prefer"), self.to_queue.prefer

    def amounts(self) -> Iterator[tuple[Path, str]]:
        yield ("to_queue", "head_start_s"), self.to_queue.head_start_s

    def shown(self) -> Iterator[tuple[Path, str]]:
        for name, text in self.to_queue.data.items():
            yield ("to_queue", "data", name), text

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        if self.to_queue.skills is not None:
            for path, text in self.to_queue.skills.contradictions():
                yield ("to_queue", "skills", *path), text

    def enter(self, walk: Walk) -> None:
        asked = self.to_queue
        walk.queue = asked.queue  # before the data, which may name it
        walk.enter_queue(
            Handover(
                asked.queue,
                asked.skills.plain() if asked.skills is not None else None,
                walk.amount(asked.head_start_s),
                walk.filled_if_known(asked.prefer or ""),
                asked.prefer_s if asked.prefer is not None else 0,
                tuple((name, walk.filled_if_known(text)) for name, text in asked.data.items()),
                "".join(asked.keys),
                asked.keep_place,
            )
        )

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case QueueEnded(result=result) if result == TALKED:
                walk.go(self.to_queue.then, "then")
            case QueueEnded(result=result, key=key) if result == LEFT and key in self.to_queue.keys:
                walk.note("key.pressed", {})
                walk.go(self.to_queue.keys[key], key)
            case QueueEnded(result=result):
                go(walk, self.to_queue.otherwise, result)
            case _:
                pass


def _levels(demanded: Demanded) -> Levels:
    """In one order, so that callers who demand the same are seen to."""
    return tuple(sorted(demanded.items()))
