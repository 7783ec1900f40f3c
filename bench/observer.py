"""Somebody who listens at the PBX and notes how long callers wait for a phone to ring, and agents for their talk.

Decides from the PBX's events alone, by the PBX's own clock (`timestampevents`). It is a second AMI user and takes no
part in anything; but with anybody listening the PBX formats its events, so no CPU is measured meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from bench.site import BenchSite

USER, SECRET = "observer", "only-while-the-bench-runs"
CONFIGURATION = f"""
[general](+)
timestampevents = yes

[{USER}]
secret = {SECRET}
deny = 0.0.0.0/0.0.0.0,::/0
permit = 127.0.0.1/255.255.255.255
read = call
write =
writetimeout = 5000
eventfilter(action(include),name(Newstate)) =
eventfilter(action(include),name(BridgeEnter)) =
"""
RINGING, UP = "5", "6"


@dataclass
class Observer:
    """Seconds. `rings`: from the answer of a caller, who joins the queue then, to the first phone that rings for them.
    `delays`: from the answer of an agent's phone to the second of the two in the bridge."""

    agents: frozenset[str]
    rings: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    _joined: dict[str, float] = field(default_factory=dict)  # by the caller's number
    _up: dict[str, float] = field(default_factory=dict)
    _agent_in: dict[str, str] = field(default_factory=dict)  # bridge: the agent's leg in it

    def clear(self) -> None:
        """Before the next callers: each crowd has the same numbers."""
        for noted in (self.rings, self.delays, self._joined, self._up, self._agent_in):
            noted.clear()

    def event(self, event: Mapping[str, str]) -> None:
        leg, at = event["Uniqueid"], float(event["Timestamp"])
        is_agent = event["Channel"].removeprefix("PJSIP/").rpartition("-")[0] in self.agents
        if event["Event"] == "Newstate":
            if is_agent:
                self._agent_is(event, leg, at)
            elif event["ChannelState"] == UP:
                self._joined[event["CallerIDNum"]] = at
            return
        bridge = event["BridgeUniqueid"]
        if is_agent:
            self._agent_in[bridge] = leg
        if event["BridgeNumChannels"] == "2" and (agent := self._agent_in.pop(bridge, None)) in self._up:
            self.delays.append(at - self._up.pop(agent))

    def _agent_is(self, event: Mapping[str, str], leg: str, at: float) -> None:
        if event["ChannelState"] == UP:
            self._up.setdefault(leg, at)
        elif event["ChannelState"] == RINGING:
            # Who calls stands in the one for a leg that was originated, in the other for one that was dialled.
            for number in (event["CallerIDNum"], event["ConnectedLineNum"]):
                if number in self._joined:
                    self.rings.append(at - self._joined.pop(number))
                    return

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            event = dict(line.split(": ", 1) for line in lines if ": " in line)
            if event.get("Event") in {"Newstate", "BridgeEnter"}:
                self.event(event)

    @staticmethod
    async def prepare(site: BenchSite) -> None:
        """Once for a PBX."""
        site.edit("manager.conf", CONFIGURATION)
        await site.pbx.cli("manager reload")

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, site: BenchSite, agents: frozenset[str]) -> AsyncIterator[Observer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.config.pbx.ami.port)
        await reader.readline()
        writer.write(f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\n\r\n".encode())
        if b"Success" not in await reader.readuntil(b"\r\n\r\n"):
            raise RuntimeError("the observer could not log in")
        observer = cls(agents)
        listening = asyncio.create_task(observer._listen(reader))
        try:
            yield observer
            if listening.done():
                listening.result()  # it must not have missed anything
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            writer.close()
