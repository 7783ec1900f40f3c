"""What a site has, as far as dialplans are judged by it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, Protocol


class Finding(Protocol):
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str: ...


class Sounds(Protocol):
    """The admin's own sounds; `own_sounds.SoundList` is the real one."""

    def trouble(self, language: str, name: str, /) -> Finding | None:
        """Why a caller who speaks this language could not hear the sound."""


class Reach(NamedTuple):
    """What flows may ask other systems, and the secrets that they may use for it."""

    allows: Callable[[str], bool]
    """Whether addresses that begin like this one may be asked."""
    secrets: Collection[str]


class Known(NamedTuple):
    """None: not known, and then nothing is said about it."""

    queues: Collection[str] | None = None
    agents: Mapping[str, Mapping[str, int]] | None = None
    """Number to skills, each with its level."""
    sounds: Sounds | None = None
    prefixes: Collection[str] | None = None
    """How numbers begin that may be dialled."""
    comfort: Mapping[str, Collection[tuple[str, str]]] | None = None
    """Queue to what it tells those who wait: language and text."""
    reach: Reach | None = None
