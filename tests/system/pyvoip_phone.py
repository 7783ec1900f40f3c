"""A phone of another make (pyVoIP) for an agent, in a process of its own: its threads cannot outlive the test.

It registers, answers every call after about a second, speaks with one tone, and says which tones it hears. It cannot
hold a call and has no keys that matter here. Started as a program this file is the phone; imported, its remote control.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

import numpy as np

from cordboard.phones.listening import RATE
from tests.system.mixed_sound import AUDIBLE, loudness_at

TALKS_AT_MOST_S = 60
PORTS = range(61_000, 65_000, 20)
"""Above what the system gives out by itself, and what PBXs and load generators of the tests use."""


def _free_ports() -> int:
    """The first of 20 UDP ports that are free: one for SIP, the others for sound."""
    for first in PORTS:
        try:
            for port in range(first, first + 20):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free range of UDP ports")


class PyVoipPhone:
    """`async with await PyVoipPhone.register(...)`: registered, until the end of the block."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.said: Counter[str] = Counter()
        self._process = process
        self._news = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def register(cls, port: int, user: str, secret: str, tone: float, listens_for: tuple[float, ...]) -> Self:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", "tests.system.pyvoip_phone"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        phone = cls(process)
        settings = {"port": port, "user": user, "secret": secret, "tone": tone, "listens_for": listens_for}
        phone._send(json.dumps(settings))
        try:
            await phone.until("registered")
        except BaseException:
            await phone.close()
            raise
        return phone

    async def until(self, word: str, within: float = 10.0, times: int = 1) -> None:
        """It has said `registered`, `answered` or `over` so many times."""
        try:
            async with asyncio.timeout(within):
                while self.said[word] < times:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"pyVoIP, not within {within} s: {word}; it said {dict(self.said)}") from None

    async def hears(self, frequency: float, within: float = 5.0) -> None:
        """From now on."""
        word = f"hears {frequency:g}"
        await self.until(word, within, self.said[word] + 2)

    async def deaf_to(self, frequency: float, seconds: float = 0.6) -> None:
        """For so long, but for what was on its way."""
        await asyncio.sleep(0.5)
        before = self.said[f"hears {frequency:g}"]
        await asyncio.sleep(seconds)
        assert self.said[f"hears {frequency:g}"] == before

    def hang_up(self) -> None:
        self._send("hang up")

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()  # whereupon it ends
        try:
            await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said[line.decode().strip()] += 1
            self._news.set()


class _Phone:
    """Inside its process."""

    def __init__(self, settings: dict[str, Any]) -> None:
        import pyVoIP
        from pyVoIP.VoIP import CallState, VoIPPhone

        pyVoIP.SIPCompatibleMethods.append("OPTIONS")
        self._ended = CallState.ENDED
        self._settings = settings
        self._calls: list[Any] = []
        first = _free_ports()
        self.stack = VoIPPhone(
            *("127.0.0.1", settings["port"], settings["user"], settings["secret"]),
            myIP="127.0.0.1",
            callCallback=self._called,
            sipPort=first,
            rtpPortLow=first + 1,
            rtpPortHigh=first + 19,
        )
        self._parse, self.stack.sip.parse_message = self.stack.sip.parse_message, self._received

    def run(self) -> None:
        self.stack.start()
        from pyVoIP.VoIP import PhoneStatus

        while self.stack.get_status() is not PhoneStatus.REGISTERED:
            time.sleep(0.02)
        print("registered", flush=True)
        for line in sys.stdin:
            if line.strip() == "hang up":
                self._calls[-1].hangup()
        threading.Timer(3, os._exit, [1]).start()
        self.stack.stop()
        os._exit(0)  # whatever threads it still has

    def _received(self, message: Any) -> None:
        """pyVoIP 1.6.8 does not answer OPTIONS, as every phone must; the PBX would take it for unreachable."""
        if getattr(message, "method", None) == "OPTIONS":
            answer = self.stack.sip.gen_ok(message).encode()
            self.stack.sip.out.sendto(answer, ("127.0.0.1", self._settings["port"]))
        else:
            self._parse(message)

    def _called(self, call: Any) -> None:
        self._calls.append(call)
        call.answer()
        print("answered", flush=True)
        times = np.arange(RATE * TALKS_AT_MOST_S) / RATE
        tone = 128 + 60 * np.sin(2 * np.pi * self._settings["tone"] * times)
        call.write_audio(tone.astype(np.uint8).tobytes())
        while call.state is not self._ended:
            heard = call.read_audio(RATE // 5)  # waits for sound, or for the end
            samples = (np.frombuffer(heard, np.uint8).astype(np.int16) - 128) * 256
            for frequency in self._settings["listens_for"]:
                if loudness_at(samples, frequency) > AUDIBLE:
                    print(f"hears {frequency:g}", flush=True)
            time.sleep(0.15)
        print("over", flush=True)


if __name__ == "__main__":
    _Phone(json.loads(sys.stdin.readline())).run()
