"""`ask`: a question that is answered by several keys: digits, a number, an amount, a date, yes or no.

A key counts whenever it is pressed, as in a menu. The answer is complete at its full length, at the `end` key, or when
no further key comes for `between`. `*` takes back what was typed (in an amount it is the decimal point). The answer may
be read back and confirmed. What a secure question collects is kept apart (`Walk.assign_secret`) and never read back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from ivr.answers import DateFormat, Day, NoLimit, amount, day, day_limit, epoch, luhn, number_limit, today
from ivr.conditions.patterns import is_whole, pattern_fault
from ivr.inputs import INPUT, Input, KeyTyped, PromptEnded, TimerFired
from ivr.node import (
    Node,
    NodeId,
    OwnTexts,
    Path,
    PromptRef,
    Seconds,
    Sets,
    Strict,
    VariableName,
    Wordings,
    kind_of,
    slot_of,
    worded,
)
from ivr.otherwise import Reasons, go, ways
from ivr.values import Kind, Value

if TYPE_CHECKING:
    from ivr.walk import Walk

PROMPT, INVALID, NO_INPUT, CONFIRM = "prompt", "invalid", "no_input", "confirm"
ASKING, CONFIRMING = 0, 1

MOST_OF_NUMBER = 15
"""Digits of a number that every step can work with."""

_DIGITS = re.compile(r"[0-9]+")
"""Phones can also send A to D, and any key when none ends the answer."""

AskType = Literal["digits", "number", "date", "amount", "yes_no"]
_KINDS: dict[AskType, Kind] = {
    "digits": Kind.DIGITS,
    "number": Kind.NUMBER,
    "date": Kind.DATE,
    "amount": Kind.AMOUNT,
    "yes_no": Kind.YES_NO,
}
_LENGTHS: dict[AskType, tuple[int, int]] = {"digits": (1, 32), "number": (1, 9), "amount": (1, 12), "yes_no": (1, 1)}

OWN_CONFIRM = {
    "en": "You entered {%s}. If that is right, press 1. To enter it again, press 2.",
    "es": "Usted marcó {%s}. Si es correcto, oprima el uno. Para volver a marcarlo, oprima el dos.",
}

if TYPE_CHECKING:
    Length = tuple[int, int]
    Pattern = str
    EndKey = str
else:

    def _length(given: object) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", str(given))
        bounds = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= bounds[0] <= bounds[1] <= 40:
            raise PydanticCustomError("worded", "{given} is no length such as 8 or 4-12", {"given": repr(given)})
        return bounds

    Length = Annotated[
        tuple[int, int],
        BeforeValidator(_length, json_schema_input_type=str | int),
    ]

    def _pattern(text: str) -> str:
        # Digits only, one class or digit after another.
        if not re.fullmatch(r"(?:(?:\d|\\d|\[[\d-]{1,20}\])(?:\{\d{1,2}(?:,\d{1,2})?\}|\?)?|\||\(|\))+", text):
            raise PydanticCustomError("worded", "a pattern is made of digits, [..], {{n,m}}, ?, | and ( )")
        if fault := pattern_fault(text):
            raise PydanticCustomError("worded", "{text}: {why}", {"text": repr(text), "why": fault})
        return text

    Pattern = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_pattern)]
    EndKey = worded(r"[#*]|none", "the key that ends the answer: '#', '*', or none")


def _yes_means_own(given: object) -> object:
    return True if given is True or given == "true" else given


class NoAnswerBy(Reasons):
    """Where a caller goes who did not answer, by why."""

    no_input: NodeId | None = Field(None, description="the last try brought no key")
    no_match: NodeId | None = Field(None, description="the last try was not a possible answer")


NoAnswer = Annotated[
    Annotated[NodeId, Tag("<node>")] | Annotated[NoAnswerBy, Tag("<by reason>")],
    Discriminator(kind_of("<node>", "<by reason>")),
]

Confirm = Annotated[
    Annotated[Literal[True], Tag("<own>")] | Annotated[PromptRef, Tag("<prompt>")],
    Discriminator(lambda given: "<own>" if given is True or given == "true" else "<prompt>"),
    BeforeValidator(_yes_means_own),
]


class Ask(Strict):
    """What is asked, and which answers count."""

    type: AskType
    prompt: Wordings
    save: VariableName = Field(description="the variable that keeps the answer")
    length: Length | None = Field(None, description="how many keys: 8, or 4-12")
    end: EndKey = Field("#", description="the key that ends the answer before its full length, or none")
    pattern: Pattern | None = Field(None, description="a regular expression that the digits must match as a whole")
    check: Literal["luhn"] | None = Field(None, description="the check digit of card numbers")
    min: str | None = Field(None, description="the least number, amount or day (2026-12-24, today, today+30d)")
    max: str | None = Field(None, description="the greatest")
    format: DateFormat = Field("ddmmyyyy", description="how a date is typed")
    confirm: Confirm | None = Field(None, description="read the answer back: true, or a prompt of your own")
    invalid: Wordings | None = Field(None, description="said after an answer that does not count")
    no_input: Wordings | None = Field(None, description="said when no key came in time")
    timeout: Annotated[Seconds, Field(ge=0.5, le=60)] = Field(6.0, description="how long to wait for the first key")
    between: Annotated[Seconds, Field(ge=0.5, le=30)] = Field(4.0, description="how long to wait for a further key")
    tries: Annotated[int, Field(ge=1, le=9)] = Field(3, description="how often the caller may fail")
    secure: bool = Field(False, description="the answer reaches nothing but the step that uses it")
    bargein: bool = Field(True, description="whether a key cuts the prompts short")

    @property
    def kind(self) -> Kind:
        return _KINDS[self.type]

    @property
    def bounds(self) -> tuple[int, int]:
        if self.type == "date":
            return len(self.format), len(self.format)
        return self.length or _LENGTHS[self.type]

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        for key, fits in (
            ("length", self.type in {"digits", "number"}),
            ("pattern", self.type == "digits"),
            ("check", self.type == "digits"),
            ("min", self.type in {"number", "amount", "date"}),
            ("max", self.type in {"number", "amount", "date"}),
            ("format", self.type == "date"),
        ):
            if key in self.model_fields_set and not fits:
                yield (key,), f"{key!r} says nothing about an answer of the type {self.type!r}"
        if self.type == "number" and self.length is not None and self.length[1] > MOST_OF_NUMBER:
            yield ("length",), f"a number has at most {MOST_OF_NUMBER} digits; what is longer is of the type 'digits'"
        if self.secure and self.confirm is not None:
            yield ("confirm",), "a secure answer is never read back"
        if self.secure and self.type != "digits":
            yield ("secure",), "only digits can be secure"
        if self.type == "amount" and self.end == "*":
            yield ("end",), "* is the decimal point of an amount"
        try:
            self._limits(epoch())
        except NoLimit as error:
            yield ("min" if self.min is not None and repr(self.min) in str(error) else "max",), str(error)

    def _limits(self, on: Day) -> tuple[float | None, float | None]:
        def limit(text: str | None) -> float | None:
            if text is None:
                return None
            return float(day_limit(text, on).toordinal()) if self.type == "date" else number_limit(text)

        return limit(self.min), limit(self.max)

    def answer(self, typed: str, on: Day) -> Value | None:
        """The value of what was typed; None when it does not count."""
        least, most = self.bounds
        if not least <= len(typed) <= most or not _DIGITS.fullmatch(
            typed.replace("*", "") if self.type == "amount" else typed
        ):
            return None
        low, high = self._limits(on)
        measure: float | None = None
        value: Value
        match self.type:
            case "date":
                found = day(typed, self.format, on)
                if found is None:
                    return None
                value, measure = found.isoformat(), float(found.toordinal())
            case "amount":
                money = amount(typed)
                if money is None:
                    return None
                value = measure = money
            case "number":
                value = int(typed)
                measure = float(value)
            case "yes_no":
                if typed not in "12":
                    return None
                value = typed == "1"
            case _:
                if (self.pattern and not is_whole(self.pattern, typed)) or (self.check and not luhn(typed)):
                    return None
                value = typed
        if measure is not None and ((low is not None and measure < low) or (high is not None and measure > high)):
            return None
        return value


class AskNode(Node):
    """Ask for digits, a number, an amount, a date, or yes or no (1 or 2)."""

    verb: ClassVar[str] = "ask"
    waits: ClassVar[bool] = True

    ask: Ask
    next: NodeId
    otherwise: NoAnswer

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next
        yield from ways(self.otherwise)

    def prompts(self) -> Iterator[tuple[str, Path, PromptRef]]:
        for slot in (PROMPT, INVALID, NO_INPUT):
            for number, ref in enumerate(getattr(self.ask, slot) or ()):
                yield slot_of(slot, number), ("ask", slot, number), ref
        if self.ask.confirm is True:
            yield (
                CONFIRM,
                ("ask", "confirm"),
                OwnTexts({language: text % self.ask.save for language, text in OWN_CONFIRM.items()}),
            )
        elif self.ask.confirm is not None:
            yield CONFIRM, ("ask", "confirm"), self.ask.confirm

    def sets(self) -> Iterator[Sets]:
        yield Sets(("ask", "save"), self.ask.save, self.ask.kind, secret=self.ask.secure)

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        for path, text in self.ask.contradictions():
            yield ("ask", *path), text

    def enter(self, walk: Walk) -> None:
        if self.ask.secure:
            walk.secure(True)
        if walk.typed:
            self._take_typed(walk)
        else:
            self._say(walk, PROMPT, 0)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case KeyTyped(key=key) if walk.stage == INPUT:
                walk.stop_listening()
                walk.typed += key
                self._take_typed(walk)
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=self.ask.bargein)
            case PromptEnded() if walk.typed:
                self._take_typed(walk)
            case PromptEnded() if walk.stage.startswith((INVALID, NO_INPUT)):
                self._say(walk, PROMPT, walk.tries)
            case PromptEnded():
                walk.listen(NO_INPUT, self.ask.timeout)
            case TimerFired() if walk.entered and walk.step_in_node == ASKING:
                self._judge(walk)
            case TimerFired():
                self._failed(walk, NO_INPUT)
            case _:
                pass

    def hung_up(self, walk: Walk) -> None:
        """What nobody confirmed is no answer."""
        if walk.step_in_node == CONFIRMING:
            walk.assign(self.ask.save, walk.flow.empty(self.ask.save))

    def _say(self, walk: Walk, slot: str, number: int) -> None:
        wording = walk.wording_for(slot, number)
        walk.say(wording or PROMPT, interruptible=self.ask.bargein)

    def _take_typed(self, walk: Walk) -> None:
        """Use up keys until the answer is complete, or wait for the next one."""
        while walk.typed and walk.target is None:
            key = walk.next_typed()
            if walk.step_in_node == CONFIRMING:
                self._confirmed(walk, key)
                return
            if key == self.ask.end:
                self._judge(walk)
                return
            if key == "*" and self.ask.type != "amount":
                walk.entered = ""
                continue
            walk.entered += key
            if len(walk.entered) >= self.ask.bounds[1]:
                if walk.typed[:1] == self.ask.end:
                    walk.next_typed()
                else:
                    walk.swallow = self.ask.end  # many press it although the answer is complete
                self._judge(walk)
                return
        walk.listen(NO_INPUT, self.ask.between if walk.entered else self.ask.timeout)

    def _judge(self, walk: Walk) -> None:
        typed, walk.entered = walk.entered, ""
        value = self.ask.answer(typed, today(walk.around.now(), walk.flow.zone))
        if value is None:
            walk.forget_typed()
            self._failed(walk, NO_INPUT if not typed else INVALID)
        elif self.ask.secure:
            walk.assign_secret(self.ask.save, value)
            self._matched(walk)
        else:
            walk.assign(self.ask.save, value)
            if self.ask.confirm is None:
                self._matched(walk)
            else:
                walk.step_in_node = CONFIRMING
                walk.say(CONFIRM, interruptible=self.ask.bargein)

    def _confirmed(self, walk: Walk, key: str) -> None:
        if key == "1":
            self._matched(walk)
        elif key == "2":
            walk.assign(self.ask.save, walk.flow.empty(self.ask.save))
            walk.step_in_node = ASKING
            if not self._may_try(walk, INVALID):
                return
            if walk.typed:
                self._take_typed(walk)
            else:
                self._say(walk, PROMPT, walk.tries)
        else:
            walk.forget_typed()
            if self._may_try(walk, INVALID):
                walk.say(CONFIRM, interruptible=self.ask.bargein)

    def _matched(self, walk: Walk) -> None:
        self._note(walk, "match")
        walk.go(self.next)

    def _failed(self, walk: Walk, outcome: str) -> None:
        if not self._may_try(walk, outcome):
            return
        if walk.step_in_node == CONFIRMING:
            walk.say(CONFIRM, interruptible=self.ask.bargein)
        else:
            self._say(
                walk, outcome if walk.has(outcome) else PROMPT, walk.tries - 1 if walk.has(outcome) else walk.tries
            )

    def _may_try(self, walk: Walk, outcome: str) -> bool:
        """Count a failure; False when it was the last, and the flow goes `otherwise`."""
        self._note(walk, outcome)
        walk.tries += 1
        if walk.tries < self.ask.tries:
            return True
        self._note(walk, "too_many")
        self.hung_up(walk)
        reason = NO_INPUT if outcome == NO_INPUT else "no_match"
        go(walk, self.otherwise, reason)
        return False

    @staticmethod
    def _note(walk: Walk, outcome: str) -> None:
        walk.note("ask.outcome", {"node": walk.node, "outcome": outcome})
