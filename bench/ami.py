"""AMI events per CPU-second: our reader (bytes to facts) beside asterisk-ami 0.1.7's (bytes to Event objects).

    python -m bench.ami [--calls 2000] [--repeat 5] [--stream recorded.ami]

Both read the same stream from a socket, in one process, alternately, each in its own way. Without --stream the stream
is written by this program: calls as Asterisk 22 tells them, interleaved, 22 events a call, six of which mean nothing
to us. CPU time of the process, kernel included, not wall time; medians. It comes from a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop
from asterisk.ami import AMIClient

from pbx.agi import AsyncAgi
from pbx.connection import SessionLimits, open_connection
from pbx.facts import Fact
from pbx.legs import Legs
from pbx.translate import Translator

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
LANES = 50  # calls at the same time


def call(number: int) -> Iterator[bytes]:
    """The events of one call: menu, one key, queue, agent, talk, hang-up."""
    caller, leg, bridge = f"pbx-1790000000.{number}", f"cb-{number:08x}-1", f"7e3a19b2-bridge-{number:08x}"
    trunk, agent = f"PJSIP/trunk-{number:08x}", f"PJSIP/1001-{number + 1:08x}"
    env = "agi_request%3A%20async%0Aagi_channel%3A%20" + "x" * 420 + "%0A%0A"

    def event(name: str, unique: str, channel: str, context: str, state: int, *more: str) -> bytes:
        described = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}[state]
        lines = [
            f"Event: {name}",
            "Privilege: call,all",
            f"Channel: {channel}",
            f"ChannelState: {state}",
            f"ChannelStateDesc: {described}",
            f"CallerIDNum: +1555{number:07d}",
            "CallerIDName: Zoë Brontë",
            "ConnectedLineNum: <unknown>",
            "ConnectedLineName: <unknown>",
            "Language: en",
            "AccountCode: ",
            f"Context: {context}",
            "Exten: 100",
            "Priority: 8",
            f"Uniqueid: {unique}",
            f"Linkedid: {caller}",
            *more,
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def ours(name: str, state: int, *more: str, context: str = "cordboard-in") -> bytes:
        return event(name, caller, trunk, context, state, *more)

    def done(command: int, result: str = "0") -> bytes:
        return ours("AsyncAGIExec", 6, f"CommandId: cb1-{number}-{command}", f"Result: 200%20result%3D{result}%0A")

    def theirs(name: str, state: int, *more: str) -> bytes:
        return event(name, leg, agent, "cordboard-offer", state, *more)

    in_bridge = (f"BridgeUniqueid: {bridge}", "BridgeType: basic", "BridgeTechnology: simple_bridge")
    yield ours("Newchannel", 0)
    yield ours("Newstate", 4)
    yield ours("AsyncAGIStart", 4, f"Env: {env}")
    yield ours("Newstate", 6)
    yield done(1)
    yield ours("DTMFBegin", 6, "Digit: 2", "Direction: Received")
    yield ours("DTMFEnd", 6, "Digit: 2", "DurationMs: 100", "Direction: Received")
    yield done(2, "50%20endpos%3D12000")
    yield done(3)
    yield theirs("Newchannel", 0)
    yield theirs("Newstate", 5)
    yield theirs("NewConnectedLine", 5)
    yield theirs("Newstate", 6)
    yield theirs("OriginateResponse", 6, "Response: Success", "Reason: 4")
    yield theirs("UserEvent", 6, "UserEvent: CordboardLeg")
    yield ours("AsyncAGIEnd", 6)
    yield ours("BridgeEnter", 6, *in_bridge, context="cordboard-talk")
    yield theirs("BridgeEnter", 6, *in_bridge)
    yield theirs("HangupRequest", 6, "Cause: 16")
    yield theirs("BridgeLeave", 6, *in_bridge)
    yield theirs("Hangup", 6, "Cause: 16", "Cause-txt: Normal Clearing")
    yield ours("Hangup", 6, "Cause: 16", "Cause-txt: Normal Clearing", context="cordboard-back")


def write_stream(path: Path, calls: int) -> None:
    with path.open("wb") as file:
        file.write(GREETING)
        for first in range(0, calls, LANES):
            lanes = [call(number) for number in range(first, min(first + LANES, calls))]
            for events in zip(*lanes, strict=True):
                file.writelines(events)


def serve(path: Path, ports: Connection) -> None:
    """A process of its own that gives the whole stream to everybody who connects, and then hangs up."""
    stream = path.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports.send(server.getsockname()[1])
        while True:
            client, _ = server.accept()
            with client, contextlib.suppress(OSError):
                client.sendall(stream)


class NoLine:
    """A wire that leads nowhere."""

    def command(self, channel: str, command: str, command_id: str) -> None: ...
    def stop(self, channel: str) -> None: ...


class NoTimer:
    def cancel(self) -> None: ...


async def read_ours(port: int) -> tuple[int, float]:
    """Socket, connection, codec, translation; the facts are thrown away."""
    facts: list[Fact] = []
    agi = AsyncAgi(NoLine(), facts.append, lambda seconds, callback: NoTimer(), "cb1-")
    legs = Legs(facts.append, lambda seconds, callback: None)
    translator = Translator(facts.append, agi, legs)
    begin = time.process_time()
    connection = await open_connection(
        "127.0.0.1", port, limits=SessionLimits(), on_event=translator.event, action_prefix="bench-"
    )
    await connection.lost
    spent = time.process_time() - begin
    assert facts
    return connection.messages, spent


def read_theirs(port: int) -> tuple[int, float]:
    """Its listening thread, with one listener that counts."""
    client = AMIClient(address="127.0.0.1", port=port)
    count = 0

    def listener(event: object, source: object) -> None:
        nonlocal count
        count += 1

    client.add_event_listener(listener)
    begin = time.process_time()
    client.connect()
    # It takes the end of the stream for an error and ends its thread with it: expected here, not worth a traceback.
    threading.excepthook = lambda args: None
    client._thread.join()
    return count, time.process_time() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--stream", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.stream or Path(folder) / "generated.ami"
        if chosen.stream is None:
            write_stream(path, chosen.calls)
        size = path.stat().st_size
        ports, theirs_end = multiprocessing.Pipe()
        feeder = multiprocessing.get_context("spawn").Process(target=serve, args=(path, theirs_end), daemon=True)
        feeder.start()
        try:
            rates, count = measure(ports.recv(), chosen.repeat)
        finally:
            feeder.kill()
            feeder.join()
    print(f"{count} events, {size / 1e6:.1f} MB, {chosen.repeat} alternating runs, medians\n")
    print("| reader | events per CPU-second | lowest | highest |\n|---|---:|---:|---:|")
    for name, values in rates.items():
        print(f"| {name} | {statistics.median(values):,.0f} | {min(values):,.0f} | {max(values):,.0f} |")
    ours, theirs = (statistics.median(values) for values in rates.values())
    print(f"\nratio {ours / theirs:.1f} (target: at least 4)")


def measure(port: int, repeat: int) -> tuple[dict[str, list[float]], int]:
    rates: dict[str, list[float]] = {"cordboard": [], "asterisk-ami 0.1.7": []}
    counts = set()
    for _ in range(repeat):
        for name, values in rates.items():
            gc.collect()
            count, seconds = uvloop.run(read_ours(port)) if name == "cordboard" else read_theirs(port)
            counts.add(count)
            values.append(count / seconds)
    assert len(counts) == 1, f"the readers saw different numbers of events: {counts}"
    return rates, counts.pop()


if __name__ == "__main__":
    main()
