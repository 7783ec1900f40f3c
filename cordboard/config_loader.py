"""Reads the configuration file into `Config`, or says everything that is wrong with it, each at file:line:column.

Decides the words of the errors and the checks that need more than one value. It refuses to know defaults.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import phonenumbers
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cordboard import yaml_source
from cordboard.config import Comfort, Config, Queue
from cordboard.config_include import take_in
from cordboard.lookups.allow_list import BadAddress, parse_address
from cordboard.yaml_source import Place, Problem, YamlRefused, YamlSource, read_yaml
from ivr import opening

WORDS = {
    "string_type": "must be text (put it in quotes)",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "path_type": "must be a path",
    "missing": "is missing",
}
"""Our words for pydantic's error types, where its own speak of Python."""


M = TypeVar("M", bound=BaseModel)


class ConfigRefused(Exception):
    """The file is not usable. `problems` holds everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def load_config(file: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read the file. `CORDBOARD_ROOT` in the environment takes the place of the var folder. Raises `ConfigRefused`."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        problem = Problem(str(file), Place(1, 1), f"cannot be read: {error.strerror}")
        raise ConfigRefused([problem]) from None
    except UnicodeDecodeError:
        raise ConfigRefused([Problem(str(file), Place(1, 1), "is not UTF-8 text")]) from None
    override = environment.get("CORDBOARD_ROOT")
    folder = file.absolute().parent
    return parse_config(text, str(file), folder).placed(folder, Path(override) if override else None)


def parse_config(text: str, file: str = "cordboard.yaml", folder: Path | None = None) -> Config:
    """Read the text of a configuration; what it includes lies in `folder`. Raises `ConfigRefused`."""
    source = read_source(text, file, folder)
    config = _validated(source, Config)
    contradictions = _in_order(source, (source.problem(path, text) for path, text in _contradictions(config)))
    if contradictions:
        raise ConfigRefused(contradictions)
    return config


def read_sections(text: str, file: str, model: type[M]) -> tuple[M, YamlSource]:
    """Any file of sections, and where in it everything stands. Raises `ConfigRefused`."""
    source = read_source(text, file)
    return _validated(source, model), source


def read_source(text: str, file: str, folder: Path | None = None) -> YamlSource:
    """What stands in a file, with all that it includes when its folder is known. Raises `ConfigRefused`."""
    try:
        source = read_yaml(text, file)
    except YamlRefused as refused:
        raise ConfigRefused([Problem(file, refused.place, refused.message)]) from None
    if not isinstance(source.data, dict):
        raise ConfigRefused([Problem(file, Place(1, 1), "must be a mapping (key: value)")])
    if folder is not None:
        problems = _in_order(source, take_in(source, folder))
        if problems:
            raise ConfigRefused(problems)
    return source


def _validated(source: YamlSource, model: type[M]) -> M:
    try:
        # From JSON, because strict mode then still makes paths of texts and nothing else of anything.
        return model.model_validate_json(json.dumps(source.data))
    except ValidationError as error:
        problems = _in_order(source, (_problem(source, one, model) for one in error.errors()))
        raise ConfigRefused(problems) from None


def _in_order(source: YamlSource, problems: Iterable[Problem]) -> list[Problem]:
    """Those of the file itself first."""
    return sorted(problems, key=lambda problem: (problem.file != source.file, problem.file, problem.place))


def _problem(source: YamlSource, error: ErrorDetails, model: type[BaseModel]) -> Problem:
    in_key = error["loc"][-1] == "[key]"
    path: yaml_source.Path = error["loc"][:-1] if in_key else error["loc"]
    name = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        known = _keys_at(path[:-1], model)
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(known)}"
        return source.problem(path, f"{name}: unknown key; {hint}", key=True)
    words = WORDS.get(error["type"]) or error["msg"][:1].lower() + error["msg"][1:]
    return source.problem(path, f"{name}: {'the key: ' if in_key else ''}{words}", key=in_key)


def _keys_at(path: yaml_source.Path, section: type[BaseModel]) -> list[str]:
    """The keys that may stand in the section at `path`."""
    entries = False
    for part in path:
        if entries:  # `part` names an entry of a mapping, or list, of sections
            entries = False
            continue
        annotation: Any = section.model_fields[str(part)].annotation
        entries = get_origin(annotation) in (dict, list)
        section = _section(annotation) or section
    return list(section.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section inside an annotation such as `dict[Name, Queue]` or `Trunk | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((section for one in get_args(annotation) if (section := _section(one)) is not None), None)


def _growing_requirements(name: str, queue: Queue) -> Iterator[tuple[yaml_source.Path, str]]:
    """Steps that come out of order, or ask for more than the step before them."""
    after_s, must = 0, queue.must
    for index, step in enumerate(queue.relax):
        where = f"queues.{name}.relax.{index}"
        if step.after_s <= after_s:
            text = f"{where}.after_s: must be above the {after_s} s of the step before"
            yield ("queues", name, "relax", index, "after_s"), text
        for skill, level in step.must.items():
            if level > must.get(skill, 0):
                before = f"{skill}: {must[skill]}" if skill in must else f"no {skill}"
                text = f"{where}.must.{skill}: a requirement only relaxes, and the step before asks for {before}"
                yield ("queues", name, "relax", index, "must", skill), text
        after_s, must = step.after_s, step.must


AUTOMATIC = ("ring_no_answer", "none_given")
"""What we say ourselves, so that nobody else may."""


def _after_talks(name: str, queue: Queue) -> Iterator[tuple[yaml_source.Path, str]]:
    if queue.wrap_up_max_s is not None and queue.wrap_up_max_s < queue.wrap_up_s:
        text = f"queues.{name}.wrap_up_max_s: must not be below wrap_up_s ({queue.wrap_up_s})"
        yield ("queues", name, "wrap_up_max_s"), text
    if queue.alarm_wait_s <= queue.warn_wait_s:
        text = f"queues.{name}.alarm_wait_s: must be above warn_wait_s ({queue.warn_wait_s})"
        yield ("queues", name, "alarm_wait_s" if "alarm_wait_s" in queue.model_fields_set else "warn_wait_s"), text
    if queue.disposition_required and not queue.dispositions:
        text = f"queues.{name}.disposition_required: there are no dispositions to choose from"
        yield ("queues", name, "disposition_required"), text
    yield from _words(("queues", name, "dispositions"), queue.dispositions)


def _words(path: yaml_source.Path, words: Mapping[str, str]) -> Iterator[tuple[yaml_source.Path, str]]:
    """Digits and what they stand for."""
    digits: dict[str, str] = {}
    for digit, word in words.items():
        where = f"{'.'.join(map(str, path))}.{digit}"
        if word in AUTOMATIC:
            yield (*path, digit), f'{where}: "{word}" is a word of the service itself; choose another'
        if word in digits:
            yield (*path, digit), f'{where}: "{word}" has the digit {digits[word]} already'
        digits[word] = digit


def _codes(config: Config) -> Iterator[tuple[yaml_source.Path, str]]:
    """Two codes that are the same, or one that is another and the digit which may follow that."""
    codes = config.feature_codes
    taken: dict[str, str] = {}
    for action, code in codes:
        if code in taken:
            yield ("feature_codes", action), f"feature_codes.{action}: {code} is the code of {taken[code]} already"
        taken[code] = action
    for action, code in codes:
        for longer, prefix in (("pause", codes.pause), ("disposition", codes.disposition)):
            if code[:-1] == prefix:
                text = f"feature_codes.{action}: {code} is also {longer} ({prefix}) and the digit {code[-1]}"
                yield ("feature_codes", action), text
    taken = {}
    for action, code in config.talk_codes:
        if code in taken:
            yield ("talk_codes", action), f"talk_codes.{action}: {code} is the code of {taken[code]} already"
        taken[code] = action


def _queues_by_number(config: Config) -> Iterator[tuple[yaml_source.Path, str]]:
    taken = {number: f"agent {number}" for number in config.agents}
    for name, queue in config.queues.items():
        if queue.number is None:
            continue
        if queue.number in taken:
            text = f"queues.{name}.number: {queue.number} is the number of {taken[queue.number]} already"
            yield ("queues", name, "number"), text
        taken[queue.number] = f"queue {name}"


def _recording(name: str, queue: Queue, languages: list[str]) -> Iterator[tuple[yaml_source.Path, str]]:
    """Whoever is recorded is told so, or somebody has said that they need not be."""
    here = ("queues", name)
    notice = f"queues.{name}.record_notice"
    for language in queue.record_notice:
        if language not in languages:
            yield (*here, "record_notice", language), f'{notice}.{language}: "{language}" is not among the languages'
    for language in languages:
        if queue.record_notice and language not in queue.record_notice:
            yield (*here, "record_notice"), f'{notice}: no text in "{language}"'
    if queue.record != "never" and not queue.record_notice and not queue.record_silently:
        text = f"queues.{name}.record: callers must be told; give a record_notice, or record_silently: true"
        yield (*here, "record"), text
    if queue.record_notice and queue.record_silently:
        yield (*here, "record_silently"), f"queues.{name}.record_silently: true, but there is a record_notice"
    if queue.record_share < 1 and queue.record != "always":
        yield (*here, "record_share"), f"queues.{name}.record_share: is for record: always"


def _unheard(name: str, comfort: Comfort, languages: list[str]) -> Iterator[tuple[yaml_source.Path, str]]:
    """Messages that some callers would not understand, and a section that says nothing."""
    where: yaml_source.Path = ("queues", name, "comfort")
    dotted = f"queues.{name}.comfort"
    if not (comfort.messages or comfort.announce_position or comfort.announce_wait):
        yield where, f"{dotted}: says nothing; give messages, announce_position or announce_wait"
    for index, message in enumerate(comfort.messages):
        for language in languages:
            if language not in message:
                yield (*where, "messages", index), f'{dotted}.messages.{index}: no text in "{language}"'
        for language in message:
            if language not in languages:
                text = f'{dotted}.messages.{index}.{language}: "{language}" is not among the languages'
                yield (*where, "messages", index, language), text


def _contradictions(config: Config) -> Iterator[tuple[yaml_source.Path, str]]:
    """What is wrong between values that are each right."""
    for number, agent in config.agents.items():
        for index, queue in enumerate(agent.queues):
            if queue not in config.queues:
                near = difflib.get_close_matches(queue, config.queues, n=1)
                hint = f'; did you mean "{near[0]}"?' if near else ""
                yield ("agents", number, "queues", index), f'agents.{number}.queues: no queue "{queue}"{hint}'
        if agent.language is not None and agent.language not in config.languages:
            text = f'agents.{number}.language: "{agent.language}" is not among the languages'
            yield ("agents", number, "language"), text
    for name, rules in config.queues.items():
        yield from _growing_requirements(name, rules)
        if rules.comfort is not None:
            yield from _unheard(name, rules.comfort, config.languages)
        if rules.hours is not None:
            for path, text in opening.contradictions(rules.hours):
                yield (
                    ("queues", name, "hours", *path),
                    f"{'.'.join(map(str, ('queues', name, 'hours', *path)))}: {text}",
                )
        yield from _after_talks(name, rules)
        yield from _recording(name, rules, config.languages)
    yield from _words(("not_ready_reasons",), config.not_ready_reasons)
    yield from _codes(config)
    yield from _queues_by_number(config)
    region = config.region
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        yield ("region",), f'region: "{region}" is no country code such as US or CO'
    for language in config.voices:
        if language not in config.languages:
            yield ("voices", language), f'voices.{language}: "{language}" is not among the languages'
    for index, address in enumerate(config.lookups.allow):
        try:
            parse_address(address)
        except BadAddress as wrong:
            yield ("lookups", "allow", index), f"lookups.allow.{index}: {address!r} {wrong}"
    pbx = config.pbx
    if pbx.rtp.first >= pbx.rtp.last:
        yield ("pbx", "rtp"), "pbx.rtp: first must be below last"
    if pbx.private and pbx.ami.tls:
        yield ("pbx", "ami", "tls"), "pbx.ami.tls: the private PBX is reached on this machine, without TLS"
    if pbx.tls is None and (pbx.sip.tls_port is not None or pbx.http.tls_port is not None):
        yield ("pbx",), "pbx.tls: needed, a TLS port is configured"
    for number, agent in config.agents.items():
        if agent.phone == "tls" and pbx.sip.tls_port is None:
            yield ("agents", number, "phone"), f"agents.{number}.phone: tls needs pbx.sip.tls_port"
        if agent.phone == "browser" and not pbx.http.enabled:
            yield ("agents", number, "phone"), f"agents.{number}.phone: browser needs pbx.http.enabled"
    if not pbx.private and pbx.ami.secret_file is None:
        yield ("pbx", "private"), "pbx.ami.secret_file: needed to drive a PBX of your own (private: false)"
    if pbx.private and pbx.ami.secret_file is not None:
        yield ("pbx", "ami", "secret_file"), "pbx.ami.secret_file: the private PBX's secret is generated"
