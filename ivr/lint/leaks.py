"""Where a secure answer would get out: it may go into the body or a header of a request, over a line that nobody else
reads, and nowhere else. Whatever else reads it would bring it into a text, an event, a screen or a log.

What is spoken is refused where prompts are read.
"""

from __future__ import annotations

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
            if read.name not in secrets:
                continue
            if read.use not in {Use.HEADER, Use.BODY}:
                _say(subject, (*here, *read.path), read.name, _WORDS[read.use])
            elif (service := _open_line(subject, node)) is not None:
                text = f"{read.name!r} is secure, and service {service!r} is asked over a line that others can read"
                subject.error(LEAK, (*here, *read.path), text, "use https://")
        for written in node.expressions():
            for name in sorted(secrets & mentioned(written.text)):
                _say(subject, (*here, *written.path), name, "would be worked with")
        for one in node.sets():
            if one.name in secrets and not one.secret:
                text = f"variable {one.name!r} is secure elsewhere, and is set in the open here"
                subject.error(LEAK, (*here, *one.path), text, "use another name")


def _say(subject: Subject, where: Path, name: str, why: str) -> None:
    hint = "only the body or a header of a request may hold it"
    subject.error(LEAK, where, f"{name!r} is secure and {why} here", hint)


def _open_line(subject: Subject, node: Node) -> str | None:
    """The service that a node asks without encryption, over more than this machine."""
    services = getattr(subject.file, "services", {})
    for _, name in node.services():
        address = urlsplit(str(getattr(services.get(name), "url", "https://")))
        if address.scheme != "https" and address.hostname not in _HERE:
            return name
    return None
