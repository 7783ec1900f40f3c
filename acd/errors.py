"""What goes wrong because of a person or a configuration. Facts from the PBX never raise: they are counted.

AcdError
├── UnknownAgent
├── UnknownQueue
├── PhoneTaken        two agents were given the same phone
├── AlreadyLoggedIn
├── NotLoggedIn
└── IllegalTransition the state table has no such move; a bug, never a person's mistake
"""

from __future__ import annotations


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
    def __init__(self, agent: str) -> None:
        super().__init__(f"Agent {agent!r} is already logged in.")


class NotLoggedIn(AcdError):
    def __init__(self, agent: str) -> None:
        super().__init__(f"Agent {agent!r} is not logged in.")


class IllegalTransition(AcdError):
    def __init__(self, state: str, event: str) -> None:
        super().__init__(f"An agent who is {state} cannot {event}.")
