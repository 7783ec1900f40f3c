"""SIPp, run once: a scenario, a rate, a count, and what became of the calls.

Decides how SIPp is started, that it always ends, and how its figures are read. It refuses to know what is measured.

Callers press keys by SIP INFO, on both sides of a comparison alike. SIPp 3.8 can send RFC 4733 digits too, but only as
root, and beside an `rtp_stream` from another port than the stream's: Asterisk rightly ignores those.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

SIPP = Path(__file__).resolve().parent.parent / "var" / "bin" / "sipp"
SCENARIOS = Path(__file__).parent / "scenarios"
PACKET = 160  # 20 ms of mu-law
MEDIA_FIRST, MEDIA_LAST = 42_000, 59_998

_runs = itertools.count(1)


class SippError(Exception):
    """SIPp did not run as it should. The text ends with what it said last."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the calls of one run."""

    good: int
    failed: int
    seconds: float  # until the last call was placed
    reasons: dict[str, int]

    @property
    def rate(self) -> float:
        """Calls placed a second."""
        return (self.good + self.failed) / self.seconds if self.seconds else 0.0


def render(name: str, folder: Path, then: str = "", **values: object) -> Path:
    """A scenario with its `${names}` filled in, beside the silence that phones send. `then`: how it goes on."""
    silence = folder / "silence.ulaw"
    if not silence.exists():
        silence.write_bytes(b"\xff" * PACKET * 50)
    text = (SCENARIOS / f"{name}.xml").read_text()
    if then:
        text = text.replace("${then}", (SCENARIOS / f"then_{then}.xml").read_text())
    path = folder / f"{name}-{then or 'alone'}.xml"
    path.write_text(Template(text).safe_substitute(silence=silence, **values))
    return path


def read_statistics(path: Path) -> Outcome:
    """The last line of SIPp's statistics: cumulative figures end in `(C)`."""
    written, _, _ = path.read_text().rpartition("\n")  # the line that is being written is not one yet
    rows = list(csv.DictReader(written.splitlines(), delimiter=";"))
    if not rows:
        raise SippError("no statistics")
    last = rows[-1]
    reasons = {
        name.removesuffix("(C)"): int(value)
        for name, value in last.items()
        if re.fullmatch(r"Failed\w+\(C\)", name or "") and name != "FailedCall(C)" and value not in {"", "0"}
    }
    placed = next(row for row in rows if row["TotalCallCreated"] == last["TotalCallCreated"])
    return Outcome(
        int(last["SuccessfulCall(C)"]),
        int(last["FailedCall(C)"]),
        _clock(placed, "CurrentTime") - _clock(placed, "StartTime"),
        reasons,
    )


def _clock(row: dict[str, str], column: str) -> float:
    """Date, time and unix seconds, with tabs between."""
    return float(row[column].split("\t")[-1])


class Sipp:
    """One SIPp process. `start`, then `finish` (it ends by itself) or `stop`."""

    def __init__(self, folder: Path, scenario: Path, *arguments: object, pbx: str = "", port: int = 0) -> None:
        number = next(_runs)
        self._output = folder / f"sipp-{number}.log"
        self._statistics = folder / f"sipp-{number}.csv"
        self._errors = folder / f"sipp-{number}.errors"
        self._command = [
            *(str(SIPP), *([pbx] if pbx else []), "-sf", str(scenario), "-i", "127.0.0.1", "-mi", "127.0.0.1"),
            *(["-p", str(port)] if port else []),
            *("-min_rtp_port", str(MEDIA_FIRST), "-max_rtp_port", str(MEDIA_LAST), "-nostdin", "-skip_rlimit"),
            *("-trace_stat", "-stf", str(self._statistics), "-fd", "200ms"),
            *("-trace_err", "-error_file", str(self._errors)),
            *(str(argument) for argument in arguments),
        ]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._output.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=asyncio.subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def so_far(self) -> Outcome:
        """What became of its calls until now, a fifth of a second ago at most."""
        return read_statistics(self._statistics)

    async def finish(self, within: float) -> Outcome:
        """Wait until it ends by itself: all of its calls are over."""
        assert self._process is not None
        try:
            async with asyncio.timeout(within):
                code = await self._process.wait()
        except TimeoutError:
            await self.stop()
            raise SippError(f"SIPp did not end within {within:.0f} s\n{self.last_words()}") from None
        if code not in {0, 1}:  # 1: at least one call failed
            raise SippError(f"SIPp ended with {code}\n{self.last_words()}")
        return read_statistics(self._statistics)

    async def stop(self) -> None:
        """End it; calls that are under way are left to their other end."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(3):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def last_words(self) -> str:
        texts = [path.read_text(errors="replace") for path in (self._errors, self._output) if path.exists()]
        return "\n".join(text[-1500:] for text in texts)


async def call(
    folder: Path, scenario: Path, port: int, *, number: str, rate: float, count: int, patience: float = 20.0
) -> Outcome:
    """`count` callers at `rate` a second, and what became of them."""
    sipp = Sipp(
        folder,
        scenario,
        *("-s", number, "-r", f"{rate:g}" if rate == int(rate) else round(rate * 10), "-m", count, "-l", 20_000),
        *(() if rate == int(rate) else ("-rp", 10_000)),
        pbx=f"127.0.0.1:{port}",
    )
    await sipp.start()
    try:
        return await sipp.finish(count / rate + patience)
    finally:
        await sipp.stop()
