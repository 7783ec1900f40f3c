"""`cordboard demo`: an agent's phone and a caller, both real, against the running system, with measured times.

Decides the scenario; the phones, the PBX and the service do what they always do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cordboard.api_client import ServiceAddress, ServiceError
from cordboard.phones.agent_cli import PhoneOptions, run_phone
from cordboard.phones.caller_cli import CallOptions, run_call


@dataclass(frozen=True, slots=True)
class Milestone:
    """From the first event of one kind to the first of another, in words."""

    words: str
    start: str
    end: str


MILESTONES = (
    Milestone("caller arrives -> answered", "call.arrived", "call.answered"),
    Milestone("answered -> first prompt", "call.answered", "prompt.started"),
    Milestone("joins the queue -> an agent is offered", "queue.joined", "offer.made"),
    Milestone("offered -> the agent's phone rings", "offer.made", "offer.ringing"),
    Milestone("agent answers -> they talk", "offer.answered", "talk.started"),
    Milestone("the whole call", "call.arrived", "call.ended"),
)


def timeline(events: list[dict[str, Any]]) -> list[str]:
    """The measured times between milestones, one line each; what did not happen is left out."""
    first: dict[str, float] = {}
    for event in events:
        first.setdefault(event["kind"], event["at"])
    return [
        f"  {mark.words:<42} {(first[mark.end] - first[mark.start]) * 1000:9.1f} ms"
        for mark in MILESTONES
        if mark.start in first and mark.end in first
    ]


async def run_demo(
    service: ServiceAddress, phone: PhoneOptions, call: CallOptions, agent: str, say: Callable[[str], None]
) -> int:
    """One call from dialling to hang-up. Returns a process exit status: 0 when caller and agent talked."""
    say(f"agent {agent}'s phone registers, logs in and waits for a call:")
    answering = asyncio.create_task(run_phone(phone))
    try:
        await _until_ready(service, agent, answering)
        say(f"\na caller dials {call.target} and presses {' '.join(call.press)}:")
        status = await run_call(call)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(answering), 10)
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
    calls = await service.ask("GET", "/api/calls?closed=1&limit=1")
    if not calls["calls"]:
        say("no call record was written: the output of `make up` says why")
        return 1
    record = await service.ask("GET", f"/api/calls/{calls['calls'][0]['call_id']}")
    say("\nmeasured by the service:")
    for line in timeline(record["events"]):
        say(line)
    return status if record["call"]["outcome"] == "talked" else 1


async def _until_ready(service: ServiceAddress, agent: str, phone: asyncio.Task[int]) -> None:
    for _ in range(150):
        if phone.done():
            raise SystemExit(phone.result())
        agents = await service.ask("GET", "/api/agents")
        if any(one["id"] == agent and one["state"] == "ready" and one["reachable"] for one in agents["agents"]):
            return
        await asyncio.sleep(0.1)
    raise ServiceError(f"agent {agent} did not become ready within 15 s; `cordboard agents list` shows the state")
