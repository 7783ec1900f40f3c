"""The dependency table of ARCHITECTURE.md, enforced by reading imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "pbx": set[str](),
    "ivr": {"pbx"},
    "acd": {"pbx"},
    "cordboard": {"pbx", "ivr", "acd"},
}
CORE = {
    "acd/aftercare.py",
    "pbx/wire.py",
    "pbx/translate.py",
    "pbx/facts.py",
    "pbx/orders.py",
    "pbx/live.py",
    "pbx/monitors.py",
    "ivr/model.py",
    "ivr/requests.py",
    "ivr/services.py",
    "ivr/verbs/customer.py",
    "ivr/verbs/http.py",
    "ivr/values.py",
    "ivr/inputs.py",
    "ivr/effects.py",
    "ivr/interpreter.py",
    "ivr/waiting_words.py",
    "ivr/walk.py",
    "ivr/flow.py",
    "ivr/versions.py",
    "ivr/handover.py",
    "ivr/node.py",
    "ivr/wording.py",
    "ivr/checks.py",
    "ivr/sources.py",
    "ivr/rehearsal/answers.py",
    "ivr/rehearsal/coverage.py",
    "ivr/rehearsal/happenings.py",
    "ivr/rehearsal/play.py",
    "ivr/rehearsal/rehearsal.py",
    "ivr/spoken/__init__.py",
    "ivr/spoken/currencies.py",
    "ivr/spoken/english.py",
    "ivr/spoken/kinds.py",
    "ivr/spoken/spanish.py",
    "ivr/spoken/speaking.py",
    "ivr/spoken/words.py",
    "ivr/known.py",
    "ivr/lint/__init__.py",
    "ivr/lint/after_hangup.py",
    "ivr/lint/constant.py",
    "ivr/lint/graph.py",
    "ivr/lint/keys.py",
    "ivr/lint/leaks.py",
    "ivr/lint/lengths.py",
    "ivr/lint/people.py",
    "ivr/lint/plain_secrets.py",
    "ivr/lint/report.py",
    "ivr/lint/shape.py",
    "ivr/lint/subflows.py",
    "ivr/lint/subject.py",
    "ivr/lint/unset.py",
    "ivr/conditions/__init__.py",
    "ivr/conditions/kinds.py",
    "ivr/conditions/patterns.py",
    "ivr/conditions/tree.py",
    "ivr/conditions/verdict.py",
    "ivr/anatomy.py",
    "ivr/comparing/compare.py",
    "ivr/comparing/places.py",
    "ivr/comparing/words.py",
    "ivr/drawing/lettering.py",
    "ivr/drawing/looks.py",
    "ivr/drawing/picture.py",
    "ivr/drawing/svg.py",
    "ivr/verbs/__init__.py",
    "ivr/otherwise.py",
    "ivr/verbs/transfer.py",
    "ivr/verbs/callback.py",
    "cordboard/callback.py",
    "cordboard/call_outcome.py",
    "cordboard/allowed.py",
    "ivr/verbs/say.py",
    "ivr/verbs/menu.py",
    "ivr/verbs/to_queue.py",
    "ivr/verbs/assign.py",
    "ivr/verbs/hangup.py",
    "ivr/verbs/ask.py",
    "ivr/verbs/decide.py",
    "ivr/verbs/hours.py",
    "ivr/verbs/split.py",
    "ivr/verbs/switch.py",
    "ivr/verbs/wait.py",
    "ivr/verbs/goto.py",
    "ivr/verbs/call_flow.py",
    "ivr/verbs/give_back.py",
    "ivr/verbs/voicemail.py",
    "ivr/verbs/survey.py",
    "cordboard/survey.py",
    "cordboard/message_desk.py",
    "ivr/variables.py",
    "ivr/speaking.py",
    "acd/model.py",
    "acd/facts.py",
    "acd/orders.py",
    "acd/states.py",
    "acd/strategies.py",
    "acd/skills.py",
    "acd/widening.py",
    "acd/pools.py",
    "acd/fading.py",
    "acd/floor.py",
    "acd/lines.py",
    "acd/engine.py",
    "acd/codec.py",
    "acd/snapshot.py",
    "acd/replay.py",
    "acd/explain/explanation.py",
    "acd/explain/story.py",
    "acd/explain/situation.py",
    "acd/explain/whatif.py",
    "acd/explain/fork.py",
    "acd/explain/words.py",
    "acd/offers.py",
    "acd/sides.py",
    "acd/talks.py",
    "acd/destinations.py",
    "acd/invariants.py",
    "acd/erlang.py",
    "acd/estimates.py",
    "acd/estimates_line.py",
    "acd/estimates_seen.py",
    "acd/simulate/calibration.py",
    "acd/simulate/clockwork.py",
    "acd/simulate/compare.py",
    "acd/simulate/day.py",
    "acd/simulate/draw.py",
    "acd/simulate/load.py",
    "acd/simulate/patience.py",
    "acd/simulate/report.py",
    "acd/simulate/tally.py",
    "acd/simulate/world.py",
    "cordboard/last_agents.py",
    "cordboard/lookups/answer.py",
    "cordboard/lookups/breaker.py",
    "cordboard/records.py",
    "cordboard/recorder.py",
    "cordboard/recording.py",
    "cordboard/message.py",
    "cordboard/legs.py",
    "cordboard/dialplan_versions.py",
    "cordboard/terms.py",
    "cordboard/waiting.py",
    "cordboard/figures/catalogue.py",
    "cordboard/figures/fold.py",
    "cordboard/figures/histogram.py",
    "cordboard/figures/intervals.py",
    "cordboard/figures/promises.py",
    "cordboard/figures/report.py",
    "cordboard/figures/tally.py",
    "cordboard/figures/today.py",
    "cordboard/unattended.py",
}
FORBIDDEN_IN_CORE = {"asyncio", "sqlalchemy", "aiohttp", "yaml", "time", "datetime", "random", "secrets", "socket"}
SHELL = {"service", "session", "link", "connection", "library", "dispatcher"}
LONGEST_FILE = 500


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        else:
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path}: relative import"


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_dependencies_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in imports(path)} & PACKAGES.keys()
    assert ours <= PACKAGES[package] | {package}


@pytest.mark.parametrize("name", sorted(CORE))
def test_the_core_knows_no_clock_loop_or_database(name: str) -> None:
    found = {module.split(".")[0] for module in imports(ROOT / name)}
    assert not found & FORBIDDEN_IN_CORE
    own = name.split("/", maxsplit=1)[0]
    shells = {
        module for module in imports(ROOT / name) if module.startswith(f"{own}.") and module.split(".")[1] in SHELL
    }
    assert not shells, "the core must not import its shell"


def test_the_asterisk_folder_is_data() -> None:
    assert not (ROOT / "asterisk" / "__init__.py").exists(), "the name belongs to PyPI's asterisk-ami"


def test_no_file_outgrows_its_reader() -> None:
    long = {
        str(path.relative_to(ROOT)): n for path in sources() if (n := len(path.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long
