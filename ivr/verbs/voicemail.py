"""`voicemail`: the caller leaves a message in a box, and may hear it and record it again before it is sent.

Whoever hangs up has left the message all the same, in its midst or while it is reviewed. `next` is entered when the
message is on record. Keys pressed while it is recorded mean nothing, but for the one that ends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from ivr.inputs import INPUT, OUTSIDE, Answered, Input, KeyTyped, PromptEnded, TimerFired
from ivr.node import Name, Node, NodeId, OwnTexts, Path, PromptRef, Seconds, Strict, kind_of, worded
from ivr.requests import OK, SHORT, KeepRequest, RecordRequest
from ivr.wording import Draft

if TYPE_CHECKING:
    from ivr.walk import Walk

PROMPT, REVIEW, TOO_SHORT, HEARING = "prompt", "review", "short", "hearing"
RECORDING, REVIEWING, KEEPING, GONE = range(4)
"""`step_in_node`."""

REVIEW_TIMEOUT_S = 8.0
SLACK_S = 20.0
"""What a recording may take longer than the message: the beep, a busy machine."""

KEEP_LIMIT_S = 5.0
GONE_LIMIT_S = 5.0
"""That the caller is gone is told right after the end of what they said."""

OWN_REVIEW = {
    "en": "To send your message, press 1. To hear it, press 2. To record it again, press 3.",
    "es": (
        "Para enviar su mensaje, oprima el uno. Para escucharlo, oprima el dos. Para grabarlo de nuevo, oprima el tres."
    ),
}
OWN_SHORT = {
    "en": "Nothing could be heard. Please leave your message after the tone.",
    "es": "No se escuchó nada. Por favor, deje su mensaje después del tono.",
}

if TYPE_CHECKING:
    EndKey = str
else:
    EndKey = worded(r"[0-9#*]|any|none", "the key that ends the message: 0 to 9, '#' or '*', any, or none")


class Unkept(Strict):
    """Where a caller goes who left no message, by why."""

    no_message: NodeId | None = Field(None, description="nothing was said, as often as it was asked for")
    failed: NodeId | None = Field(None, description="nothing can be recorded now")
    other: NodeId = Field(alias="else")

    def nodes(self) -> Iterator[tuple[str, str]]:
        for reason in ("no_message", "failed"):
            node = getattr(self, reason)
            if node is not None:
                yield reason, node
        yield "else", self.other


Otherwise = Annotated[
    Annotated[NodeId, Tag("<node>")] | Annotated[Unkept, Tag("<by reason>")],
    Discriminator(kind_of("<node>", "<by reason>")),
]

Review = Annotated[
    Annotated[bool, Tag("<own>")] | Annotated[PromptRef, Tag("<prompt>")],
    Discriminator(lambda given: "<own>" if given in (True, False) else "<prompt>"),
    BeforeValidator(
        lambda given: {"true": True, "false": False}.get(given, given) if isinstance(given, str) else given
    ),
]


class Voicemail(Strict):
    """Where the message goes, and how it is recorded."""

    box: Name = Field(description="whoever hears its messages lists them by this name")
    prompt: PromptRef | None = Field(None, description="said first; a key cuts it short")
    beep: bool = True
    max: Annotated[Seconds, Field(ge=1, le=600)] = Field(120.0, description="how long a message may be")
    min: Annotated[Seconds, Field(ge=0.1, le=30)] = Field(1.0, description="what is shorter than this is no message")
    silence: Annotated[Seconds, Field(ge=0, le=60)] = Field(
        5.0, description="so much silence ends the message, in whole seconds; 0s: none does"
    )
    end: EndKey = "#"
    review: Review = Field(
        False, description="whether the caller is asked before it is sent: true, or a prompt of your own"
    )
    short: PromptRef | None = Field(None, description="said when nothing was heard, in place of the system's own text")
    tries: Annotated[int, Field(ge=1, le=9)] = Field(3, description="how often the caller may say nothing")

    @property
    def end_keys(self) -> str:
        return {"any": "0123456789*#", "none": ""}.get(self.end, self.end)


class VoicemailNode(Node):
    """Let the caller leave a message."""

    verb: ClassVar[str] = "voicemail"
    waits: ClassVar[bool] = True

    voicemail: Voicemail
    next: NodeId
    otherwise: Otherwise

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next
        if isinstance(self.otherwise, Unkept):
            for reason, node in self.otherwise.nodes():
                yield ("otherwise", reason), f"otherwise.{reason}", node
        else:
            yield ("otherwise",), "otherwise", self.otherwise

    def prompts(self) -> Iterator[tuple[str, Path, PromptRef]]:
        wanted = self.voicemail
        if wanted.prompt is not None:
            yield PROMPT, ("voicemail", "prompt"), wanted.prompt
        if wanted.review is not False:
            review = OwnTexts(OWN_REVIEW) if isinstance(wanted.review, bool) else wanted.review
            yield REVIEW, ("voicemail", "review"), review
        short = wanted.short if wanted.short is not None else OwnTexts(OWN_SHORT)
        yield TOO_SHORT, ("voicemail", "short") if wanted.short is not None else ("voicemail",), short

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        if self.voicemail.min >= self.voicemail.max:
            yield ("voicemail", "min"), "no message can be as long as that"

    def enter(self, walk: Walk) -> None:
        if self.voicemail.prompt is not None and not walk.typed:
            walk.say(PROMPT, interruptible=True)
        else:
            self._record(walk)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case KeyTyped(key=key) if walk.stage == INPUT and walk.step_in_node == REVIEWING:
                walk.stop_listening()
                self._choose(walk, key)
            case KeyTyped() if walk.stage in {OUTSIDE, INPUT}:
                pass
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=True)
            case PromptEnded() if walk.stage in {PROMPT, TOO_SHORT}:
                self._record(walk)
            case PromptEnded() if walk.typed:
                self._choose(walk, walk.next_typed())
            case PromptEnded() if walk.stage == REVIEW:
                walk.listen(REVIEW, REVIEW_TIMEOUT_S)
            case PromptEnded():
                walk.say(REVIEW, interruptible=True)
            case TimerFired() if walk.step_in_node == GONE:
                self._keep(walk)
            case TimerFired():
                self._unsure(walk)
            case Answered() if walk.step_in_node == KEEPING:
                # One that could not be put on record in time will be; the caller need not wait for it.
                self._note(walk, "kept")
                walk.go(self.next)
            case Answered(outcome=outcome, values=values):
                self._recorded(walk, outcome, dict(values))
            case _:
                pass

    def _record(self, walk: Walk) -> None:
        walk.forget_typed()
        walk.step_in_node = RECORDING
        wanted = self.voicemail
        limit, silence = max(1, round(wanted.max)), round(wanted.silence)
        walk.ask(
            RecordRequest(
                wanted.box, walk.call.caller_number, limit, wanted.min, silence, wanted.end_keys, wanted.beep
            ),
            limit + SLACK_S,
        )

    def _recorded(self, walk: Walk, outcome: str, values: dict[str, object]) -> None:
        if outcome == OK:
            walk.entered = str(values.get("file", ""))
            self._note(walk, "hung_up" if values.get("ended") == "hangup" else "recorded")
            if values.get("ended") == "hangup":
                walk.step_in_node = GONE
                walk.listen("hung_up", GONE_LIMIT_S)
            else:
                self._review(walk)
        elif walk.entered:  # the one of before is still there
            self._note(walk, outcome)
            self._review(walk)
        elif outcome == SHORT:
            self._note(walk, SHORT)
            walk.tries += 1
            if walk.tries < self.voicemail.tries:
                walk.say(TOO_SHORT, interruptible=True)
            else:
                self._give_up(walk, "no_message")
        else:
            self._note(walk, "failed")
            self._give_up(walk, "failed")

    def _review(self, walk: Walk) -> None:
        walk.tries = 0
        walk.step_in_node = REVIEWING
        if self.voicemail.review is False:
            self._keep(walk)
        else:
            walk.say(REVIEW, interruptible=True)

    def _choose(self, walk: Walk, key: str) -> None:
        match key:
            case "1":  # send
                self._keep(walk)
            case "2":  # hear
                walk.say_own(HEARING, (Draft(walk.entered),), interruptible=True)
            case "3":  # record again
                self._record(walk)
            case _:
                walk.forget_typed()
                self._unsure(walk)

    def _unsure(self, walk: Walk) -> None:
        """No key, or one that means nothing. Nobody's message is lost for that."""
        walk.tries += 1
        if walk.tries < self.voicemail.tries:
            walk.say(REVIEW, interruptible=True)
        else:
            self._keep(walk)

    def _keep(self, walk: Walk) -> None:
        walk.step_in_node = KEEPING
        walk.ask(KeepRequest(), KEEP_LIMIT_S)

    def _give_up(self, walk: Walk, reason: Literal["no_message", "failed"]) -> None:
        if isinstance(self.otherwise, Unkept):
            nodes = dict(self.otherwise.nodes())
            label = reason if reason in nodes else "else"
            walk.go(nodes[label], f"otherwise.{label}")
        else:
            walk.go(self.otherwise, "otherwise")

    @staticmethod
    def _note(walk: Walk, outcome: str) -> None:
        walk.note("voicemail.outcome", {"node": walk.node, "outcome": outcome})
