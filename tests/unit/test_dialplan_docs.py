"""Every example in the documentation is a dialplan that loads, and callers who do anything at all come through it."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from ivr.dialplans import Dialplans
from ivr.flow import Flow
from ivr.inputs import CallFacts
from ivr.loader import load_files
from ivr.rehearsal.coverage import Coverage
from ivr.rehearsal.happenings import Broke
from ivr.rehearsal.rehearsal import Awaits, Rehearsal
from ivr.requests import OK, What
from ivr.values import Kind, Value
from ivr.verbs.ask import AskNode
from ivr.verbs.customer import KNOWN, CustomerNode
from ivr.verbs.menu import MenuNode

DOCS = Path(__file__).parents[2] / "docs" / "dialplan.md"
SECTIONS = {
    section.splitlines()[0]: found
    for section in re.split(r"^## ", DOCS.read_text(), flags=re.MULTILINE)
    if (found := re.findall(r"^```yaml\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL))
}
"""What stands under one heading is one folder. A block may name its file in its first line: `# shared/hours.yaml`."""

FILE = re.compile(r"# ([a-z0-9/._-]+\.yaml)\n")
CALLERS = 150
MOST_ACTS = 60
WEEK_S = 7 * 86_400
QUEUE_RESULTS = ("talked", "timeout", "full", "too_long", "empty", "closed", "unavailable")
KEYED = {"amount": "12", "number": "42", "yes_no": "1"}
VALUES: dict[Kind, tuple[Value, ...]] = {
    Kind.TEXT: ("gold", "es", ""),
    Kind.DIGITS: ("1234", ""),
    Kind.NUMBER: (0, 42),
    Kind.AMOUNT: (0.0, 99.5),
    Kind.DATE: ("2026-12-24",),
    Kind.TIME: ("17:59",),
    Kind.DURATION: (90,),
    Kind.YES_NO: (True, False),
}


@cache
def loaded(section: str) -> Dialplans:
    files: dict[str, bytes] = {}
    for number, text in enumerate(SECTIONS[section]):
        named = FILE.match(text)
        files[named[1] if named else f"example-{number}.yaml"] = text.encode()
    return load_files(files, {"sales", "support"})


@pytest.mark.parametrize("section", SECTIONS)
def test_the_examples_load(section: str) -> None:
    dialplans = loaded(section)
    assert dialplans.warnings == ()
    assert len(dialplans) > 0


@pytest.mark.parametrize("section", SECTIONS)
def test_callers_come_through_the_examples(section: str) -> None:
    """Nobody is stuck, nothing breaks, and somebody comes to every node."""
    dialplans, coverage = loaded(section), Coverage()
    for flow in dialplans:
        for seed in range(CALLERS if flow.numbers else 0):
            coverage.add(walked(flow, dialplans, random.Random(seed)).happenings)
    report = coverage.of(dialplans)
    assert [one.node for one in report.unreached if not one.label] == []


def walked(flow: Flow, dialplans: Dialplans, lots: random.Random) -> Rehearsal:
    flows = {one.name: one for one in dialplans}
    switches = [name for node in flow.nodes.values() for _, name in node.switches() if lots.random() < 0.5]

    def answer(name: str, node: str, _what: What) -> tuple[str, tuple[tuple[str, Value], ...]]:
        here = flows[name].nodes[node]
        if lots.random() < 0.3:
            return lots.choice([label for _, label, _ in here.branches()]), ()
        sets = [(one.name, one.kind or Kind.TEXT) for one in here.sets()]
        if isinstance(here, CustomerNode):
            sets = [(known, Kind.TEXT) for known in KNOWN]
        return OK, tuple((variable, lots.choice(VALUES[kind])) for variable, kind in sets)

    at = 1_767_621_600.0 + lots.random() * WEEK_S
    facts = CallFacts("+15550142", "Ada", flow.numbers[0], f"call-{lots.random()}")
    call = Rehearsal(flow, facts, at, switches, answer)
    shyness = lots.choice([0.1, 0.1, 0.9])
    call.begin()
    for _ in range(MOST_ACTS):
        match call.awaits:
            case Awaits.NOTHING:
                break
            case Awaits.QUEUE:
                assert call.handover is not None
                if call.handover.keys and lots.random() < 0.3:
                    call.press(lots.choice(call.handover.keys))
                else:
                    call.leave_queue(lots.choice(QUEUE_RESULTS))
            case Awaits.KEY:
                at_key(call, lots, shyness)
            case _ if lots.random() < 0.02:
                call.hang_up()
            case _:
                call.listen()
    else:
        call.hang_up()
    assert call.awaits is Awaits.NOTHING
    assert not [one for one in call.happenings if isinstance(one, Broke)]
    return call


def at_key(call: Rehearsal, lots: random.Random, shyness: float) -> None:
    node = call.flow.nodes[call.position.node]
    if lots.random() < shyness:
        call.stay_silent()
    elif lots.random() < 0.1:
        call.press(lots.choice("0123456789*#"))
    elif isinstance(node, MenuNode):
        call.press(lots.choice(list(node.menu.keys)))
    elif isinstance(node, AskNode) and not call.position.step:
        typed(call, node)
    else:
        call.press(lots.choice("12"))


def typed(call: Rehearsal, node: AskNode) -> None:
    most = node.ask.bounds[1]
    soon = datetime.fromtimestamp(call.now(), UTC) + timedelta(days=3)
    dates = {"d": f"{soon:%d}", "m": f"{soon:%m}", "y": f"{soon:%Y}"}
    keyed = KEYED | {"date": "".join(dates[part[0]] for part in re.findall(r"d+|m+|y+", node.ask.format))}
    digits = keyed.get(node.ask.type, "4111111111111111"[: max(node.ask.bounds[0], 6)])[:most]
    for key in digits if len(digits) == most else f"{digits}#":
        if call.awaits is Awaits.KEY:
            call.press(key)


def test_there_are_examples() -> None:
    assert len(SECTIONS) > 3
