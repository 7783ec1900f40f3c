"""Prompts that are too long to listen to.

Decides how long a text takes to say, roughly: 150 words a minute, as voices and announcers speak, and two seconds for a
value that is filled in. A caller remembers what they heard within some twenty seconds, and nobody listens for a minute.
"""

from __future__ import annotations

from collections.abc import Iterable

from ivr.lint.subject import Subject
from ivr.node import Path
from ivr.wording import Piece, Silence, Variable, Wording

TOO_LONG = "long-prompt"
WARN_S, MOST_S = 20.0, 60.0
WORDS_A_SECOND = 2.5
VALUE_S = 2.0


def rule(subject: Subject) -> None:
    for name, wording in subject.named.items():
        _judge(subject, ("prompts", name), wording, written=subject.file.prompts[name])
    for node_id, node in subject.file.nodes.items():
        for slot, path, ref in node.prompts():
            said = subject.wordings.get((node_id, slot))
            if said is not None and said is not subject.named.get(ref if isinstance(ref, str) else ""):
                _judge(subject, ("nodes", node_id, *path), said, written=ref)


def seconds(pieces: Iterable[Piece]) -> float:
    """A sound file counts nothing: how long it is, is not known here."""
    total = 0.0
    for piece in pieces:
        if isinstance(piece, str):
            total += len(piece.split()) / WORDS_A_SECOND
        elif isinstance(piece, Silence):
            total += piece.seconds
        elif isinstance(piece, Variable):
            total += VALUE_S
    return total


def _judge(subject: Subject, path: Path, wording: Wording, written: object) -> None:
    for language, pieces in wording.pieces.items():
        taken = seconds(pieces)
        if taken <= WARN_S:
            continue
        where = (*path, language) if isinstance(written, dict) and language in written else path
        text = f"this takes about {taken:.0f} seconds to say"
        if taken > MOST_S:
            subject.error(TOO_LONG, where, f"{text}, and nobody listens so long", "say less, or in several nodes")
        else:
            subject.warn(TOO_LONG, where, f"{text}, more than callers remember", "say less, or in several nodes")
