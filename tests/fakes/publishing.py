"""The real publisher on a folder of its own, with voices that are silent."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.publishing import Publisher
from cordboard.storage.dialplans import VersionStore
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.switches import SwitchStore
from cordboard.switches import Keeper, Switches
from ivr.library import DialplanLibrary
from ivr.prompts import PromptStore
from ivr.voices import Voices
from tests.fakes.prompts import FakeSynthesiser

GOOD = """
flow: {flow}
numbers: ["{number}"]
language: en
start: hello
nodes:
  hello: {{say: "{text}", next: wait}}
  wait: {{to_queue: {{queue: sales, then: done, otherwise: done}}}}
  done: {{hangup: {{}}}}
"""


def good(number: str = "100", text: str = "Hello", flow: str = "test") -> str:
    """A flow that answers a number, says a text and leads to the queue `sales`."""
    return GOOD.format(number=number, text=text, flow=flow)


_EMPTY: list[bytes] = []
"""An SQLite file that has every table: making one takes longer than most tests."""


async def empty_database(folder: Path) -> AsyncEngine:
    """A database of its own for a test, without a row."""
    file = folder / "cordboard.db"
    engine = open_engine(f"sqlite+aiosqlite:///{file}")
    if _EMPTY:
        file.write_bytes(_EMPTY[0])
    else:
        await migrate(engine)
        await engine.dispose()  # the last one to leave writes everything into the file
        _EMPTY.append(file.read_bytes())
    return engine


class PublisherRig:
    """`start` is a start of the service: a new publisher on what the one before left. Times count up from 1000."""

    def __init__(self, root: Path, engine: AsyncEngine, voices: Voices | None = None) -> None:
        self.folder = root / "dialplans"
        self.folder.mkdir()
        self.synthesiser = FakeSynthesiser()
        self.queues = {"sales"}
        self.in_use: set[int] = set()
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.now = 1000.0
        self.store = VersionStore(engine)
        self.switch_store: Keeper = SwitchStore(engine)
        self._root = root
        self._voices = voices or Voices()
        self.library, self.publisher = self._made()
        self.switches = self._switches()

    def write(self, number: str = "100", text: str = "Hello", file: str = "test.yaml") -> None:
        (self.folder / file).write_text(good(number, text, file.removesuffix(".yaml")))

    async def start(self, recovered: Collection[int] = (), **more: Any) -> list[str]:
        """The findings."""
        self.library, self.publisher = self._made(**more)
        self.switches = self._switches()
        await self.switches.load()
        return [problem.message for problem in await self.publisher.begin(recovered)]

    def hears(self, number: str = "100", call: str = "c-1", caller: str = "+15550100", kept: int = 0) -> str | None:
        """What a call to this number is told."""
        chosen = self.library.flow_for(number, call, caller, kept)
        return None if chosen is None else ", ".join(map(str, chosen.flow.texts()["en"]))

    def _made(self, **more: Any) -> tuple[DialplanLibrary, Publisher]:
        prompts = PromptStore(self._root / "prompts", self._voices, self.synthesiser)
        library = DialplanLibrary(prompts, lambda: self.queues)
        publisher = Publisher(
            self.folder,
            library,
            self.store,
            note=lambda kind, *, data: self.notes.append((kind, data)),
            clock=self._clock,
            **more,
        )
        publisher.in_use = lambda: self.in_use
        return library, publisher

    def _switches(self) -> Switches:
        def note(kind: str, *, data: dict[str, Any]) -> None:
            self.notes.append((kind, data))

        return Switches(self.switch_store, note, self._clock, lambda: [*self.library.versions.loaded.values()])

    def _clock(self) -> float:
        self.now += 1
        return self.now
