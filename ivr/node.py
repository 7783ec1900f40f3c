"""What every node of a flow has in common, and the words that its fields are made of.

Decides the shape of ids, durations and prompts in YAML. A verb (`ivr.verbs`) adds what is its own: one file a verb,
which holds its fields and what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

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
    PromptRef = str | dict[str, str]
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

    PromptRef = Annotated[
        Annotated[Text, Tag("<text>")] | Annotated[dict[Language, Text], Field(min_length=1), Tag("<by language>")],
        Discriminator(kind_of("<text>", "<by language>")),
        Field(description="a name from `prompts`, a text per language, or a text when the flow has one language"),
    ]


def is_amount(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= MOST_SECONDS


class Strict(BaseModel):
    """Unknown keys are refused, nothing changes after the load."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Node(Strict):
    """One step of a flow. Subclasses are the verbs."""

    verb: ClassVar[str]
    ends: ClassVar[bool] = False
    """Whether the flow ends here."""

    description: str = Field("", description="for people: what this node is for")
    tags: tuple[str, ...] = Field((), description="for people and reports")

    def targets(self) -> Iterator[tuple[Path, str]]:
        """Every node that can follow, and where in this node that is written."""
        return iter(())

    def prompts(self) -> Iterator[tuple[str, Path, str | dict[str, str]]]:
        """Every prompt: the slot that `Walk.say` is given, where it is written, and what is written."""
        return iter(())

    def spoken_in(self) -> str | None:
        """The language of this node's prompts when it is not the caller's."""
        return None

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

    def assigns(self) -> Iterator[tuple[Path, str, str]]:
        """Every variable that this node sets, and the value."""
        return iter(())

    def enter(self, walk: Walk) -> None:
        """The caller has come here. Must begin a wait, go on, or end."""
        raise NotImplementedError

    def take(self, walk: Walk, given: Input) -> None:
        """Something that this node waits for has happened. Stale prompts and timers never get here."""
