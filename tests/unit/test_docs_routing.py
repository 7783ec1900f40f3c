"""Every example of docs/routing.md, played against the engine: a configuration, then what happens at which second."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from acd import facts as f
from acd.explain.explanation import explain
from acd.facts import OfferFailure
from acd.model import WaitingCaller
from acd.skills import Need, Requirement
from cordboard.config_loader import parse_config
from cordboard.site import agents_of, queues_of, rules_of
from ivr.handover import LEFT
from tests.fakes.engine_driver import EngineDriver
from tests.fakes.recorded_engine import record

DOC = Path(__file__).parents[2] / "docs" / "routing.md"
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", DOC.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


class Play:
    """One example. The agents are all logged out when it begins."""

    def __init__(self, text: str) -> None:
        configuration, _, steps = text.partition("steps:\n")
        config = parse_config("company: Example\n" + configuration)
        self.d = EngineDriver(*queues_of(config), rules=rules_of(config))
        self.log = record(self.d.engine, list(queues_of(config)), [])
        self.explained: list[str] = []
        for agent in agents_of(config):
            self.d.tell(f.AgentSet(agent))
        self.agents = list(config.agents)
        self.begin = self.d.now
        self.steps: list[str] = yaml.safe_load("steps:\n" + steps)["steps"]
        self.talks: dict[str, float] = {}  # call -> end
        self.away: dict[str, WaitingCaller] = {}  # left by a key

    def run(self) -> None:
        for step in self.steps:
            second, words = step.split(" ", 1)
            self._until(self.begin + float(second))
            self._do(words)

    def _until(self, at: float) -> None:
        while self.talks and min(self.talks.values()) <= at:
            call = min(self.talks, key=self.talks.__getitem__)
            self.d.pass_time(self.talks.pop(call) - self.d.now)
            self.d.end_talk(call)
        self.d.pass_time(at - self.d.now)

    def _do(self, words: str) -> None:  # noqa: PLR0915
        d = self.d
        match words.split():
            case [call, "joins", queue]:
                d.join(call, queue)
            case [call, "joins", queue, "preferring", agent, "for", seconds, "s"]:
                caller = WaitingCaller(call, queue, d.now, preferred=agent, preferred_s=float(seconds))
                d.tell(f.CallerJoined(caller))
            case [call, "joins", queue, "expecting", seconds, "s"]:
                d.tell(f.CallerJoined(WaitingCaller(call, queue, d.now), float(seconds)))
            case [call, "joins", queue, "with", seconds, "s", "head", "start"]:
                d.join(call, queue, float(seconds))
            case [call, "joins", queue, "asking", skill, level]:
                d.join(call, queue, requirement=Requirement((Need(skill, int(level)),)))
            case [call, "leaves", "by", "a", "key"]:
                caller = d.engine.caller(call)
                assert caller is not None
                self.away[call] = caller
                d.tell(f.CallerLeft(call, LEFT))
            case [call, "comes", "back", "to", queue]:
                assert self.away[call].queue == queue
                d.tell(f.CallerJoined(self.away.pop(call)))
            case [queue, "closes"]:
                d.tell(f.QueueClosed(queue, d.now))
            case ["everyone", "logs", "in"]:
                for agent in self.agents:
                    d.tell(f.AgentLoggedIn(agent))
            case [agent, "logs", "in"]:
                d.tell(f.AgentLoggedIn(agent))
            case [agent, "logs", "out"]:
                d.tell(f.AgentLoggedOut(agent))
            case [agent, "is", "ready"]:
                d.tell(f.AgentReady(agent))
            case [agent, "pauses"]:
                d.tell(f.AgentPaused(agent, ""))
            case [agent, "talks", "for", seconds, "s"]:
                call = d.ringing()[agent]
                d.talk(call, agent)
                self.talks[call] = d.now + float(seconds)
            case [agent, "does", "not", "answer"]:
                d.fail(d.ringing()[agent], OfferFailure.NO_ANSWER, agent)
            case ["nobody", "is", "offered", call]:
                assert call not in d.ringing().values(), words
                assert d.engine.position(call) is not None, f"{call} does not wait"
            case ["everyone", "is", "offered", call]:
                assert d.ringing() == dict.fromkeys(self.agents, call), words
            case [agent, "is", "offered", call]:
                assert d.ringing().get(agent) == call, (words, d.ringing())
            case [call, "is", "at", "position", position]:
                assert d.engine.position(call) == int(position), words
            case [call, "leaves", "as", reason]:
                assert d.released().get(call) == reason, (words, d.released())
            case _:
                self._rarely(words)

    def _rarely(self, words: str) -> None:
        d = self.d
        match words.split():
            case [call, "hangs", "up"]:
                d.tell(f.CallerLeft(call))
            case [agent, "phone", "is", "gone"]:
                d.tell(f.PhoneSeen(agent, reachable=False, busy=False))
            case [agent, "says", code]:
                d.tell(f.DispositionGiven(agent, code))
            case [agent, "extends", "the", "wrap-up", "by", seconds, "s"]:
                d.tell(f.WrapUpExtended(agent, float(seconds)))
            case ["explain", call]:
                self.explained.append(explain(call, self.log).text(lambda at: f"second {at - self.begin:g}"))
            case _:
                raise AssertionError(f"no step of an example: {words!r}")


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_example_is_what_happens(text: str) -> None:
    play = Play(text)
    play.run()
    for explanation in play.explained:
        assert f"```text\n{explanation}```" in DOC.read_text(encoding="utf-8")


def test_every_example_is_played() -> None:
    assert len(EXAMPLES) == DOC.read_text(encoding="utf-8").count("```yaml") >= 6
