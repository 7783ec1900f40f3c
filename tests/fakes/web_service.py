"""Another system that answers as a test says, without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from cordboard.lookups.answer import Reply
from cordboard.lookups.exchange import Failure


@dataclass
class Sent:
    method: str
    url: str
    headers: dict[str, str]
    body: Any
    seconds: float
    answer: asyncio.Future[Reply] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def reply(self, status: int = 200, body: bytes = b"{}") -> None:
        self.answer.set_result(Reply(status, body))

    def fail(self, reason: str = "timeout", *, sent: bool = True, final: bool = False) -> None:
        self.answer.set_exception(Failure(reason, sent=sent, final=final))


class FakeExchange:
    """Every request waits in `sent` until the test answers it. `script`: what the next ones come to at once."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.script: list[Reply | Failure | Exception] = []
        self.cancelled = 0

    async def __call__(self, method: str, url: URL, headers: dict[str, str], body: Any, seconds: float, /) -> Reply:
        sent = Sent(method, str(url), headers, body, seconds)
        self.sent.append(sent)
        if self.script:
            result = self.script.pop(0)
            if isinstance(result, Exception):
                raise result
            return result
        try:
            return await sent.answer
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
