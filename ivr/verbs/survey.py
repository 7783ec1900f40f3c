"""`survey`: questions that are answered by a number: how content (1 to 5), recommended (0 to 10), how easy (1 to 7).

Every answer is sent on at once, so who hangs up in the middle has answered what they have answered. A question without
an answer is left out, never the rest of the survey. Of 0 to 10 only `1` can be the beginning of more: a short wait
tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from ivr.inputs import INPUT, OUTSIDE, Answered, Input, KeyTyped, PromptEnded, TimerFired
from ivr.node import Name, Node, NodeId, Path, PromptRef, Seconds, Strict, Wordings, slot_of
from ivr.requests import SurveyAnswer, SurveyType

if TYPE_CHECKING:
    from ivr.walk import Walk

QUESTION, INVALID, NO_INPUT = "question", "invalid", "no_input"
SCALES: Final[dict[SurveyType, tuple[int, int]]] = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}
END = "#"
"""Many press it although the answer is complete."""

KEEP_LIMIT_S = 3.0


class Question(Strict):
    """One question. `id` is what its answers are filed under."""

    id: Name
    type: SurveyType = Field(description="csat: 1 to 5, nps: 0 to 10, ces: 1 to 7")
    prompt: PromptRef


class Survey(Strict):
    """What is asked, one after the other."""

    name: Name = Field(description="what its answers are filed under")
    questions: Annotated[tuple[Question, ...], Field(min_length=1, max_length=9)]
    invalid: Wordings | None = Field(None, description="said after a key that is no answer, before the question again")
    no_input: Wordings | None = Field(None, description="said when no key came in time, before the question again")
    timeout: Annotated[Seconds, Field(ge=0.5, le=60)] = Field(5.0, description="how long to wait after a question")
    between: Annotated[Seconds, Field(ge=0.5, le=5)] = Field(1.5, description="whether a 1 becomes a 10")
    tries: Annotated[int, Field(ge=1, le=9)] = Field(2, description="how often a question is asked at most")
    bargein: bool = Field(True, description="whether a key cuts a question short")


class SurveyNode(Node):
    """Ask how it was."""

    verb: ClassVar[str] = "survey"
    waits: ClassVar[bool] = True

    survey: Survey
    next: NodeId

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next

    def prompts(self) -> Iterator[tuple[str, Path, PromptRef]]:
        for number, question in enumerate(self.survey.questions):
            yield slot_of(QUESTION, number), ("survey", "questions", number, "prompt"), question.prompt
        for slot in (INVALID, NO_INPUT):
            for number, ref in enumerate(getattr(self.survey, slot) or ()):
                yield slot_of(slot, number), ("survey", slot, number), ref

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        known: set[str] = set()
        for number, question in enumerate(self.survey.questions):
            if question.id in known:
                yield ("survey", "questions", number, "id"), f"{question.id!r} is the id of another question already"
            known.add(question.id)

    def enter(self, walk: Walk) -> None:
        self._ask(walk)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case KeyTyped(key=key) if key == END and self._has_just_answered(walk):
                pass
            case KeyTyped(key=key) if walk.stage == INPUT:
                walk.stop_listening()
                walk.typed += key
                self._take_typed(walk)
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=self.survey.bargein)
            case PromptEnded() if walk.typed:
                self._take_typed(walk)
            case PromptEnded(interrupted=True) if walk.stage.startswith(QUESTION):
                self._say_question(walk)  # cut short by a key that meant nothing: the caller has not heard it
            case PromptEnded() if walk.stage.startswith(QUESTION):
                walk.listen(NO_INPUT, self.survey.timeout)
            case PromptEnded():
                self._say_question(walk)
            case TimerFired() if walk.entered:
                self._answer(walk, int(walk.entered))
            case TimerFired():
                self._failed(walk, NO_INPUT)
            case Answered():  # one that could not be kept is no reason to keep the caller
                self._go_on(walk)
            case _:
                pass

    def _question(self, walk: Walk) -> Question:
        return self.survey.questions[walk.step_in_node]

    def _ask(self, walk: Walk) -> None:
        if walk.typed:
            self._take_typed(walk)
        else:
            self._say_question(walk)

    def _say_question(self, walk: Walk) -> None:
        walk.say(slot_of(QUESTION, walk.step_in_node), interruptible=self.survey.bargein)

    def _take_typed(self, walk: Walk) -> None:
        """Use up keys until there is an answer, or wait for the next one."""
        low, high = SCALES[self._question(walk).type]
        key = walk.next_typed()
        if walk.entered:  # a 1, and perhaps more of it
            if key == "0":
                self._complete(walk, 10)
                return
            if key != END:
                walk.typed = key + walk.typed  # it answers the next question
            self._answer(walk, int(walk.entered))
        elif not key.isdecimal() or not low <= int(key) <= high:
            walk.forget_typed()
            self._failed(walk, INVALID)
        elif key == "1" and high >= 10:
            walk.entered = key
            if walk.typed:
                self._take_typed(walk)
            else:
                walk.listen(NO_INPUT, self.survey.between)
        else:
            self._complete(walk, int(key))

    def _complete(self, walk: Walk, score: int) -> None:
        """No further key can belong to it, but for the one that many press then."""
        if walk.typed[:1] == END:
            walk.next_typed()
        elif walk.step_in_node == len(self.survey.questions) - 1:
            walk.swallow = END
        self._answer(walk, score)

    def _has_just_answered(self, walk: Walk) -> bool:
        """Whether this key can only belong to the answer before."""
        if walk.typed or walk.entered:
            return False
        first_asked = walk.stage.startswith(QUESTION) and walk.tries == 0 and walk.step_in_node > 0
        return walk.stage == OUTSIDE or first_asked

    def _answer(self, walk: Walk, score: int) -> None:
        walk.entered = ""
        question = self._question(walk)
        answer = SurveyAnswer(self.survey.name, question.id, question.type, score, walk.flow.name, walk.node)
        walk.ask(answer, KEEP_LIMIT_S)

    def _failed(self, walk: Walk, outcome: str) -> None:
        walk.tries += 1
        if walk.tries >= self.survey.tries:
            walk.note("survey.skipped", {"node": walk.node, "question": self._question(walk).id, "reason": outcome})
            self._go_on(walk)
            return
        slot = walk.wording_for(outcome, walk.tries - 1)
        if slot is None:
            self._say_question(walk)
        else:
            walk.say(slot, interruptible=self.survey.bargein)

    def _go_on(self, walk: Walk) -> None:
        walk.tries = 0
        walk.entered = ""
        walk.step_in_node += 1
        if walk.step_in_node < len(self.survey.questions):
            self._ask(walk)
        else:
            walk.go(self.next)
