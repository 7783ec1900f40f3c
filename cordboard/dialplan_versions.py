"""A version of the dialplans as it is kept: the files of a folder, who published them, when and why, what became of it.

Decides when two folders have the same content, and the form in which content is stored: a zip archive, which anybody
can open without us. It refuses to know what is in the files.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ivr.problems import Problem
from ivr.versions import Canary

Files = Mapping[str, bytes]
"""Contents by path within the folder, written with `/`."""

_NO_TIME = (1980, 1, 1, 0, 0, 0)
MAX_COMMENT, MAX_AUTHOR = 1_000, 80


class State(StrEnum):
    LIVE = "live"  # what calls meet
    CANARY = "canary"  # some of them do
    STAGED = "staged"  # no call has met it yet
    PAST = "past"


class Source(StrEnum):
    FOLDER = "folder"  # the service's own
    REQUEST = "request"  # sent from elsewhere


@dataclass(frozen=True, slots=True)
class Version:
    """`published_at`: when all calls met it first or last, None when they never did. `follows`: the one that it took
    the place of, where a rollback leads. Times are unix seconds; `share` and `numbers` are those of a canary."""

    number: int
    made_at: float
    author: str
    comment: str
    source: Source
    content_hash: str
    state: State = State.STAGED
    published_at: float | None = None
    follows: int | None = None
    share: float = 0.0
    numbers: tuple[str, ...] = ()

    @property
    def canary(self) -> Canary | None:
        if self.state is not State.CANARY:
            return None
        return Canary(self.number, self.share, frozenset(self.numbers))

    def view(self) -> dict[str, Any]:
        """For people: plain JSON."""
        return asdict(self) | {"numbers": list(self.numbers), "content_hash": self.content_hash[:12]}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`version` is the one that was made or put in force, None when it was refused: `problems` say why, and what was in
    force before still is. `unchanged`: there was nothing to do."""

    version: Version | None
    problems: tuple[Problem, ...] = ()
    unchanged: bool = False
    flows: tuple[str, ...] = ()


def hash_of(files: Files) -> str:
    """The same for the same files, whatever their order."""
    digest = hashlib.sha256()
    for name in sorted(files):
        encoded = name.encode()
        digest.update(b"%d %d\n" % (len(encoded), len(files[name])))
        digest.update(encoded)
        digest.update(files[name])
    return digest.hexdigest()


def packed(files: Files) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name in sorted(files):
            file.writestr(zipfile.ZipInfo(name, _NO_TIME), files[name], zipfile.ZIP_DEFLATED)
    return archive.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """What `packed` made."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
