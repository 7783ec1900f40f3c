"""Somebody who listens at the PBX and notes how long each answered agent waited to be bridged.

Decides from the PBX's events alone, by the PBX's own clock (`timestampevents`). It is a second AMI user and takes no
part in anything.
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
UP = "6"


@dataclass
class Observer:
    """`delays` grows by one for each agent who was bridged with somebody: seconds since their leg was up."""

    agents: frozenset[str]
    delays: list[float] = field(default_factory=list)
    _up: dict[str, float] = field(default_factory=dict)
    _agent_in: dict[str, str] = field(default_factory=dict)  # bridge: the agent's leg in it

    def event(self, event: Mapping[str, str]) -> None:
        leg, at = event["Uniqueid"], float(event["Timestamp"])
        is_agent = event["Channel"].removeprefix("PJSIP/").rpartition("-")[0] in self.agents
        if event["Event"] == "Newstate":
            if is_agent and event["ChannelState"] == UP:
                self._up.setdefault(leg, at)
            return
        bridge = event["BridgeUniqueid"]
        if is_agent:
            self._agent_in[bridge] = leg
        if event["BridgeNumChannels"] == "2" and (agent := self._agent_in.pop(bridge, None)) in self._up:
            self.delays.append(at - self._up.pop(agent))

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            event = dict(line.split(": ", 1) for line in lines if ": " in line)
            if event.get("Event") in {"Newstate", "BridgeEnter"}:
                self.event(event)

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, site: BenchSite, agents: frozenset[str]) -> AsyncIterator[Observer]:
        site.edit("manager.conf", CONFIGURATION)
        await site.pbx.cli("manager reload")
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
