"""What no single value of a dialplan can tell: whether its parts fit together. A good one becomes a `Flow`.

Decides about references (nodes, prompts, queues, variables, languages) and about the shape of the flow (what cannot be
reached, where a caller can never leave). Everything is found in one pass over the model; nothing stops at the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from ivr.flow import Flow
from ivr.handover import LAST
from ivr.model import DialplanFile
from ivr.node import NAME_PATTERN, VARIABLE, Path, is_amount
from ivr.problems import Severity, did_you_mean
from ivr.verbs.assign import LANGUAGE
from ivr.wording import CALL_VARIABLES, QUEUE_VARIABLE, Piece, Variable, Wording, WordingError, cut, parse_wording

MAX_VARIABLES = 300
"""Bytes that a flow's variables may need on the channel, where a successor finds them after a restart."""

_BUILT_IN = CALL_VARIABLES | {QUEUE_VARIABLE, "caller_name"}
_LOOKS_LIKE_NAME = re.compile(NAME_PATTERN)


class Known(NamedTuple):
    """What the site has. None: not known, and then nothing is said about it."""

    queues: Collection[str] | None = None
    agents: Mapping[str, Mapping[str, int]] | None = None
    """Number to skills, each with its level."""


class Report(Protocol):
    """Takes a finding about the value (or, with `key`, the key) at a path of the file."""

    def __call__(
        self, path: Path, message: str, hint: str = "", *, key: bool = False, severity: Severity = Severity.ERROR
    ) -> None: ...


def compile_flow(file: DialplanFile, version: str, known: Known, report: Report) -> Flow:
    """Check everything, then build. The result is only good when nothing of severity error was reported."""
    checks = _Checks(file, known, report)
    checks.languages()
    checks.targets()
    checks.queues()
    checks.variables()
    checks.routing()
    checks.prompts()
    checks.shape()
    return Flow(
        name=file.flow,
        version=version,
        description=file.description,
        numbers=file.numbers,
        language=file.language,
        languages=file.spoken,
        start=file.start,
        on_error=file.on_error,
        nodes=dict(file.nodes),
        wordings=checks.wordings,
    )


class _Checks:
    def __init__(self, file: DialplanFile, known: Known, report: Report) -> None:
        self.file = file
        self.known = known
        self.report = report
        self.wordings: dict[tuple[str, str], Wording] = {}
        self.named: dict[str, Wording] = {}
        self.values: dict[str, set[str]] = {}

    def languages(self) -> None:
        if self.file.languages and self.file.language not in self.file.languages:
            self.report(("language",), f"language {self.file.language!r} is not one of 'languages'")

    def targets(self) -> None:
        self._target(("start",), self.file.start)
        if self.file.on_error is not None:
            self._target(("on_error",), self.file.on_error)
        for node_id, node in self.file.nodes.items():
            for path, target in node.targets():
                self._target(("nodes", node_id, *path), target)

    def _target(self, path: Path, target: str) -> None:
        if target not in self.file.nodes:
            self.report(path, f"there is no node {target!r}", did_you_mean(target, self.file.nodes))

    def queues(self) -> None:
        if self.known.queues is None:
            return
        for node_id, node in self.file.nodes.items():
            for path, queue in node.queues():
                if queue not in self.known.queues:
                    hint = did_you_mean(queue, self.known.queues)
                    self.report(("nodes", node_id, *path), f"there is no queue {queue!r}", hint)

    def variables(self) -> None:
        for node_id, node in self.file.nodes.items():
            for path, name, value in node.assigns():
                where: Path = ("nodes", node_id, *path)
                if name == LANGUAGE:
                    if value not in self.file.spoken:
                        self.report(where, f"this flow does not speak {value!r}", _or_add(self.file.spoken))
                elif name in _BUILT_IN:
                    self.report(where, f"{name!r} comes from the call and cannot be set", key=True)
                else:
                    self.values.setdefault(name, set()).add(value)
        longest = {name: max(values, key=len) for name, values in self.values.items()}
        if len(json.dumps(longest, separators=(",", ":"))) > MAX_VARIABLES:
            self.report(("nodes",), f"the flow's variables need more than {MAX_VARIABLES} bytes", key=True)

    def routing(self) -> None:
        """What a caller brings into a queue. That nobody can do what is asked is a warning: staff comes and goes, and
        a service that does not start for it would serve nobody."""
        for node_id, node in self.file.nodes.items():
            here: Path = ("nodes", node_id)
            for path, text in node.contradictions():
                self.report((*here, *path), text)
            for path, skill, level in node.skills():
                self._skill((*here, *path), skill, level)
            for path, ref in node.agents():
                for agent in self._possible((*here, *path), ref):
                    self._agent((*here, *path), agent)
            for path, amount in node.amounts():
                if not all(map(is_amount, self._possible((*here, *path), amount))):
                    self.report((*here, *path), f"{amount} can be something else than seconds, 0 to 86400")
            for path, text in node.shown():
                self._shown((*here, *path), text)

    def _skill(self, where: Path, skill: str, level: int) -> None:
        if self.known.agents is None:
            return
        skills = {name for agent in self.known.agents.values() for name in agent}
        best = max((agent.get(skill, 0) for agent in self.known.agents.values()), default=0)
        if skill not in skills:
            hint = did_you_mean(skill, skills)
            self.report(where, f"no agent has the skill {skill!r}", hint, key=True, severity=Severity.WARNING)
        elif level > best:
            text = f"no agent has {skill!r} at level {level}"
            self.report(where, text, f"the highest is {best}", severity=Severity.WARNING)

    def _agent(self, where: Path, agent: str) -> None:
        if self.known.agents is not None and agent not in self.known.agents and agent != LAST:
            hint = did_you_mean(agent, self.known.agents)
            self.report(where, f"there is no agent {agent!r}", hint, severity=Severity.WARNING)

    def _possible(self, where: Path, written: str) -> Iterable[str]:
        """Everything that a value can be in a call, as far as the file tells."""
        found = VARIABLE.fullmatch(written)
        if found is None:
            return (written,)
        name = found[1]
        if name not in _BUILT_IN | self.values.keys():
            self.report(where, f"there is no variable {name!r}", did_you_mean(name, _BUILT_IN | self.values.keys()))
        return self.values.get(name, ())

    def _shown(self, where: Path, text: str) -> None:
        try:
            names = [piece.name for piece in cut(text) if isinstance(piece, Variable)]
        except WordingError as error:
            self.report(where, str(error))
            return
        for name in names:
            if name not in _BUILT_IN | self.values.keys():
                self.report(where, f"there is no variable {name!r}", did_you_mean(name, _BUILT_IN | self.values.keys()))

    def prompts(self) -> None:
        for name, given in self.file.prompts.items():
            self.named[name] = self._wording(("prompts", name), given, name, self.file.spoken)
        for node_id, node in self.file.nodes.items():
            for slot, path, ref in node.prompts():
                where: Path = ("nodes", node_id, *path)
                only = node.spoken_in()
                if only is not None and only not in self.file.spoken:
                    hint = _or_add(self.file.spoken)
                    self.report(("nodes", node_id, "language"), f"this flow does not speak {only!r}", hint)
                    continue
                spoken = self.file.spoken if only is None else (only,)
                self.wordings[node_id, slot] = self._referred(where, ref, f"{node_id}.{slot}", spoken)

    def _referred(self, where: Path, ref: str | dict[str, str], own_name: str, spoken: tuple[str, ...]) -> Wording:
        if isinstance(ref, dict):
            return self._wording(where, ref, own_name, spoken)
        if ref in self.named:
            return self.named[ref]
        if _LOOKS_LIKE_NAME.fullmatch(ref):
            hint = did_you_mean(ref, self.named) or "define it under 'prompts:'"
            self.report(where, f"there is no prompt {ref!r}", hint)
            return Wording(own_name, {})
        return self._wording(where, ref, own_name, spoken)

    def _wording(self, where: Path, given: str | dict[str, str], name: str, spoken: tuple[str, ...]) -> Wording:
        if isinstance(given, str):
            if len(spoken) > 1:
                shape = ", ".join(f"{language}: ..." for language in spoken)
                self.report(where, "a text in one language, and the flow speaks several", f"write {{{shape}}}")
            return Wording(name, {spoken[0]: self._pieces(where, given)})
        for language in given:
            if language not in self.file.spoken:
                self.report(
                    (*where, language), f"this flow does not speak {language!r}", _or_add(self.file.spoken), key=True
                )
        missing = [language for language in spoken if language not in given]
        if missing:
            self.report(where, f"no translation to {' and '.join(map(repr, missing))}", key=True)
        return Wording(name, {language: self._pieces((*where, language), text) for language, text in given.items()})

    def _pieces(self, where: Path, text: str) -> tuple[Piece, ...]:
        try:
            pieces = parse_wording(text)
        except WordingError as error:
            self.report(where, str(error))
            return ()
        if not pieces:
            self.report(where, "a text without anything that could be spoken")
        known = CALL_VARIABLES | {QUEUE_VARIABLE} | self.values.keys()
        for piece in pieces:
            if isinstance(piece, str):
                continue
            if piece.name not in known:
                self.report(where, f"there is no variable {piece.name!r}", did_you_mean(piece.name, known))
            elif not all(value.isdecimal() and value.isascii() for value in self.values.get(piece.name, ())):
                self.report(where, f"variable {piece.name!r} can be set to more than digits", "only digits are spoken")
        return pieces

    def shape(self) -> None:
        """Nodes nobody comes to, and nodes nobody gets away from."""
        nodes = self.file.nodes
        following = {node_id: {t for _, t in node.targets() if t in nodes} for node_id, node in nodes.items()}
        roots = {self.file.start, self.file.on_error} & nodes.keys()
        reached = _closure(roots, following.__getitem__)
        for node_id in nodes.keys() - reached if roots else ():
            hint = "remove it, or lead to it"
            self.report(
                ("nodes", node_id), f"no way leads to node {node_id!r}", hint, key=True, severity=Severity.WARNING
            )
        before: dict[str, set[str]] = {node_id: set() for node_id in nodes}
        for node_id, targets in following.items():
            for target in targets:
                before[target].add(node_id)
        # A node with a target that does not exist has its own finding: nothing is said about where it might end.
        ending = {
            node_id
            for node_id, node in nodes.items()
            if node.ends or any(target not in nodes for _, target in node.targets())
        }
        leaving = _closure(ending, before.__getitem__)
        for node_id in nodes.keys() - leaving:
            self.report(("nodes", node_id), f"from node {node_id!r} no call ever ends", "lead to a hangup", key=True)


def _closure(begin: Iterable[str | None], following: Callable[[str], set[str]]) -> set[str]:
    found = {node for node in begin if node is not None}
    open_ends = list(found)
    while open_ends:
        new = following(open_ends.pop()) - found
        found |= new
        open_ends.extend(new)
    return found


def _or_add(spoken: Iterable[str]) -> str:
    return f"it speaks {', '.join(spoken)}; add it to 'languages'"
