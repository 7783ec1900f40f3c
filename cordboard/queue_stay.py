"""One caller's stay in a queue: the notice, joining, what they hear, and leaving.

Decides in which order these follow each other. It refuses to know what comes before and after, and who is free.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acd.errors import UnknownQueue
from cordboard.call_services import CallServices
from cordboard.comfort import Comfort, ComfortPlan
from cordboard.notice import Notice
from cordboard.waiting import Waiting
from ivr.errors import PromptMissing
from ivr.handover import LEFT
from pbx.facts import CommandDone

NO_QUEUE_PAUSE_S = 1.0


class QueueStay:
    """`waiting` says in which queue they are, and on which terms."""

    __slots__ = ("_call", "_comfort", "_language", "_no_queue", "_notice", "_services", "_waiting")

    def __init__(
        self,
        call: str,
        services: CallServices,
        waiting: Waiting,
        note: Callable[[str, dict[str, Any]], None],
        no_queue: Callable[[float], None],
    ) -> None:
        """`no_queue` is called, never within `enter`, with the time of joining of whoever found no such queue."""
        self._call = call
        self._services = services
        self._waiting = waiting
        self._no_queue = no_queue
        self._comfort = Comfort(
            call, services.switch, services.timers, services.clock, services.prompts, services.distributor, note
        )
        self._notice = Notice(call, services.switch, services.timers, services.prompts, note, self._join_and_wait)
        self._language = ""

    @property
    def plan(self) -> ComfortPlan | None:
        return self._services.comfort(self._waiting.queue)

    @property
    def pending(self) -> bool:
        """They have not joined yet: they must hear the notice first."""
        return self._notice.pending

    @property
    def speaks(self) -> bool:
        return self._comfort.speaks or self._notice.speaks

    def enter(self, language: str) -> None:
        self._language = language
        try:
            said = self._notice.say(self._services.notice(self._waiting.queue), language)
        except PromptMissing:
            said = False
            self._services.untold(self._call)
        if not said:
            self._join_and_wait()

    def comfort(self, language: str) -> None:
        """They wait, and are in our hands."""
        self._language = language
        self._comfort.begin(self.plan, self._waiting.joined_at, language)

    def hush(self) -> None:
        """On their way to an agent, or back from there: nothing more is said."""
        self._comfort.void()

    def over(self) -> None:
        """They wait no more, and are still in our hands."""
        self._comfort.end()

    def done(self, fact: CommandDone) -> None:
        if not self._notice.done(fact):
            self._comfort.done(fact)

    def void(self) -> None:
        """They are out of our hands."""
        self._comfort.void()
        self._notice.void()

    def leave_by(self, key: str) -> bool:
        """By a key that the flow has a node for. Whoever is being put through stays: the talk wins."""
        if key not in self._waiting.terms.keys or self._notice.pending:
            return False
        if self._services.distributor.connects(self._call):
            return False
        self._services.distributor.leave(self._call, LEFT)
        self._waiting.keep_place()
        return True

    def _join_and_wait(self) -> None:
        self.comfort(self._language)
        caller = self._waiting.caller(self._call)
        try:
            self._services.distributor.join(caller)
        except UnknownQueue:
            # The flow was checked against queues that are no more. Not at once: a flow that tries again must not spin.
            self._services.timers.after(NO_QUEUE_PAUSE_S, lambda: self._no_queue(caller.joined_at))
