"""The auditor: another make of AMI client, with a login of its own, that compares the PBX with what the service says.

It shares no code with what it audits.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import Any

from asterisk.ami import AMIClient, SimpleAction


@dataclass(frozen=True)
class Seen:
    """One channel of the PBX."""

    unique_id: str
    name: str
    bridge: str
    application: str


def channels(port: int, secret: str) -> list[Seen]:
    """What exists in the PBX now. Blocks; run it in a thread."""
    client = AMIClient(address="127.0.0.1", port=port, timeout=5)
    found: list[Seen] = []
    complete = threading.Event()

    def listen(event: Any, **_: Any) -> None:
        if event.name == "CoreShowChannel":
            keys = event.keys
            found.append(Seen(keys["Uniqueid"], keys["Channel"], keys.get("BridgeId", ""), keys.get("Application", "")))
        elif event.name == "CoreShowChannelsComplete":
            complete.set()

    client.add_event_listener(listen, white_list=["CoreShowChannel", "CoreShowChannelsComplete"])
    try:
        login = client.login(username="auditor", secret=secret)
        assert login.response is not None
        assert not login.response.is_error(), str(login.response)
        client.send_action(SimpleAction("CoreShowChannels"))
        assert complete.wait(5), "the PBX did not list its channels"
    finally:
        client.logoff()
        client.disconnect()
    return found


async def audited_channels(port: int, secret: str) -> list[Seen]:
    return await asyncio.to_thread(channels, port, secret)
