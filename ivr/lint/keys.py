"""Keys and words that collide, and keys that callers are told of and that lead nowhere.

A key that a menu binds twice is refused as YAML already.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ivr.lint.subject import Subject
from ivr.node import Node, Path
from ivr.verbs.ask import AskNode
from ivr.verbs.menu import MenuNode
from ivr.verbs.to_queue import ToQueueNode
from ivr.verbs.voicemail import VoicemailNode
from ivr.wording import Wording

COLLISION = "collision"
OFFERED = "offered-key"

_WORDS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "star", "pound", "hash"],
    "es": ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "asterisco", "numeral"],
}
_KEYS = {word: "0123456789*##"[index] for words in _WORDS.values() for index, word in enumerate(words)}
_ASKS = {
    "en": (r"(?:press|dial)(?: the)?(?: key)?", r",? or(?: the)?|,"),
    "es": (r"(?:oprima|presione|pulse|marque)(?: (?:el|la))?(?: (?:tecla|numero))*", r",? o(?: el)?|,"),
}
_OFFERS = {
    language: re.compile(rf"\b{ask} (?:\d|{'|'.join(words)})\b(?:(?:{more}) (?:\d|{'|'.join(words)})\b)*")
    for language, words in _WORDS.items()
    for ask, more in [_ASKS[language]]
}
_KEY = re.compile(rf"\b(?:\d|{'|'.join(_KEYS)})\b")


def rule(subject: Subject) -> None:
    for node_id, node in subject.file.nodes.items():
        here: Path = ("nodes", node_id)
        if isinstance(node, MenuNode):
            _words(subject, (*here, "menu", "words"), node)
            _offered(subject, here, node_id, node)
        elif isinstance(node, ToQueueNode):
            _while_waiting(subject, (*here, "to_queue", "keys"), node)
        elif isinstance(node, AskNode):
            _end(subject, here, node_id, node, node.ask.end)
        elif isinstance(node, VoicemailNode):
            _end(subject, here, node_id, node, node.voicemail.end)


def _words(subject: Subject, here: Path, node: MenuNode) -> None:
    """What a caller says must mean one thing."""
    meant: dict[tuple[str, str], str] = {}
    for target, by_language in node.menu.words.items():
        for language, phrases in by_language.items():
            if language not in subject.file.spoken:
                text = f"this flow does not speak {language!r}"
                subject.error(COLLISION, (*here, target, language), text, "nobody would say it", key=True)
            for index, phrase in enumerate(phrases):
                before = meant.setdefault((language, plainly(phrase)), target)
                if before != target:
                    text = f"{phrase!r} leads to {before!r} already"
                    subject.error(COLLISION, (*here, target, language, index), text, "say them differently")


def _offered(subject: Subject, here: Path, node_id: str, node: MenuNode) -> None:
    for slot, path, _ in node.prompts():
        wording = subject.wordings.get((node_id, slot))
        for key, language in sorted(_keys_in(wording).items()) if wording is not None else ():
            if key not in node.menu.keys:
                text = f"callers are told to press {key}, and this menu has no such key"
                subject.warn(OFFERED, (*here, *path, language), text, "bind it under 'keys:', or change the text")


def _end(subject: Subject, here: Path, node_id: str, node: Node, end: str) -> None:
    """The key that callers are told to end with: digits are part of an answer, and the star may take it back."""
    for slot, path, _ in node.prompts():
        wording = subject.wordings.get((node_id, slot))
        if wording is not None and "#" in _keys_in(wording) and end not in {"#", "any"}:
            text = "callers are told to press #, and here that ends nothing"
            subject.warn(OFFERED, (*here, *path), text, "write end: '#', or change the text")


def _while_waiting(subject: Subject, here: Path, node: ToQueueNode) -> None:
    """The queue's own messages may tell callers of keys."""
    messages = (subject.known.comfort or {}).get(node.to_queue.queue, ())
    offered = {key for language, text in messages for key in offered_keys(text, language)}
    for key in sorted(offered - node.to_queue.keys.keys()):
        text = f"queue {node.to_queue.queue!r} tells callers to press {key}, and here that does nothing"
        subject.warn(OFFERED, here, text, "bind it under 'keys:', or change the queue's messages", key=True)


def _keys_in(wording: Wording) -> dict[str, str]:
    """Each key that is offered, and the first language in which it is."""
    found: dict[str, str] = {}
    for language, pieces in wording.pieces.items():
        for piece in pieces:
            for key in offered_keys(piece, language) if isinstance(piece, str) else ():
                found.setdefault(key, language)
    return found


def offered_keys(text: str, language: str) -> Iterator[str]:
    """The keys that a text asks to press, in the languages that are understood."""
    pattern = _OFFERS.get(language)
    for offer in pattern.finditer(plainly(text)) if pattern is not None else ():
        for word in _KEY.findall(offer.group()):
            yield _KEYS.get(word, word)


def plainly(text: str) -> str:
    """As it is heard: no capitals, no accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(character for character in apart if not unicodedata.combining(character)).split())
