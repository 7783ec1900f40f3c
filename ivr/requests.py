"""What a flow can ask of somebody outside the call. Each is answered once: "ok", or the name of what went wrong.

A request says everything that is needed to carry it out. It refuses to know who does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ivr.values import Kind, Value

OK = "ok"
FAILED = "failed"
"""Every outcome that has no name of its own: too late, broken, nobody there who could do it."""


@dataclass(frozen=True, slots=True)
class What:
    """Base of all requests."""

    @property
    def repeatable(self) -> bool:
        """Whether asking it twice is the same as once."""
        return False


Method = Literal["GET", "POST", "PUT", "DELETE"]

NOT_FOUND = "not_found"
REFUSED = "refused"

RETRY_PAUSE_S = 0.2
"""Before the second try; twice as long before each further one."""


@dataclass(frozen=True, slots=True)
class SecretName:
    """A place for a secret of the site: only whoever sends the request knows it."""

    name: str


HeaderValue = tuple[str | SecretName, ...]


@dataclass(frozen=True, slots=True)
class Saved:
    """A variable, and where in the answer its value is found. `default`: when it is not there."""

    name: str
    path: tuple[str, ...]
    kind: Kind
    one_of: tuple[Value, ...] = ()
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest(What):
    """Ask another system. Outcomes: ok, not_found, refused (they understood, and say no), failed.

    `url` is ready to be sent. `secret`: what a secure question collected is in it, and nothing of it may be kept.
    """

    service: str
    method: Method
    url: str = field(repr=False)
    headers: tuple[tuple[str, HeaderValue], ...] = field(default=(), repr=False)
    body: Any = field(default=None, repr=False)
    timeout_s: float = 3.0
    tries: int = 1
    cache_s: float = 0.0
    save: tuple[Saved, ...] = ()
    secret: bool = False

    @property
    def repeatable(self) -> bool:
        return self.method != "POST"

    @property
    def longest_s(self) -> float:
        """How long all tries and the pauses between them can take."""
        return self.timeout_s * self.tries + sum(pause_s(number) for number in range(1, self.tries))


@dataclass(frozen=True, slots=True)
class TransferRequest(What):
    """Put the caller through to an agent's phone or a number. Outcomes: ok (they have talked, and the caller is still
    there), busy, no_answer, refused (by whoever was rung), unreachable, not_allowed, failed.

    `at` is the place in the flow that asks: asked again from there after the talk, it is answered at once.
    """

    to: str = field(repr=False)
    ring_s: int
    at: str


@dataclass(frozen=True, slots=True)
class CallbackRequest(What):
    """Promise the caller a call. Outcomes: ok (it is on record), already, not_allowed, failed."""

    queue: str
    number: str = field(repr=False)
    language: str
    data: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerRequest(What):
    """Whose number this is. Outcomes: ok (values: the built-in variables of a customer), unknown, failed."""

    number: str = field(repr=False)

    @property
    def repeatable(self) -> bool:
        return True


def pause_s(tried: int) -> float:
    """How long to wait after so many tries."""
    return RETRY_PAUSE_S * float(2 ** (tried - 1))


SHORT = "short"


@dataclass(frozen=True, slots=True)
class RecordRequest(What):
    """Record what the caller says, after a beep. Outcomes: ok, short (nothing was said, or less than `min_s`), failed.

    With ok: `file` (as the PBX plays it), `seconds`, `ended` (`key`, `silence`, `limit`, `hangup`). It is a draft, and
    the one of before it is gone. It becomes a message by `KeepRequest`, or when the call ends.
    """

    box: str
    caller: str = field(repr=False)
    max_s: int = 120
    min_s: float = 1.0
    silence_s: int = 0
    end_keys: str = "#"
    beep: bool = True


@dataclass(frozen=True, slots=True)
class KeepRequest(What):
    """The caller's draft becomes a message; ok when it is on record."""


SurveyType = Literal["csat", "nps", "ces"]


@dataclass(frozen=True, slots=True)
class SurveyAnswer(What):
    """Keep what the caller answered to one question; ok when it is on its way to the disk. The caller never waits for
    more than that, and answers that were given stay when they hang up."""

    survey: str
    question: str
    type: SurveyType
    score: int
    flow: str
    node: str
