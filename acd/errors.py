"""What goes wrong because of a person or a configuration. Facts from the PBX never raise: they are counted.

AcdError
├── UnknownAgent
├── UnknownQueue
├── PhoneTaken        two agents were given the same phone
├── AlreadyLoggedIn
├── NotLoggedIn
├── UnknownReason
├── NotInWrapUp
├── WrapUpAtItsLongest
├── NothingToClassify
├── UnknownDisposition
├── DispositionOwed
├── NoTalk            the call is in no talk
├── AgentNotFree      they cannot be rung now
├── NotPossible       the talk is not in a state for that
├── NotAllowed        a destination or a person without the right
└── IllegalTransition the state table has no such move; a bug, never a person's mistake
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class AcdError(Exception):
    """A clear sentence for whoever asked."""


class UnknownAgent(AcdError):
    def __init__(self, agent: str) -> None:
        super().__init__(f"There is no agent {agent!r}.")


class UnknownQueue(AcdError):
    def __init__(self, queue: str) -> None:
        super().__init__(f"There is no queue {queue!r}.")


class PhoneTaken(AcdError):
    def __init__(self, endpoint: str, agent: str) -> None:
        super().__init__(f"The phone {endpoint!r} already belongs to agent {agent!r}.")


class AlreadyLoggedIn(AcdError):
    def __init__(self, agent: str, state: str) -> None:
        super().__init__(f"Agent {agent!r} is already logged in, and {state.replace('_', ' ')}.")


class NotLoggedIn(AcdError):
    def __init__(self, agent: str) -> None:
        super().__init__(f"Agent {agent!r} is not logged in.")


class UnknownReason(AcdError):
    def __init__(self, reason: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no reason {reason!r} for not being ready. There are: {', '.join(known)}.")


class NotInWrapUp(AcdError):
    def __init__(self, agent: str) -> None:
        super().__init__(f"Agent {agent!r} is not in wrap-up: there is nothing to extend.")


class WrapUpAtItsLongest(AcdError):
    def __init__(self, agent: str, seconds: float) -> None:
        super().__init__(
            f"The wrap-up of agent {agent!r} lasts {seconds:.0f} s already, the longest that its queue allows."
        )


class NothingToClassify(AcdError):
    def __init__(self, agent: str) -> None:
        super().__init__(f"Agent {agent!r} is neither in a talk nor in its wrap-up: a disposition belongs to one.")


class UnknownDisposition(AcdError):
    def __init__(self, word: str, queue: str, known: Mapping[str, str]) -> None:
        there = ", ".join(f"{digit} {name}" for digit, name in known.items())
        text = f"Queue {queue!r} has no disposition {word!r}. "
        super().__init__(text + (f"It has: {there}." if there else "It has none at all."))


class DispositionOwed(AcdError):
    def __init__(self, agent: str, known: Mapping[str, str]) -> None:
        there = ", ".join(f"{digit} {name}" for digit, name in known.items())
        super().__init__(f"Agent {agent!r} must say first what the talk led to: {there}.")


class NoTalk(AcdError):
    def __init__(self, call: str) -> None:
        super().__init__(f"Call {call!r} is in no talk.")


class AgentNotFree(AcdError):
    def __init__(self, agent: str, why: str) -> None:
        super().__init__(f"Agent {agent!r} cannot be rung now: {why}.")


class NotPossible(AcdError):
    """The sentence says what would have to be true first."""


class NotAllowed(AcdError):
    """The sentence says what is not allowed and where it is set."""


class IllegalTransition(AcdError):
    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"An agent who is {state} cannot {event}.")
