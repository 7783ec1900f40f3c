"""A call told as lines of text, from the moments that the phone and the service saw.

Pure: knows no phone, no network and no clock. Moments of two sources arrive a little out of order, so a line is held
back for a moment's patience and the lines come out in the order of their times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Moment:
    """At `at` (unix seconds) something happened. `phone.*` kinds are the phone's own, the rest the service's."""

    at: float
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


def moment_of(event: Mapping[str, Any]) -> Moment:
    """A live event of the service as a moment."""
    data = {key: event[key] for key in ("agent", "queue") if event.get(key) is not None}
    return Moment(float(event["at"]), str(event["kind"]), {**data, **(event.get("data") or {})})


Words = Callable[[Mapping[str, Any]], str]


def _agent(data: Mapping[str, Any]) -> str:
    return f"agent {data['agent']}" if data.get("agent") else "an agent"


def _queue(data: Mapping[str, Any]) -> str:
    return f"queue {data['queue']}" if data.get("queue") else "the queue"


def _prompt(data: Mapping[str, Any]) -> str:
    name = data.get("node") or data.get("prompt") or "?"
    return f"prompt started: {name}" + (f" ({data['language']})" if data.get("language") else "")


def _by(data: Mapping[str, Any]) -> str:
    return f" by the {data['ended_by']}" if data.get("ended_by") else ""


def _why(data: Mapping[str, Any]) -> str:
    return f": {str(data['reason']).replace('_', ' ')}" if data.get("reason") else ""


def _call_ended(data: Mapping[str, Any]) -> str:
    outcome = f": {str(data['outcome']).replace('_', ' ')}" if data.get("outcome") else ""
    ended_by = f", ended by the {data['ended_by']}" if data.get("ended_by") else ""
    return f"call closed on record{outcome}{ended_by}"


_WORDS: dict[str, Words] = {
    "phone.registered": lambda data: f"phone {data['extension']} registered",
    "phone.dialling": lambda data: f"dialling {data['target']}",
    "phone.called": lambda data: f"the phone rings, call from {data['peer']}",
    "phone.ringing": lambda data: "ringing",
    "phone.early": lambda data: "sound before the answer",
    "phone.answered": lambda data: "answered",
    "phone.key": lambda data: f"key sent: {data['keys']}",
    "phone.sound": lambda data: "first sound heard",
    "phone.ended": lambda data: f"ended: {data['reason']}",
    "phone.note": lambda data: str(data["text"]),
    "call.arrived": lambda data: f"call arrived{' at ' + str(data['dialled']) if data.get('dialled') else ''}",
    "call.answered": lambda data: "answered by the service",
    "call.imported": lambda data: "call put on record later, from the PBX's own notes",
    "call.recovered": lambda data: "call taken over again by the service",
    "node.entered": lambda data: f"flow at: {data.get('node', '?')}",
    "prompt.started": _prompt,
    "prompt.ended": lambda data: "prompt interrupted" if data.get("interrupted") else "prompt ended",
    "key.pressed": lambda data: "key received by the service",
    "menu.outcome": lambda data: f"menu {data.get('node', '?')}: {str(data.get('outcome', '?')).replace('_', ' ')}",
    "queue.joined": lambda data: f"in {_queue(data)} at position {data.get('position', '?')}",
    "queue.position": lambda data: f"now at position {data.get('position', '?')} in {_queue(data)}",
    "queue.left": lambda data: f"left {_queue(data)}{_why(data)}",
    "offer.made": lambda data: f"offered to {_agent(data)}",
    "offer.ringing": lambda data: f"{_agent(data)}'s phone rings",
    "offer.failed": lambda data: f"{_agent(data)} did not take it{_why(data)}",
    "offer.withdrawn": lambda data: f"offer to {_agent(data)} withdrawn{_why(data)}",
    "offer.answered": lambda data: f"{_agent(data)} answers",
    "talk.started": lambda data: f"connected to {_agent(data)}",
    "talk.ended": lambda data: f"talk ended{_by(data)}",
    "transfer.started": lambda data: "the flow rings somebody",
    "transfer.answered": lambda data: "put through",
    "transfer.ended": lambda data: f"transfer over: {str(data.get('outcome', '?')).replace('_', ' ')}",
    "wrapup.started": lambda data: f"{_agent(data)} in wrap-up",
    "agent.state": lambda data: f"{_agent(data)} is {str(data.get('state', '?')).replace('_', ' ')}{_why(data)}",
    "agent.phone": lambda data: f"{_agent(data)}'s phone is {data.get('state', '?')}",
    "call.ended": _call_ended,
}


def words(moment: Moment) -> str:
    """The moment in words; a kind that is not known yet is told by its name alone."""
    speak = _WORDS.get(moment.kind)
    return speak(moment.data) if speak is not None else moment.kind.replace(".", " ")


def line(moment: Moment, started_at: float) -> str:
    """`  0.412 s  prompt started: main_menu (en)`."""
    return f"{moment.at - started_at:7.3f} s  {words(moment)}"


class Transcript:
    """Moments in, lines out, in the order of their times as far as patience allows."""

    def __init__(self, started_at: float, patience: float = 0.2) -> None:
        self._started_at = started_at
        self._patience = patience
        self._held: list[Moment] = []

    def add(self, moment: Moment) -> None:
        self._held.append(moment)

    def ready(self, now: float) -> list[str]:
        """The lines of all moments that have been waited with for long enough."""
        return self._release(now - self._patience)

    def rest(self) -> list[str]:
        """All lines that are left."""
        return self._release(float("inf"))

    def _release(self, until: float) -> list[str]:
        due = sorted((moment for moment in self._held if moment.at <= until), key=lambda moment: moment.at)
        self._held = [moment for moment in self._held if moment.at > until]
        return [line(moment, self._started_at) for moment in due]
