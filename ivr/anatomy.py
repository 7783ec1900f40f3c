"""What a node says of itself, apart from where it leads and what it says to the caller.

Decides how a node is taken apart for people who look at flows from outside (drawings, comparisons). It knows no verb:
it reads the fields as they are written, and leaves out those that the node's ways on and its prompts tell already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ivr.flow import Flow
from ivr.node import Node, OwnTexts, Path
from ivr.wording import Draft, Piece, Silence, SoundFile, Variable

_FOR_PEOPLE = frozenset({"description", "tags"})


def details(node: Node, *, defaults: bool = True) -> dict[Path, Any]:
    """Every value of a node, by where it is written; a list of plain values is one. Without `defaults`: what the admin
    wrote."""
    plain = node.model_dump(by_alias=True, exclude_unset=not defaults, exclude=set(_FOR_PEOPLE))
    ways = dict(node.targets())
    prompts = {path for _, path, ref in node.prompts() if not isinstance(ref, OwnTexts)}
    return {
        path: value
        for path, value in _leaves((), plain)
        if ways.get(path) != value and not any(_overlap(path, prompt) for prompt in prompts)
    }


def _overlap(one: Path, other: Path) -> bool:
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves((*path, key), inner)
    elif isinstance(value, (list, tuple)) and any(isinstance(one, (Mapping, list, tuple)) for one in value):
        for index, inner in enumerate(value):
            yield from _leaves((*path, index), inner)
    else:
        yield path, tuple(value) if isinstance(value, list) else value


def wording_text(flow: Flow, node_id: str, slot: str, language: str) -> str:
    """A prompt as a person reads it; "" when it is not said in this language."""
    wording = flow.wordings.get((node_id, slot))
    return (
        "" if wording is None else " ".join(map(read_piece, wording.pieces.get(flow.heard_in(wording, language), ())))
    )


def read_piece(piece: Piece) -> str:
    """A piece of a prompt as a person reads it."""
    match piece:
        case Variable(name=name, how=how):
            return f"{{{name}:{how}}}" if how else f"{{{name}}}"
        case SoundFile(name=name):
            return f"[sound {name}]"
        case Silence(seconds=seconds):
            return f"[silence {seconds:g} s]"
        case Draft():
            return "[what the caller said]"
        case _:
            return piece


def languages_of(flow: Flow, node: Node) -> tuple[str, ...]:
    """Every language in which a node can speak."""
    only = node.spoken_in()
    return flow.languages if only is None else (only,)
