"""Where a secure answer would get out: it may go into the body or a header of a request, over a line that nobody else
reads, and nowhere else. Whatever else reads it would bring it into a text, an event, a screen or a log.

What is spoken is refused where prompts are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from ivr.conditions.tree import mentioned
from ivr.lint.subject import Subject
from ivr.node import Node, Path, Use
from ivr.verbs.ask import AskNode

LEAK = "leak"
NOT_SECURE = "not-secure"

_CARD_DIGITS = 13
_CARD = re.compile(r"(?:^|_)(?:card|cvv|cvc|pin|passcode|password|ssn|tarjeta|clave)(?:_|$|number|no)")

_WORDS = {
    Use.SCREEN: "is shown to people",
    Use.URL: "would stand in an address, which systems on the way write down",
    Use.NUMBER: "would be dialled",
    Use.SECONDS: "would be worked with",
    Use.AGENT: "would be worked with",
    Use.PASSED: "would be handed to another flow",
    Use.SPOKEN: "would be spoken",
    Use.EXPRESSION: "would be worked with",
}
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def rule(subject: Subject) -> None:
    _asked_in_the_open(subject)
    secrets = subject.variables.secrets
    if not secrets:
        return
    for node_id, node in subject.file.nodes.items():
        here: Path = ("nodes", node_id)
        for read in node.reads():
            if read.name in secrets and read.use not in {Use.HEADER, Use.BODY}:
                _say(subject, (*here, *read.path), read.name, _WORDS.get(read.use, "would be used"))
        for written in node.expressions():
            for name in sorted(secrets & mentioned(written.text)):
                _say(subject, (*here, *written.path), name, "would be worked with")
        for one in node.sets():
            if one.name in secrets and not one.secret:
                text = f"variable {one.name!r} is secure elsewhere, and is set in the open here"
                subject.error(LEAK, (*here, *one.path), text, "use another name")
        if sends_secrets(subject, node):
            _closed_line(subject, node)


def _asked_in_the_open(subject: Subject) -> None:
    """What is typed there is a secret of the caller's, by its name or its check digit."""
    for node_id, node in subject.file.nodes.items():
        if not isinstance(node, AskNode) or node.ask.secure or node.ask.type != "digits":
            continue
        long = node.ask.length is not None and node.ask.length[1] >= _CARD_DIGITS
        if (node.ask.check is not None and long) or _CARD.search(node.ask.save):
            text = f"{node.ask.save!r} looks like something that nobody else may know, and is kept like any variable"
            subject.warn(NOT_SECURE, ("nodes", node_id, "ask", "save"), text, "add secure: true")


def sends_secrets(subject: Subject, node: Node) -> bool:
    """Whether a node asks a service with something secure."""
    sent = {read.name for read in node.reads() if read.use in {Use.HEADER, Use.BODY}}
    return not subject.variables.secrets.isdisjoint(sent | {name for _, name in service_reads(subject, node)})


def service_reads(subject: Subject, node: Node) -> Iterator[tuple[Path, str]]:
    """Every variable in the headers of the services that a node asks, and where the service is named."""
    for path, name in node.services():
        service = subject.file.services.get(name)
        for _, variable in service.reads() if service is not None else ():
            yield path, variable


def _closed_line(subject: Subject, node: Node) -> None:
    for _, name in node.services():
        service = subject.file.services.get(name)
        address = urlsplit(service.url if service is not None else "https://")
        if address.scheme != "https" and address.hostname not in _HERE:
            text = f"service {name!r} is told what is secure, over a line that others can read"
            subject.error(LEAK, ("services", name, "url"), text, "use https://")


def _say(subject: Subject, where: Path, name: str, why: str) -> None:
    hint = "only the body or a header of a request may hold it"
    subject.error(LEAK, where, f"{name!r} is secure and {why} here", hint)
