"""The documentation of dialplans is true: every flow in it loads and is walked by callers who do anything at all, every
case is played, every command whose output is shown says just that, and nothing is found against any of it."""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import soundfile
import typer
import yaml
from pydantic import TypeAdapter
from typer.testing import CliRunner

from cordboard import dialplan_cli, publish_cli, rehearsal_cli
from cordboard.cli import app
from cordboard.cli_tools import config_of
from ivr.dialplans import Dialplans
from ivr.flow import Flow
from ivr.folder import read_folder
from ivr.inputs import CallFacts
from ivr.known import Known
from ivr.loader import judge_files, load_folder
from ivr.rehearsal.answers import Written
from ivr.rehearsal.case_files import play_folder
from ivr.rehearsal.coverage import Coverage
from ivr.rehearsal.happenings import Broke
from ivr.rehearsal.rehearsal import Awaits, Rehearsal
from ivr.requests import OK, What
from ivr.values import Kind, Value
from ivr.verbs.ask import AskNode
from ivr.verbs.customer import KNOWN, CustomerNode
from ivr.verbs.menu import MenuNode

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("dialplan*.md"))
ONE_FOLDER = {"dialplan-tools.md"}
"""Documents that are about one folder from the first line to the last. Else a folder is what stands under one `##`."""

BLOCK = re.compile(r"^```(yaml|yml|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# ([a-z0-9/._-]+\.yaml)\n")
SITE: dict[str, Any] = {
    "lookups": {"allow": ["https://billing.example.com"]},
    "secrets": {"BILLING": "/etc/cordboard/billing.secret"},
    "transfers": {"prefixes": ["+1"]},
}
SKILLS = {"spanish": 3, "bikes": 2}
SOUNDS = ("jingle",)
TOLD = {"dialplan: Languages without a translation": ("missing-translation",)}
"""What the document itself says is found there."""


@dataclass
class Folder:
    """`flows` with the parts that they include, `tests`, `answers` for the simulator: text by file name. `sessions` are
    what is typed in a terminal, and what it shows."""

    flows: dict[str, str] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)

    def add(self, language: str, text: str) -> None:
        if language == "console":
            self.sessions.append(text)
            return
        named = NAMED.match(text)
        name = named[1] if named else f"example-{len(self.flows)}.yaml"
        if language == "yaml":
            self.flows[name] = text
        else:
            assert named, f"a block of yml begins with the name of its file: {text[:60]!r}"
            (self.tests if name.endswith(".test.yaml") else self.answers)[name] = text

    def write(self, root: Path) -> None:
        """As a site has it, with its configuration: that of the demo company, and a little more."""
        for name, text in {**self.flows, **self.tests}.items():
            file = root / "dialplans" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        for name, text in self.answers.items():
            (root / name).write_text(text)
        config = yaml.safe_load((ROOT / "cordboard.yaml").read_text()) | SITE
        config["agents"][1001]["skills"] = SKILLS
        del config["queues"]["sales"]["comfort"]  # its message offers a key
        (root / "cordboard.yaml").write_text(yaml.safe_dump(config))
        for sound in SOUNDS:
            file = root / "recordings" / "prompts" / "own" / f"{sound}.wav"
            file.parent.mkdir(parents=True)
            soundfile.write(file, [0.0, 0.5, -0.5] * 1000, 8000)


def folders() -> dict[str, Folder]:
    found: dict[str, Folder] = {}
    for doc in DOCS:
        text = doc.read_text(encoding="utf-8")
        for section in [text] if doc.name in ONE_FOLDER else re.split(r"^## ", text, flags=re.MULTILINE):
            folder = Folder()
            for language, block in BLOCK.findall(section):
                folder.add(language, block)
            if folder != Folder():
                found[f"{doc.stem}: {section.splitlines()[0]}"] = folder
    return found


FOLDERS = folders()
WITH_FLOWS = [name for name, folder in FOLDERS.items() if folder.flows]


def test_there_are_examples_and_every_block_of_them_is_looked_at() -> None:
    texts = [doc.read_text(encoding="utf-8") for doc in DOCS]
    assert len(DOCS) == 3
    assert len(WITH_FLOWS) > 15
    assert sum(text.count("\n```y") for text in texts) == sum(
        len(folder.flows) + len(folder.tests) + len(folder.answers) for folder in FOLDERS.values()
    )
    for folder in FOLDERS.values():
        assert folder.flows or not (folder.tests or folder.answers), "cases and answers are for flows of their section"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    @cache
    def written(name: str) -> Path:
        root = tmp_path_factory.mktemp("site")
        FOLDERS[name].write(root)
        return root

    return written


@pytest.fixture(scope="module")
def known(place: Callable[[str], Path]) -> Known:
    """What `cordboard dialplan check` knows of the site; it is the same for every folder."""
    return dialplan_cli._known(config_of(place(WITH_FLOWS[0]) / "cordboard.yaml"))


@pytest.mark.parametrize("name", WITH_FLOWS)
def test_nothing_is_found_against_the_examples(name: str, place: Callable[[str], Path], known: Known) -> None:
    flows, problems = judge_files(read_folder(place(name) / "dialplans"), known, advice=True)
    assert [str(problem) for problem in problems if problem.rule not in TOLD.get(name, ())] == []
    assert len(flows) == sum("\nflow:" in f"\n{text}" for text in FOLDERS[name].flows.values())


@pytest.mark.parametrize("name", [name for name in WITH_FLOWS if FOLDERS[name].tests])
def test_the_cases_pass(name: str, place: Callable[[str], Path]) -> None:
    dialplans = place(name) / "dialplans"
    outcome = play_folder(dialplans, load_folder(dialplans))
    assert [str(problem) for result in outcome.results for problem in result.problems] == []
    assert outcome.results


def test_the_files_of_answers_can_be_read() -> None:
    written = [text for folder in FOLDERS.values() for text in folder.answers.values()]
    assert written
    for text in written:
        TypeAdapter(Written).validate_python(yaml.load(text, yaml.BaseLoader))


# Callers who do anything at all

CALLERS = 250
MOST_ACTS = 60
WEEK_S = 7 * 86_400
QUEUE_RESULTS = ("talked", "timeout", "full", "too_long", "empty", "closed", "unavailable")
KEYED = {"amount": "12", "number": "4200", "yes_no": "1"}
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


@pytest.mark.parametrize("name", WITH_FLOWS)
def test_callers_come_through_the_examples(name: str, place: Callable[[str], Path]) -> None:
    """Nobody is stuck, nothing breaks unless it is made to, and somebody comes to every node."""
    dialplans, coverage = load_folder(place(name) / "dialplans"), Coverage()
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
    broken = False
    call.begin()
    for _ in range(MOST_ACTS):
        match call.awaits:
            case Awaits.NOTHING:
                break
            case _ if flow.on_error is not None and not broken and lots.random() < 0.01:
                broken = True
                call.stumble()
            case _ if lots.random() < 0.015:
                call.hang_up()
            case Awaits.QUEUE:
                assert call.handover is not None
                if call.handover.keys and lots.random() < 0.3:
                    call.press(lots.choice(call.handover.keys))
                else:
                    call.leave_queue(lots.choice(QUEUE_RESULTS))
            case Awaits.KEY:
                at_key(call, lots, shyness)
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
    card_or_day = "4111111111111111" if node.ask.check else "1129465723410986"
    digits = keyed.get(node.ask.type, card_or_day[: max(node.ask.bounds[0], 6)])[:most]
    for key in digits if len(digits) == most else f"{digits}#":
        if call.awaits is Awaits.KEY:
            call.press(key)


# What is typed in a terminal

COMMAND = re.compile(r"^\$ (.*)\n", re.MULTILINE)
ASKED = re.compile(r"^\[([^\]]+)\] (.*)$", re.MULTILINE)
HARMLESS = {"cp", "sed"}
"""What a session may run beside our own commands, to change a file."""


class Service:
    """Stands in for a running service: it publishes the folder beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions: list[dict[str, Any]] = []

    def __call__(self, _config: Path, _method: str, path: str, body: Any = None, _limit_s: float = 0) -> Any:
        match path.partition("?")[0].removeprefix("/api/dialplans/"):
            case "publish":
                for one in self.versions:
                    one["state"] = "past"
                version = {"number": len(self.versions) + 1, "state": "live", "author": body["author"]}
                self.versions.insert(0, version | {"comment": body["comment"], "made_at": 1_764_000_000.0})
            case "rollback":
                for one, state in zip(self.versions, ("past", "live"), strict=False):
                    one["state"] = state
            case "versions":
                return {"versions": self.versions}
            case other:
                raise AssertionError(other)
        live = next(one for one in self.versions if one["state"] == "live")
        flows = [flow.name for flow in load_folder(self.folder)]
        return {"version": live, "unchanged": False, "warnings": [], "flows": flows}


def steps(sessions: list[str]) -> Iterator[tuple[str, str]]:
    """What is typed, and what is shown then."""
    for session in sessions:
        assert session.startswith("$ "), f"a session begins with what is typed: {session[:60]!r}"
        _, *parts = COMMAND.split(session)
        yield from zip(parts[::2], parts[1::2], strict=True)


def plain(text: str) -> str:
    """Without what differs from run to run: milliseconds, and when a version was published."""
    text = re.sub(r"\b\d+ ms", "N ms", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(?=  )", "WHEN", text).rstrip()


def as_shown(shown: str) -> re.Pattern[str]:
    """A line of `...` stands for lines that are left out, ` [...]` for the rest of one."""
    lines = [
        ".*" if line == "..." else re.escape(line).replace(re.escape(" [...]"), "[^\n]*") for line in shown.split("\n")
    ]
    return re.compile("\n".join(lines), re.DOTALL)


@pytest.mark.parametrize("name", [name for name, folder in FOLDERS.items() if folder.sessions])
def test_commands_say_what_is_shown(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FOLDERS[name].write(tmp_path)
    run(FOLDERS[name].sessions, tmp_path, monkeypatch, plain)


def test_the_first_page_shows_what_is_said_of_the_shipped_dialplans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many flows, cases and lines those have may differ."""
    shutil.copytree(ROOT / "dialplans", tmp_path / "dialplans")
    shutil.copy(ROOT / "cordboard.yaml", tmp_path)
    sessions = [text for _, text in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))]
    assert sessions
    run(sessions, tmp_path, monkeypatch, lambda text: re.sub(r"(?<!key )(?<!press )\b[0-9.]+\b", "N", plain(text)))


def run(sessions: list[str], root: Path, monkeypatch: pytest.MonkeyPatch, alike: Callable[[str], str]) -> None:
    """Type it all, in the folder of a site, and compare what is told."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(publish_cli, "ask", Service(root / "dialplans"))
    for line, shown in steps(sessions):
        words = shlex.split(line, comments=True)
        if words[0] in HARMLESS:
            subprocess.run(words, check=True, cwd=root)
            continue
        assert words[0] == "cordboard", line
        if not shown.strip():
            continue
        monkeypatch.setattr(rehearsal_cli, "_read_line", typist(shown))
        told = CliRunner().invoke(app, words[1:])
        assert told.exception is None or isinstance(told.exception, SystemExit), told.exc_info
        said = alike(told.output.replace(f"{root}/", ""))
        assert as_shown(alike(shown)).fullmatch(said), f"$ {line}\n{said}"


def typist(shown: str) -> Callable[[str], str | None]:
    """Types what was typed in the shown session, and shows it as a terminal does."""
    answers = iter(ASKED.findall(shown))

    def read(question: str) -> str | None:
        _, given = next(answers, ("", ""))
        typer.echo(f"[{question}] {given}".rstrip() if given else f"[{question}] ")
        return given

    return read


def test_links_lead_to_headings_that_are_there() -> None:
    headings = {
        doc: {anchor(found) for found in re.findall(r"^#+ (.*)$", doc.read_text(encoding="utf-8"), re.MULTILINE)}
        for doc in [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    }
    broken = [
        f"{doc.name}: {link}#{heading}"
        for doc in headings
        for link, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", doc.read_text(encoding="utf-8"))
        if heading not in headings[(doc.parent / link).resolve() if link else doc]
    ]
    assert broken == []


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
