"""What no single value of a dialplan can tell: whether its parts fit together. A good one becomes a `Flow`.

Decides about references: nodes, prompts, queues, variables, languages. What can be wrong with a flow whose references
are all good is found by `ivr.lint`. Everything is found in one pass over the model; nothing stops at the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from zoneinfo import ZoneInfo

from ivr import opening
from ivr.flow import Flow
from ivr.handover import LAST
from ivr.known import Known
from ivr.lint import Subject, lint
from ivr.lint.leaks import LEAK
from ivr.model import DialplanFile
from ivr.node import (
    NAME_PATTERN,
    VARIABLE,
    OwnTexts,
    Path,
    PromptPart,
    PromptRef,
    SilenceRef,
    SoundRef,
    is_amount,
)
from ivr.problems import Report, Severity, did_you_mean
from ivr.speaking import way_of
from ivr.spoken import can_speak
from ivr.variables import Variables
from ivr.wording import QUEUE_VARIABLE, Piece, Silence, SoundFile, Variable, Wording, WordingError, cut, parse_wording

MAX_VARIABLES = 300
"""Bytes that a flow's constants may need on the channel, where a successor finds them after a restart."""

MAX_EXTENSION = 5
"""Digits; a longer number is taken for one of somebody outside."""

_LOOKS_LIKE_NAME = re.compile(NAME_PATTERN)


def compile_flow(
    file: DialplanFile,
    version: str,
    known: Known,
    report: Report,
    others: Mapping[str, DialplanFile | None] | None = None,
    *,
    advice: bool = False,
) -> Flow:
    """Check everything, then build. The result is only good when nothing of severity error was reported.

    `others`: every flow that this one may lead into, by name, None for one that cannot be read; None when they are not
    known.
    """
    checks = _Checks(file, known, report, others, advice=advice)
    checks.languages()
    checks.targets()
    checks.flows()
    checks.queues()
    checks.hours()
    checks.variables.resolve()
    checks.services()
    checks.room()
    checks.routing()
    checks.prompts()
    variables = checks.variables
    lint(Subject(file, variables, checks.wordings, checks.named, known, others, report, advice))
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
        on_hangup=file.on_hangup,
        fallback=file.fallback,
        currency=file.currency or "",
        zone=ZoneInfo(file.time_zone),
        params=file.params,
        returns=file.returns,
        kinds=variables.kinds,
        constants=variables.constants,
        secrets=frozenset(variables.secrets),
        expressions=variables.expressions,
        services=file.services,
        hours={} if checks.bad_hours else {name: opening.opening(hours) for name, hours in file.hours.items()},
    )


class _Checks:
    def __init__(
        self,
        file: DialplanFile,
        known: Known,
        report: Report,
        others: Mapping[str, DialplanFile | None] | None,
        *,
        advice: bool,
    ) -> None:
        self.file = file
        self.known = known
        self.report = report
        self.others = others
        self.advice = advice
        self.variables = Variables(file, others, report)
        self.wordings: dict[tuple[str, str], Wording] = {}
        self.named: dict[str, Wording] = {}
        self.bad_hours = False

    def languages(self) -> None:
        if self.file.languages and self.file.language not in self.file.languages:
            self.report(
                ("language",), f"language {self.file.language!r} is not one of 'languages'", rule="unknown-language"
            )
        for language, instead in self.file.fallback.items():
            for key, one in ((True, language), (False, instead)):
                if one not in self.file.spoken:
                    where, hint = ("fallback", language), _or_add(self.file.spoken)
                    self.report(where, f"this flow does not speak {one!r}", hint, key=key, rule="unknown-language")
            if language in self.file.heard_for(instead):
                text = f"{language!r} would be heard in the place of itself"
                self.report(("fallback", language), text, rule="contradiction")

    def targets(self) -> None:
        self._target(("start",), self.file.start)
        for key in ("on_error", "on_hangup"):
            target = getattr(self.file, key)
            if target is not None:
                self._target((key,), target)
        for node_id, node in self.file.nodes.items():
            for path, target in node.targets():
                self._target(("nodes", node_id, *path), target)

    def _target(self, path: Path, target: str) -> None:
        if target not in self.file.nodes:
            hint = did_you_mean(target, self.file.nodes)
            self.report(path, f"there is no node {target!r}", hint, rule="unknown-node")

    def flows(self) -> None:
        if self.others is None:
            return
        for node_id, node in self.file.nodes.items():
            for path, name in node.flows():
                if name not in self.others:
                    hint = did_you_mean(name, self.others)
                    self.report(("nodes", node_id, *path), f"there is no flow {name!r}", hint, rule="unknown-flow")

    def queues(self) -> None:
        if self.known.queues is None:
            return
        for node_id, node in self.file.nodes.items():
            for path, queue in node.queues():
                if queue not in self.known.queues:
                    hint = did_you_mean(queue, self.known.queues)
                    self.report(("nodes", node_id, *path), f"there is no queue {queue!r}", hint, rule="unknown-queue")

    def hours(self) -> None:
        for name, hours in self.file.hours.items():
            for path, text in opening.contradictions(hours):
                self.bad_hours = True
                self.report(("hours", name, *path), text)
        for node_id, node in self.file.nodes.items():
            for path, name in node.hours():
                if name not in self.file.hours:
                    hint = did_you_mean(name, self.file.hours) or "define them under 'hours:'"
                    self.report(("nodes", node_id, *path), f"there are no hours {name!r}", hint, rule="unknown-hours")

    def services(self) -> None:
        for name, service in self.file.services.items():
            here: Path = ("services", name)
            reach = self.known.reach
            if reach is not None and not reach.allows(service.url):
                hint = "add it to 'lookups.allow' in the configuration"
                self.report((*here, "url"), f"{service.url} may not be asked", hint, rule="not-allowed")
            for header, secret in service.secrets():
                if reach is not None and secret not in reach.secrets:
                    hint = did_you_mean(secret, reach.secrets) or "name its file under 'secrets' in the configuration"
                    self.report(
                        (*here, "headers", header), f"there is no secret {secret!r}", hint, rule="unknown-secret"
                    )
            for header, variable in service.reads():
                self._known_variable((*here, "headers", header), variable)
        for node_id, node in self.file.nodes.items():
            for path, name in node.services():
                if name not in self.file.services:
                    hint = did_you_mean(name, self.file.services) or "define it under 'services:'"
                    self.report(
                        ("nodes", node_id, *path), f"there is no service {name!r}", hint, rule="unknown-service"
                    )

    def room(self) -> None:
        longest = {name: max(values, key=len) for name, values in self.variables.constants.items() if values}
        if len(json.dumps(longest, separators=(",", ":"))) > MAX_VARIABLES:
            self.report(("nodes",), f"the flow's variables need more than {MAX_VARIABLES} bytes", key=True)

    def routing(self) -> None:
        """What a caller brings into a queue. That nobody can do what is asked is a warning: staff comes and goes, and
        a service that does not start for it would serve nobody."""
        for node_id, node in self.file.nodes.items():
            here: Path = ("nodes", node_id)
            for path, text in node.contradictions():
                self.report((*here, *path), text, rule="contradiction")
            for path, skill, level in node.skills():
                self._skill((*here, *path), skill, level)
            for path, ref in node.agents():
                for agent in self._possible((*here, *path), ref):
                    self._agent((*here, *path), agent)
            for path, number in node.dials():
                self._dialled((*here, *path), number)
            for path, amount in node.amounts():
                if not all(map(is_amount, self._possible((*here, *path), amount))):
                    self.report((*here, *path), f"{amount} can be something else than seconds, 0 to 86400")
            for path, text in node.shown():
                self._shown((*here, *path), text)
            for read in node.reads():
                self._known_variable((*here, *read.path), read.name)

    def _skill(self, where: Path, skill: str, level: int) -> None:
        if self.known.agents is None:
            return
        skills = {name for agent in self.known.agents.values() for name in agent}
        best = max((agent.get(skill, 0) for agent in self.known.agents.values()), default=0)
        if skill not in skills:
            hint = did_you_mean(skill, skills)
            text = f"no agent has the skill {skill!r}"
            self.report(where, text, hint, key=True, severity=Severity.WARNING, rule="unknown-skill")
        elif level > best:
            text = f"no agent has {skill!r} at level {level}"
            self.report(where, text, f"the highest is {best}", severity=Severity.WARNING, rule="unknown-skill")

    def _agent(self, where: Path, agent: str) -> None:
        if self.known.agents is not None and agent not in self.known.agents and agent != LAST:
            hint = did_you_mean(agent, self.known.agents)
            text = f"there is no agent {agent!r}"
            self.report(where, text, hint, severity=Severity.WARNING, rule="unknown-agent")

    def _dialled(self, where: Path, written: str) -> None:
        """A warning: what may be dialled is the site's to say, and the flow has a way for what may not be."""
        if self.known.prefixes is None or self.known.agents is None:
            return
        begin, variable, _ = written.partition("{")
        allowed = begin.startswith(tuple(self.known.prefixes))
        if not variable and written not in self.known.agents and not allowed:
            short = len(written) <= MAX_EXTENSION
            hint = did_you_mean(written, self.known.agents) if short else "add its beginning to transfers.prefixes"
            text = f"{written} is no agent, and no number that transfers.prefixes allows"
            self.report(where, text, hint, severity=Severity.WARNING, rule="unknown-number")
        elif variable and not self.known.prefixes and not self.known.agents:
            text = "nobody can be dialled: there are no agents, and transfers.prefixes allows no number"
            self.report(where, text, severity=Severity.WARNING, rule="unknown-number")

    def _possible(self, where: Path, written: str) -> Iterable[str]:
        """Everything that a value can be in a call, as far as the file tells."""
        found = VARIABLE.fullmatch(written)
        return (written,) if found is None else self.variables.constants.get(found[1], ())

    def _shown(self, where: Path, text: str) -> None:
        try:
            cut(text)
        except WordingError as error:
            self.report(where, str(error))

    def _known_variable(self, where: Path, name: str) -> bool:
        names = self.variables.names
        if name not in names:
            hint = did_you_mean(name, names)
            self.report(where, f"there is no variable {name!r}", hint, rule="unknown-variable")
        return name in names

    def prompts(self) -> None:
        # Sequences last: they may be made of the others.
        for name, written in sorted(self.file.prompts.items(), key=lambda item: isinstance(item[1], tuple)):
            self.named[name] = self._wording(("prompts", name), written, name, self.file.spoken)
        for node_id, node in self.file.nodes.items():
            for slot, path, ref in node.prompts():
                where: Path = ("nodes", node_id, *path)
                only = node.spoken_in()
                if only is not None and only not in self.file.spoken:
                    hint = _or_add(self.file.spoken)
                    text = f"this flow does not speak {only!r}"
                    self.report(("nodes", node_id, "language"), text, hint, rule="unknown-language")
                    continue
                spoken = self.file.spoken if only is None else (only,)
                self.wordings[node_id, slot] = self._referred(where, ref, f"{node_id}.{slot}", spoken)

    def _referred(self, where: Path, ref: PromptRef, own_name: str, spoken: tuple[str, ...]) -> Wording:
        if isinstance(ref, str):
            if ref in self.named:
                return self.named[ref]
            if _LOOKS_LIKE_NAME.fullmatch(ref):
                hint = did_you_mean(ref, self.named) or "define it under 'prompts:'"
                self.report(where, f"there is no prompt {ref!r}", hint, rule="unknown-prompt")
                return Wording(own_name, {})
        return self._wording(where, ref, own_name, spoken)

    def _wording(self, where: Path, ref: PromptRef, name: str, spoken: tuple[str, ...]) -> Wording:
        if not isinstance(ref, tuple):
            return Wording(name, self._part(where, ref, spoken))
        parts: list[Mapping[str, tuple[Piece, ...]]] = []
        for index, part in enumerate(ref):
            if isinstance(part, str):
                parts.append(self._referred((*where, index), part, name, spoken).pieces)
            else:
                parts.append(self._part((*where, index), part, spoken))
        # Whole in one language: where one part has no translation, the others are not heard in it either.
        everywhere = [language for language in self.file.spoken if all(language in part for part in parts)]
        pieces = {language: tuple(piece for part in parts for piece in part[language]) for language in everywhere}
        return Wording(name, pieces)

    def _part(self, where: Path, given: PromptPart, spoken: tuple[str, ...]) -> dict[str, tuple[Piece, ...]]:
        if isinstance(given, SoundRef):
            return dict.fromkeys(self._sounding((*where, "file"), given.file, spoken), (SoundFile(given.file),))
        if isinstance(given, SilenceRef):
            return dict.fromkeys(self.file.spoken, (Silence(given.silence),))
        if isinstance(given, str):
            if len(spoken) > 1:
                shape = ", ".join(f"{language}: ..." for language in spoken)
                text = "a text in one language, and the flow speaks several"
                self._untranslated(where, text, f"write {{{shape}}}", spoken[1:], (spoken[0],), key=False)
            return {spoken[0]: self._pieces(where, given, spoken[0])}
        for language in () if isinstance(given, OwnTexts) else given:
            if language not in self.file.spoken:
                text, hint = f"this flow does not speak {language!r}", _or_add(self.file.spoken)
                self.report((*where, language), text, hint, key=True, rule="unknown-language")
        missing = [language for language in spoken if language not in given]
        if missing:
            hint = "write your own" if isinstance(given, OwnTexts) else ""
            text = f"no translation to {' and '.join(map(repr, missing))}"
            self._untranslated(where, text, hint, missing, given, key=True)
        return {
            language: self._pieces((*where, language), text, language)
            for language, text in given.items()
            if language in self.file.spoken
        }

    def _untranslated(
        self, where: Path, text: str, hint: str, missing: Iterable[str], given: Container[str], *, key: bool
    ) -> None:
        """No mistake where another language is heard instead: then it is told to those who ask for advice."""
        heard = {one: next((o for o in self.file.heard_for(one) if o in given), "") for one in missing}
        if not all(heard.values()):
            self.report(where, text, hint, key=key, rule="missing-translation")
        elif self.advice:
            instead = " and ".join(map(repr, sorted(set(heard.values()))))
            text = f"{text}: callers hear {instead}"
            self.report(where, text, key=key, severity=Severity.WARNING, rule="missing-translation")

    def _sounding(self, where: Path, name: str, spoken: tuple[str, ...]) -> tuple[str, ...]:
        """The languages that have this sound."""
        sounds = self.known.sounds
        if sounds is None:
            return self.file.spoken
        trouble = {language: sounds.trouble(language, name) for language in self.file.spoken}
        good = tuple(language for language, found in trouble.items() if found is None)
        missing = [one for one in spoken if one in trouble and not any(o in good for o in self.file.heard_for(one))]
        for found in dict.fromkeys(trouble[language] for language in missing):
            if found is not None:
                self.report(where, found.message, found.hint)
        return good

    def _pieces(self, where: Path, text: str, language: str) -> tuple[Piece, ...]:
        try:
            pieces = parse_wording(text)
        except WordingError as error:
            self.report(where, str(error))
            return ()
        if not pieces:
            self.report(where, "a text without anything that could be spoken")
        return tuple(
            piece for piece in pieces if not isinstance(piece, Variable) or self._speakable(where, piece, language)
        )

    def _speakable(self, where: Path, place: Variable, language: str) -> bool:
        """Whether everything that this place can hold can be prepared."""
        name = place.name
        if name == QUEUE_VARIABLE:
            return True
        if name in self.variables.secrets:
            self.report(where, f"variable {name!r} is secure and is never spoken", rule=LEAK)
            return False
        if not self._known_variable(where, name):
            return False
        kind = self.variables.kinds[name]
        try:
            way = way_of(kind, place.how, self.file.currency or "")
        except ValueError as error:
            self.report(where, f"{{{name}}}: {error}")
            return False
        if way is None and name not in self.variables.constants:
            hint = "only texts that are written in the flow can be; digits, numbers, amounts, dates and times always"
            self.report(where, f"{{{name}}} is a text that is not known before the call, so it cannot be spoken", hint)
            return False
        if way is not None and not can_speak(way, language, self.file.currency or ""):
            what = f"a {way.value} in {self.file.currency}" if way == "money" else f"a {way.value}"
            hint = "values are spoken in en and es"
            if len(self.file.heard_for(language)) > 1:
                hint += "; without this translation callers hear the language of 'fallback'"
            self.report(where, f"{{{name}}}: {what} cannot be spoken in {language!r}", hint)
            return False
        return True


def _or_add(spoken: Iterable[str]) -> str:
    return f"it speaks {', '.join(spoken)}; add it to 'languages'"
