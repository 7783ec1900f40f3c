"""Which voice speaks which language, and who stands in when it cannot.

hibari-tts speaks English, well and fast; espeak-ng speaks everything, plainly. English falls back to espeak-ng; another
language has nobody else, so it fails with a clear reason.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ivr.errors import VoiceError

VERSION_LIMIT_S = 10.0
_VOICE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,40}")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


class Engine(StrEnum):
    HIBARI = "hibari"
    ESPEAK = "espeak"


DEFAULT_NAMES = {"en": "en-us", "es": "es-419", "pt": "pt-br"}
"""espeak-ng's voices where the language code alone means the less common accent."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of an engine, with the engine's version: another version sounds different."""

    engine: Engine
    name: str
    version: str


class Voices:
    """`configured` maps a language to `engine:voice` or to a voice of that language's usual engine."""

    def __init__(self, configured: Mapping[str, str] | None = None, espeak: Path | None = None) -> None:
        found = shutil.which("espeak-ng")
        self._configured = dict(configured or {})
        self.espeak = espeak if espeak is not None and espeak.exists() else Path(found) if found else None
        self._versions: dict[Engine, str | None] = {}
        for language in self._configured:
            self._wanted(language)  # a wrong name is refused now, not when the first text is spoken

    async def chain(self, language: str) -> tuple[Voice, ...]:
        """The voices to try, best first. Raises `VoiceError` when there is none."""
        chain: list[Voice] = []
        for engine, name in self._wanted(language):
            version = await self._version(engine)
            if version is not None:
                chain.append(Voice(engine, name, version))
        if not chain:
            raise VoiceError(f"no voice for {language!r}: espeak-ng is not installed")
        return tuple(chain)

    def _wanted(self, language: str) -> list[tuple[Engine, str]]:
        fallback = (Engine.ESPEAK, DEFAULT_NAMES.get(language, language))
        usual = (Engine.HIBARI, "heart") if language == "en" else fallback
        given = self._configured.get(language)
        if given is not None:
            engine, colon, name = given.rpartition(":")
            if not _VOICE_NAME.fullmatch(name) or (colon and engine not in set(Engine)):
                raise VoiceError(f"{given!r} is no voice for {language!r}: write hibari:NAME or espeak:NAME")
            usual = (Engine(engine) if colon else usual[0], name)
        return list(dict.fromkeys([usual, fallback]))

    async def _version(self, engine: Engine) -> str | None:
        if engine not in self._versions:
            self._versions[engine] = _hibari_version() if engine is Engine.HIBARI else await self._espeak_version()
        return self._versions[engine]

    async def _espeak_version(self) -> str | None:
        if self.espeak is None:
            return None
        try:
            process = await asyncio.create_subprocess_exec(
                self.espeak, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
            )
        except OSError:
            return None
        try:
            said, _ = await asyncio.wait_for(process.communicate(), VERSION_LIMIT_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            return None
        version = _VERSION.search(said.decode(errors="replace"))
        return version.group() if version and process.returncode == 0 else None


def _hibari_version() -> str | None:
    try:
        return importlib.metadata.version("hibari-tts")
    except importlib.metadata.PackageNotFoundError:
        return None
