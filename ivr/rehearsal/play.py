"""Plays a case: the caller does what is written, and whatever is not as expected is a failure at its place in the case.

Decides when a step happens (the caller listens first, unless the step says otherwise) and how what happened is compared
with what is written. It refuses to know files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.dialplans import Dialplans
from ivr.flow import Flow
from ivr.inputs import CallFacts
from ivr.problems import did_you_mean
from ivr.rehearsal.answers import WrittenAnswers, same
from ivr.rehearsal.case import DEFAULT_CALLER, Case, CaseStep, Expected, Facts
from ivr.rehearsal.happenings import Broke, Entered, Happening, HungUp, Over, Said
from ivr.rehearsal.rehearsal import Awaits, GoesRound, Rehearsal
from ivr.values import shown
from ivr.verbs.hangup import Q850
from ivr.verbs.split import SplitNode

Path = tuple[str | int, ...]

DEFAULT_AT = 1_767_621_600.0
"""Monday, January 5th 2026, 14:00 UTC: a case without a time is at the same one every day."""

MOST_LOTS = 100_000
_CAUSES = {cause: name for name, cause in Q850.items()}


@dataclass(frozen=True, slots=True)
class Failure:
    """What was expected and what happened, and where in the case that is written."""

    path: Path
    message: str


@dataclass(slots=True)
class Played:
    """A case that was played. `happenings` are there whatever failed."""

    failures: list[Failure] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    flow: Flow | None = None

    @property
    def ok(self) -> bool:
        return not self.failures


def play(case: Case, defaults: Facts, dialplans: Dialplans) -> Played:
    """One call, from its first prompt to the last step."""
    played = Played()
    number = case.to or defaults.to
    if number is None:
        numbers = dialplans.numbers
        if len(numbers) != 1:
            played.failures.append(Failure((), f"which number is called? 'to' is one of {', '.join(numbers)}"))
            return played
        (number,) = numbers
    flow = dialplans.flow_for(number)
    if flow is None:
        hint = did_you_mean(number, dialplans.numbers)
        played.failures.append(Failure(("to",), f"no flow answers {number}; {hint}"))
        return played
    played.flow = flow
    _Player(case, defaults, flow, number, played).play()
    return played


class _Stopped(Exception):
    """The rest of the steps would be about another call."""


class _Player:
    def __init__(self, case: Case, defaults: Facts, flow: Flow, number: str, played: Played) -> None:
        self.case = case
        self.played = played
        self.flow = flow
        flows = {one.name: one for one in flow.family()}
        split = defaults.split | case.split
        self._unknown_nodes(flows, split)
        facts = CallFacts(
            case.caller or defaults.caller or DEFAULT_CALLER,
            case.caller_name or defaults.caller_name or "",
            number,
            _lot(flows, split),
        )
        switches = case.switches if case.switches is not None else defaults.switches or ()
        at = case.at or defaults.at or DEFAULT_AT
        answers = WrittenAnswers(defaults.answers | case.answers, flows)
        self.call = Rehearsal(flow, facts, at, switches, answers)
        self.heard_from = 0
        played.happenings = self.call.happenings

    def play(self) -> None:
        try:
            self.call.begin()
            for index, step in enumerate(self.case.steps):
                self._step(("steps", index), step)
            self._listen(("steps",))
        except _Stopped:
            return
        except GoesRound:
            self._fail(("steps",), f"the flow goes round at node {self.call.position.node!r}; nobody is asked anything")
            return
        self._expect(self.case.expect)

    def _fail(self, path: Path, message: str) -> None:
        self.played.failures.append(Failure(path, message))

    def _unknown_nodes(self, flows: Mapping[str, Flow], split: Mapping[str, str]) -> None:
        nodes = {node for flow in flows.values() for node in flow.nodes}
        for key in self.case.answers:
            flow, _, node = key.rpartition("/")
            if node not in (flows[flow].nodes if flow in flows else () if flow else nodes):
                self._fail(("answers", key), f"there is no node {key!r}; {did_you_mean(node, nodes)}")
        for key, target in split.items():
            found = [flow.nodes[key] for flow in flows.values() if key in flow.nodes]
            if not any(isinstance(one, SplitNode) and target in one.split for one in found):
                self._fail(("split", key), f"no node {key!r} splits callers to {target!r}")

    # steps --------------------------------------------------------------------------------------------------------

    def _step(self, path: Path, step: CaseStep) -> None:
        here: Path = (*path, step.key)
        match step:
            case CaseStep(hear=str(text)):
                self._hear(here, text)
                return
            case CaseStep(press=str(keys)):
                self._listen(here)
                self._press(here, keys)
            case CaseStep(interrupt=str(keys)):
                if self.call.awaits is not Awaits.PROMPT:
                    self._stop(here, f"nothing is being said that could be interrupted; {self._where()}")
                self._press(here, keys)
            case CaseStep(queue=str(result)):
                self._listen(here)
                self._must(here, Awaits.QUEUE, "the caller does not wait for an agent")
                self.call.leave_queue(result)
            case CaseStep(silence=True):
                self._listen(here)
                self._must(here, Awaits.KEY, "nobody waits for a key")
                self.call.stay_silent()
            case CaseStep(hang_up=True):
                self._not_over(here, "the caller hangs up")
                self.call.hang_up()
            case CaseStep(error=True):
                self._not_over(here, "something breaks")
                self.call.stumble()
            case _:
                pass
        self.heard_from = len(self._said()) - (1 if self.call.awaits is Awaits.PROMPT else 0)

    def _press(self, path: Path, keys: str) -> None:
        for key in keys:
            if self.call.awaits in {Awaits.NOTHING, Awaits.ANSWER}:
                self._stop(path, f"key {key} is pressed, and {self._where()}")
            self.call.press(key)

    def _hear(self, path: Path, text: str) -> None:
        """Listen until it is being said; what was said since the caller last did something counts."""
        while True:
            said = self._said()
            for index in range(self.heard_from, len(said)):
                if _part_of(text, said[index]):
                    self.heard_from = index
                    return
            if self.call.awaits not in {Awaits.PROMPT, Awaits.PAUSE}:
                heard = " / ".join(said[self.heard_from :]) or "nothing"
                self._stop(path, f"expected to hear {text!r}, heard: {heard}")
            self.call.listen()

    def _listen(self, path: Path) -> None:
        self.call.listen_on()
        if self.call.awaits is Awaits.ANSWER and self.call.request is not None:
            node, what = self.call.position.node, type(self.call.request.what).__name__
            self._stop(path, f"node {node!r} asks outside ({what}), and the case has no answer for it under 'answers'")

    def _not_over(self, path: Path, happens: str) -> None:
        if self.call.awaits is Awaits.NOTHING:
            self._stop(path, f"{happens}, and {self._where()}")

    def _must(self, path: Path, awaits: Awaits, message: str) -> None:
        if self.call.awaits is not awaits:
            self._stop(path, f"{message}; {self._where()}")

    def _stop(self, path: Path, message: str) -> None:
        self._fail(path, message)
        raise _Stopped

    def _where(self) -> str:
        if self.call.awaits is Awaits.NOTHING:
            return f"the call is over since node {self.call.position.node!r}"
        return f"node {self.call.position.node!r} waits for {self.call.awaits}"

    def _said(self) -> list[str]:
        return [one.text for one in self.call.happenings if isinstance(one, Said)]

    # what came of it ----------------------------------------------------------------------------------------------

    def _expect(self, expected: Expected) -> None:
        for path, message in (
            *self._about_words(expected),
            *self._about_nodes(expected),
            *self._about_values(expected),
            *self._about_the_queue(expected),
            *self._about_the_end(expected),
        ):
            self._fail(("expect", *path), message)

    def _about_words(self, expected: Expected) -> Iterator[tuple[Path, str]]:
        said = self._said()
        heard = " / ".join(said) or "nothing"
        begin = 0
        for index, text in enumerate(expected.said):
            found = next((n for n in range(begin, len(said)) if _part_of(text, said[n])), None)
            if found is None:
                yield ("said", index), f"expected to hear {text!r}{' after that' if begin else ''}, heard: {heard}"
                return
            begin = found
        for index, text in enumerate(expected.not_said):
            found_in = next((one for one in said if _part_of(text, one)), None)
            if found_in is not None:
                yield ("not_said", index), f"heard {found_in!r}, which has {text!r} in it"

    def _about_nodes(self, expected: Expected) -> Iterator[tuple[Path, str]]:
        entered = [one.node for one in self.call.happenings if isinstance(one, Entered)]
        went = " -> ".join(entered)
        left = iter(entered)
        for index, node in enumerate(expected.nodes):
            if node not in left:
                yield ("nodes", index), f"expected to come to node {node!r}, went: {went}"
                break
        for index, node in enumerate(expected.not_nodes):
            if node in entered:
                yield ("not_nodes", index), f"came to node {node!r}: {went}"

    def _about_values(self, expected: Expected) -> Iterator[tuple[Path, str]]:
        variables = dict(self.call.position.variables)
        flow = self.call.flow
        for name, written in expected.variables.items():
            if name not in flow.kinds:
                hint = did_you_mean(name, flow.kinds)
                yield ("variables", name), f"there is no variable {name!r} in flow {flow.name!r}; {hint}"
                continue
            value = variables.get(name, flow.empty(name))
            if not same(value, written, flow.kind(name)):
                yield ("variables", name), f"expected {name} to be {written!r}, it is {shown(value)!r}"
        language = self.call.position.language
        if expected.language not in {None, language}:
            yield ("language",), f"expected the language {expected.language!r}, it is {language!r}"

    def _about_the_queue(self, expected: Expected) -> Iterator[tuple[Path, str]]:
        handover = self.call.handover
        if expected.queue is not None and (handover is None or handover.queue != expected.queue):
            found = f"queue {handover.queue!r}" if handover is not None else "no queue"
            yield ("queue",), f"expected queue {expected.queue!r}, was sent to {found}"
        if expected.skills is not None:
            asked = dict(handover.skills.must) if handover is not None and handover.skills is not None else {}
            if asked != expected.skills:
                yield ("skills",), f"expected the skills {_listed(expected.skills)}, asked for {_listed(asked)}"
        shown_data = dict(handover.data) if handover is not None else {}
        for name, text in expected.data.items():
            if shown_data.get(name) != text:
                found = repr(shown_data[name]) if name in shown_data else "nothing"
                yield ("data", name), f"expected the agent to see {text!r}, they see {found}"

    def _about_the_end(self, expected: Expected) -> Iterator[tuple[Path, str]]:
        node = self.call.position.node
        if expected.at not in {None, node}:
            yield ("at",), f"expected the caller to be at node {expected.at!r}, they are at {node!r}"
        if expected.ends is None:
            return
        if self.call.awaits is not Awaits.NOTHING:
            yield ("ends",), f"expected the call to end ({expected.ends}), {self._where()}"
        elif (ending := ending_of(self.call.happenings)) != expected.ends:
            yield ("ends",), f"expected the call to end {expected.ends!r}, it ended {ending!r}"


def ending_of(happenings: list[Happening]) -> str:
    """How a call ended that is over."""
    for one in reversed(happenings):
        match one:
            case Broke():
                return "broken"
            case Over(cause=cause):
                gone = any(isinstance(before, HungUp) for before in happenings)
                return "hung_up" if gone else _CAUSES.get(cause, str(cause))
            case _:
                pass
    return ""


def _part_of(text: str, said: str) -> bool:
    return " ".join(text.split()).casefold() in " ".join(said.split()).casefold()


def _listed(levels: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {level}" for name, level in sorted(levels.items())) or "none"


def _lot(flows: Mapping[str, Flow], wanted: Mapping[str, str]) -> str:
    """A call's id that every `split` sends the wanted way."""
    splits = [
        (flow.name, key, node, wanted[key])
        for flow in flows.values()
        for key, node in flow.nodes.items()
        if key in wanted and isinstance(node, SplitNode) and wanted[key] in node.split
    ]
    ids = (f"rehearsal-{number}" for number in range(MOST_LOTS))
    return next(
        (one for one in ids if all(node.chosen(one, flow, key) == target for flow, key, node, target in splits)),
        "rehearsal",
    )
