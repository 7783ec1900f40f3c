"""What every node of a flow has in common, and the words that its fields are made of.

Decides the shape of ids, durations and prompts in YAML. A verb (`ivr.verbs`) adds what is its own: one file a verb,
which holds its fields and what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from ivr.values import Kind
from ivr.values import Value as AnyValue

if TYPE_CHECKING:
    from ivr.inputs import Input
    from ivr.walk import Walk

Path = tuple[str | int, ...]


def worded(pattern: str, expected: str, **schema: Any) -> Any:
    """A text type with a pattern whose violation is explained in the admin's words."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise PydanticCustomError("worded", "{text} is not {expected}", {"text": repr(text), "expected": expected})
        return text

    schema = {"type": "string", "pattern": f"^(?:{pattern})$", "description": expected, **schema}
    return Annotated[str, AfterValidator(check), WithJsonSchema(schema)]


def kind_of(text: str, mapping: str) -> Callable[[Any], str]:
    """Which of two alternatives is meant, by their tags: what is written as a mapping, or as a text."""
    return lambda given: mapping if isinstance(given, (dict, BaseModel)) else text


NAME_PATTERN = r"[a-z][a-z0-9_-]{0,39}"
FILE_PATTERN = r"(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/){0,4}[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.ya?ml"
MAX_INCLUDES = 50
SOUND_PATTERN = r"[a-z0-9][a-z0-9_-]{0,59}"
SOUND_RULE = "a sound's name: small letters, digits, - and _, at most 60, without an ending such as .wav"
MOST_SECONDS = 86_400
MAX_SHOWN = 200
VARIABLE = re.compile(r"\{([a-z][a-z0-9_]{0,15})\}")
"""A whole value that stands for a variable."""

if TYPE_CHECKING:
    NodeId = str
    Name = str
    FileName = str
    QueueName = str
    Language = str
    Number = str
    Key = str
    VariableName = str
    Value = str
    AgentRef = str
    Amount = str
    Shown = str
    Text = str
    Seconds = float
    Expression = str
    ServiceName = str
    SoundName = str
    Phrase = str
else:
    NodeId = worded(NAME_PATTERN, "a node's name: small letters, digits, - and _, at most 40")
    Name = worded(NAME_PATTERN, "a name: small letters, digits, - and _, at most 40")
    FileName = worded(FILE_PATTERN, "a file of the dialplans' folder such as shared/prompts.yaml")
    QueueName = worded(NAME_PATTERN, "a queue's name: small letters, digits, - and _, at most 40")
    Language = worded(r"[a-z]{2,3}", "a language code such as en or es")
    Number = worded(r"\+?[0-9*#]{1,24}", "a number that can be dialled: digits, * and #, perhaps a + before them")
    Key = worded(r"[0-9*#]", "a key of the phone: 0 to 9, * or #")
    VariableName = worded(r"[a-z][a-z0-9_]{0,15}", "a variable's name: small letters, digits and _, at most 16")
    Value = worded(r"[^\x00-\x1f\x7f]{0,32}", "a value of at most 32 characters")
    AgentRef = worded(r"[0-9]{2,10}|last|\{[a-z][a-z0-9_]{0,15}\}", "an agent's number, a {variable}, or last")

    def _amount(given: Any) -> str:
        text = str(given)
        if not VARIABLE.fullmatch(text) and not is_amount(text):
            raise PydanticCustomError(
                "worded", "{given} is not a number of seconds (0 to 86400) or a {variable}", {"given": repr(text)}
            )
        return text

    Amount = Annotated[
        str,
        BeforeValidator(_amount),
        WithJsonSchema({"type": ["integer", "string"], "description": "seconds, 0 to 86400, or a {variable}"}),
    ]

    def _shown(text: str) -> str:
        if len(text) > MAX_SHOWN:
            raise PydanticCustomError("worded", "a text of more than 200 characters")
        return text

    Shown = Annotated[str, AfterValidator(_shown)]

    def _text(text: str) -> str:
        text = " ".join(text.split())
        if not text:
            raise PydanticCustomError("worded", "an empty text")
        if len(text) > 1000:
            raise PydanticCustomError("worded", "a text of more than 1000 characters: nobody listens that long")
        return text

    Text = Annotated[str, AfterValidator(_text)]

    _DURATION = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*(ms|s|m)")
    _UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0}

    def _seconds(given: Any) -> float:
        found = _DURATION.fullmatch(given) if isinstance(given, str) else None
        if found is None:
            raise PydanticCustomError(
                "worded", "{given} is not a duration such as 5s, 500ms or 2m", {"given": repr(given)}
            )
        return float(found[1]) * _UNIT[found[2]]

    Seconds = Annotated[
        float,
        BeforeValidator(_seconds),
        WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*(ms|s|m)$", "examples": ["5s", "500ms"]}),
    ]

    def _expression(text: str) -> str:
        if not text.strip():
            raise PydanticCustomError("worded", "an empty expression")
        return text.strip()

    Expression = Annotated[str, AfterValidator(_expression)]
    Phrase = worded(r"[^\W_][\w' -]{0,59}", "a phrase: words, at most 60 characters")
    SoundName = worded(SOUND_PATTERN, SOUND_RULE)
    ServiceName = worded(NAME_PATTERN, "a service's name: small letters, digits, - and _, at most 40")


def is_amount(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= MOST_SECONDS


class Strict(BaseModel):
    """Unknown keys are refused, nothing changes after the load."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SoundRef(Strict):
    """A sound file of the admin's, under recordings/prompts/own."""

    file: SoundName


class SilenceRef(Strict):
    """Nothing to hear, for so long."""

    silence: Annotated[Seconds, Field(gt=0, le=10)]


def _part_of_prompt(given: Any) -> str:
    if isinstance(given, BaseModel):
        return "<file>" if isinstance(given, SoundRef) else "<silence>"
    if isinstance(given, dict):
        return "<file>" if "file" in given else "<silence>" if "silence" in given else "<by language>"
    return "<text>"


_ByLanguage = Annotated[dict[Language, Text], Field(min_length=1)]
_PromptPart = Annotated[
    Annotated[Text, Tag("<text>")]
    | Annotated[_ByLanguage, Tag("<by language>")]
    | Annotated[SoundRef, Tag("<file>")]
    | Annotated[SilenceRef, Tag("<silence>")],
    Discriminator(_part_of_prompt),
]


def _whole_prompt(given: Any) -> str:
    return "<sequence>" if isinstance(given, (list, tuple)) else _part_of_prompt(given)


PromptPart = str | dict[str, str] | SoundRef | SilenceRef

if TYPE_CHECKING:
    PromptRef = PromptPart | tuple[PromptPart, ...]
    Wordings = tuple[PromptRef, ...]
else:
    PromptRef = Annotated[
        Annotated[Text, Tag("<text>")]
        | Annotated[_ByLanguage, Tag("<by language>")]
        | Annotated[SoundRef, Tag("<file>")]
        | Annotated[SilenceRef, Tag("<silence>")]
        | Annotated[tuple[_PromptPart, ...], Field(min_length=1, max_length=20), Tag("<sequence>")],
        Discriminator(_whole_prompt),
        Field(
            description="a name from `prompts`, a text per language, a text when the flow has one language, "
            "{file: NAME}, {silence: 300ms}, or a list of these, one after another"
        ),
    ]

    def _wordings(given: Any) -> Any:
        return tuple(given) if isinstance(given, (list, tuple)) else (given,)

    Wordings = Annotated[
        tuple[PromptRef, ...],
        BeforeValidator(_wordings, json_schema_input_type=PromptRef | tuple[PromptRef, ...]),
        Field(min_length=1, max_length=9, description="a prompt, or a list: another wording each time"),
    ]


def slot_of(slot: str, number: int) -> str:
    """The slot of the wording of this number, from 0, of a prompt with several."""
    return slot if number == 0 else f"{slot}.{number + 1}"


class OwnTexts(dict[str, str]):
    """A text of the system itself, by language: a flow takes those of the languages that it speaks."""


class Use(StrEnum):
    """What a node does with a variable that it reads."""

    SPOKEN = "spoken"
    SCREEN = "screen"  # shown to people
    EXPRESSION = "expression"
    URL = "url"
    HEADER = "header"
    BODY = "body"
    NUMBER = "number"  # dialled, or stored as a number to dial
    SECONDS = "seconds"
    AGENT = "agent"
    PASSED = "passed"  # to another flow


@dataclass(frozen=True, slots=True)
class Read:
    """A variable that a node reads: where that is written, and what becomes of it."""

    path: Path
    name: str
    use: Use


@dataclass(frozen=True, slots=True)
class Sets:
    """A variable that a node sets. `kind` None: that of the expression `expr`. `values`: all that it can be, if known.

    `secret`: it reaches nothing but a step that may use it.
    """

    path: Path
    name: str
    kind: Kind | None
    values: frozenset[str] | None = None
    secret: bool = False
    expr: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """An expression in a node. `condition`: it must be true or false."""

    path: Path
    text: str
    condition: bool


class Node(Strict):
    """One step of a flow. Subclasses are the verbs."""

    verb: ClassVar[str]
    ends: ClassVar[bool] = False
    """Whether the flow ends here."""

    waits: ClassVar[bool] = False
    """Whether time passes here: a circle through such a node is not endless at once."""

    needs_caller: ClassVar[bool] = True
    """Whether this makes no sense when the caller has hung up."""

    description: str = Field("", description="for people: what this node is for")
    tags: tuple[str, ...] = Field((), description="for people and reports")

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        """Every way on: where it is written, its label (unique in the node), and the node that follows."""
        return iter(())

    def targets(self) -> Iterator[tuple[Path, str]]:
        """Every node that can follow, and where in this node that is written."""
        return ((path, target) for path, _, target in self.branches())

    def prompts(self) -> Iterator[tuple[str, Path, PromptRef]]:
        """Every prompt: the slot that `Walk.say` is given, where it is written, and what is written."""
        return iter(())

    def own_texts(self, language: str) -> Iterator[str]:
        """What the system itself says in this node, whatever the flow's prompts."""
        return iter(())

    def spoken_in(self) -> str | None:
        """The language of this node's prompts when it is not the caller's."""
        return None

    def reads(self) -> Iterator[Read]:
        """Every variable that this node reads, but for those in its prompts and expressions."""
        return iter(())

    def sets(self) -> Iterator[Sets]:
        """Every variable that this node sets."""
        return iter(())

    def expressions(self) -> Iterator[Written]:
        """Every expression of this node."""
        return iter(())

    def flows(self) -> Iterator[tuple[Path, str]]:
        """Every other flow that this node leads into."""
        return iter(())

    def calls(self) -> str:
        """The flow that this node leads into and waits for, "" when it waits for none."""
        return ""

    def hours(self) -> Iterator[tuple[Path, str]]:
        """Every set of opening hours that this node names."""
        return iter(())

    def services(self) -> Iterator[tuple[Path, str]]:
        """Every service that this node asks."""
        return iter(())

    def dials(self) -> Iterator[tuple[Path, str]]:
        """Every agent's or telephone number that this node rings, perhaps with a {variable} in it."""
        return iter(())

    def switches(self) -> Iterator[tuple[Path, str]]:
        """Every switch that this node looks at."""
        return iter(())

    def queues(self) -> Iterator[tuple[Path, str]]:
        """Every queue that this node names."""
        return iter(())

    def skills(self) -> Iterator[tuple[Path, str, int]]:
        """Every skill that this node asks for, and at which level."""
        return iter(())

    def agents(self) -> Iterator[tuple[Path, str]]:
        """Every agent that this node names: a number, a variable in braces, or `last`."""
        return iter(())

    def amounts(self) -> Iterator[tuple[Path, str]]:
        """Every number of seconds that may be a variable in braces."""
        return iter(())

    def shown(self) -> Iterator[tuple[Path, str]]:
        """Every text for people's screens; variables may stand in it."""
        return iter(())

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        """What is wrong between values of this node that are each right."""
        return iter(())

    def enter(self, walk: Walk) -> None:
        """The caller has come here. Must begin a wait, go on, or end."""
        raise NotImplementedError

    def take(self, walk: Walk, given: Input) -> None:
        """Something that this node waits for has happened. Stale prompts and timers never get here."""

    def hung_up(self, walk: Walk) -> None:
        """The caller is gone: nothing of what they have not ended may stay."""

    def returned(self, walk: Walk, values: dict[str, AnyValue]) -> None:
        """A flow that this node called has returned these values."""
        raise NotImplementedError
