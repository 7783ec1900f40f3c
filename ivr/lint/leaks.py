"""Where a secure answer would get out: it may go into the body or a header of a request, over a line that nobody else
reads, and nowhere else. Whatever else reads it would bring it into a text, an event, a screen or a log.

What is spoken is refused where prompts are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ivr.conditions.tree import mentioned
from ivr.lint.subject import Subject
from ivr.node import Node, Path, Use

LEAK = "leak"

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


def sends_secrets(subject: Subject, node: Node) -> bool:
    """Whether a node asks a service with something secure."""
    sent = {read.name for read in node.reads() if read.use in {Use.HEADER, Use.BODY}}
    return not subject.variables.secrets.isdisjoint(sent | {name for _, name in service_reads(subject, node)})


def service_reads(subject: Subject, node: Node) -> Iterator[tuple[Path, str]]:
    """Every variable in the headers of the services that a node asks, and where the service is named."""
    for path, name in node.services():
        service = subject.services.get(name)
        for _, variable in service.reads() if service is not None else ():
            yield path, variable


def _closed_line(subject: Subject, node: Node) -> None:
    for _, name in node.services():
        service = subject.services.get(name)
        address = urlsplit(service.url if service is not None else "https://")
        if address.scheme != "https" and address.hostname not in _HERE:
            text = f"service {name!r} is told what is secure, over a line that others can read"
            subject.error(LEAK, ("services", name, "url"), text, "use https://")


def _say(subject: Subject, where: Path, name: str, why: str) -> None:
    hint = "only the body or a header of a request may hold it"
    subject.error(LEAK, where, f"{name!r} is secure and {why} here", hint)
