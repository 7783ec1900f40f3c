"""AMI events per CPU-second: our reader (bytes to facts) beside asterisk-ami 0.1.7's (bytes to Event objects).

    python -m bench.ami [--calls 1000] [--repeat 5]

Both read the same stream from a socket, in one process, alternately, each in its own way. The stream is one recorded
call (`bench.record_ami`) many times over, as different calls, 50 at a time: once with every event that Asterisk 22
tells, once with only those that our PBX configuration lets through. CPU time of the process, kernel included, not wall
time; medians. The stream comes from a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import multiprocessing
import re
import socket
import statistics
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop
from asterisk.ami import AMIClient

from cordboard.pbx_config import EVENTS
from pbx.agi import AsyncAgi
from pbx.connection import SessionLimits, open_connection
from pbx.facts import Fact
from pbx.legs import Legs
from pbx.translate import Translator

RECORDED = Path(__file__).parent / "data" / "one_call.ami"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
LANES = 50  # calls at the same time


def calls(recorded: bytes, number: int) -> list[bytes]:
    """The recorded call once more, as another call: its own channels, bridge and leg."""
    mark = b"%08x" % number
    text = recorded.replace(b"cb-00000001-1", b"cb-" + mark + b"-1")
    text = re.sub(rb"(PJSIP/[a-z0-9-]+)-0000000", lambda found: found[1] + b"-" + mark[1:], text)
    for bridge in set(re.findall(rb"BridgeUniqueid: ([0-9a-f-]{36})", text)):
        text = text.replace(bridge, mark + bridge[8:])
    text = re.sub(rb"cordboard-\d{10}\.", b"cordboard-1%09d." % number, text)
    return text.split(b"\r\n\r\n")[:-1]


def write_stream(path: Path, recorded: bytes, count: int) -> None:
    """`count` calls, `LANES` of them at a time."""
    with path.open("wb") as file:
        file.write(GREETING)
        for first in range(0, count, LANES):
            lanes = [calls(recorded, number) for number in range(first, min(first + LANES, count))]
            for events in zip(*lanes, strict=True):
                file.writelines(event + b"\r\n\r\n" for event in events)


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
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    chosen = parser.parse_args()
    recorded = RECORDED.read_bytes()
    print("| stream | reader | events per CPU-second | lowest | highest |\n|---|---|---:|---:|---:|")
    for title, events in (("every event", recorded), ("our allow-list", allowed(recorded))):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stream.ami"
            write_stream(path, events, chosen.calls)
            rates = measure(path, chosen.repeat)
        for name, values in rates.items():
            print(f"| {title} | {name} | {statistics.median(values):,.0f} | {min(values):,.0f} | {max(values):,.0f} |")
        ours, theirs = (statistics.median(values) for values in rates.values())
        print(f"| {title} | ratio (target: at least 4) | {ours / theirs:.1f} | | |")


def allowed(recorded: bytes) -> bytes:
    """Only the events for which `manager.conf` has a filter that lets them in."""
    names = {event.encode() for event in EVENTS}
    events = recorded.split(b"\r\n\r\n")[:-1]
    return b"".join(event + b"\r\n\r\n" for event in events if event[7 : event.find(b"\r\n")] in names)


def measure(path: Path, repeat: int) -> dict[str, list[float]]:
    ports, theirs_end = multiprocessing.Pipe()
    feeder = multiprocessing.get_context("spawn").Process(target=serve, args=(path, theirs_end), daemon=True)
    feeder.start()
    rates: dict[str, list[float]] = {"cordboard": [], "asterisk-ami 0.1.7": []}
    counts = set()
    try:
        port = ports.recv()
        for _ in range(repeat):
            for name, values in rates.items():
                gc.collect()
                count, seconds = uvloop.run(read_ours(port)) if name == "cordboard" else read_theirs(port)
                counts.add(count)
                values.append(count / seconds)
    finally:
        feeder.kill()
        feeder.join()
    assert len(counts) == 1, f"the readers saw different numbers of events: {counts}"
    return rates


if __name__ == "__main__":
    main()
