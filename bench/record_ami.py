"""Record what a real Asterisk says about one call: the stream that `bench.ami` multiplies.

    python -m bench.record_ami bench/data/one_call.ami

A private PBX, two SIP phones, our own link driving the call: menu, a key, music, an agent, talk, goodbye. A second AMI
user listens to everything, without the filter that spares the service most of it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pbx.facts import BridgeEntered, CallReturned, ChannelGone, CommandDone, LegAnswered
from pbx.orders import Answer, Connect, HangUp, Play, RingPhone, StartMusic
from tests.contract.switch_rig import RealRig

USER = "recorder"
SECRET = "only-for-this-recording"


async def recorder(rig: RealRig) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """An AMI session that hears everything."""
    user = f"\n[{USER}]\nsecret = {SECRET}\nread = all\nwrite = reporting\nwritetimeout = 5000\n"
    configuration = rig.pbx.settings.etc / "manager.conf"
    configuration.write_text(configuration.read_text() + user)
    await rig.pbx.cli("manager reload")
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.pbx.settings.ami_port)
    await reader.readline()
    writer.write(f"Action: Login\r\nUsername: {USER}\r\nSecret: {SECRET}\r\n\r\n".encode())
    while b"FullyBooted" not in await reader.readuntil(b"\r\n\r\n"):
        pass
    return reader, writer


async def one_call(rig: RealRig) -> None:
    """What a caller does who gets through."""
    link, facts = rig.link, rig.facts
    channel = await rig.arrives("100")
    link.send(Answer(channel, "answer"))
    link.send(Play(channel, "menu", (rig.long,)))
    await rig.press("2")
    await facts.has(CommandDone(channel, "menu", ok=True, interrupted=True))
    link.send(Play(channel, "wait", (rig.short,)))
    await facts.has(CommandDone(channel, "wait", ok=True))
    link.send(StartMusic(channel, "default"))
    link.send(RingPhone("cb-00000001-1", "1001", 10, "+15550100123", "Ada"))
    await facts.has(LegAnswered("cb-00000001-1"))
    link.send(Connect(channel, "cb-00000001-1"))
    await facts.next(BridgeEntered, 2)
    await asyncio.sleep(5.5)  # long enough for the reports on sound (RTCP) that every talk has
    await rig.agent_hangs_up("cb-00000001-1")
    await facts.has(CallReturned(channel))
    link.send(Play(channel, "bye", (rig.short,)))
    await facts.has(CommandDone(channel, "bye", ok=True))
    link.send(HangUp(channel))
    await facts.has(ChannelGone(channel, 16))


async def record() -> bytes:
    """The events, each with its blank line."""
    rig = RealRig()
    await rig.start()
    try:
        reader, writer = await recorder(rig)
        await one_call(rig)
        writer.write(b"Action: Ping\r\nActionID: end\r\n\r\n")
        stream = await reader.readuntil(b"ActionID: end\r\n")
        writer.close()
    finally:
        await rig.close()
    # No folder of this machine, and no log-in of our own, belongs into a file that is kept.
    stream = stream.replace(str(rig.pbx.settings.data).encode(), b"/usr/share/asterisk")
    events = [part for part in stream.split(b"\r\n\r\n") if part.startswith(b"Event: ")]
    events = [event for event in events if not event.startswith(b"Event: SuccessfulAuth")]
    return b"".join(event + b"\r\n\r\n" for event in events)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(asyncio.run(record()))
