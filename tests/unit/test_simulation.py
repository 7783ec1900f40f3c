"""`cordboard simulate`: the example of its document, scenario files with mistakes, changes, the past."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from acd.model import WaitingCaller
from acd.simulate.day import Turn
from acd.skills import Need, Requirement
from cordboard.cli import app
from cordboard.config_loader import ConfigRefused, load_config, parse_config
from cordboard.events import AgentState, Event
from cordboard.records import CallRecord
from cordboard.simulation.changes import ChangeRefused, more_agents, set_keys, setting, staffing_of
from cordboard.simulation.history import compose
from cordboard.simulation.scenario import load_scenario
from cordboard.simulation.simulating import Wanted, simulate_past, simulate_scenario
from cordboard.storage.batch import Batch
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import StorageError
from cordboard.storage.migrate import migrate
from cordboard.storage.sink import open_sink

ROOT = Path(__file__).parents[2]
DOC = ROOT / "docs" / "simulate.md"
EXAMPLES = ROOT / "docs" / "examples"
CENTRE, SCENARIO = EXAMPLES / "centre.yaml", EXAMPLES / "simulate.yaml"
DAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()


def test_the_document_shows_the_example_and_what_comes_out_of_it() -> None:
    text = DOC.read_text(encoding="utf-8")
    assert f"```yaml\n{SCENARIO.read_text(encoding='utf-8')}```" in text
    out = simulate_scenario(CENTRE, SCENARIO, Wanted()).text()
    assert f"```text\n{out}```" in text, f"put this into docs/simulate.md:\n{out}"


def test_the_document_names_every_key_of_a_scenario() -> None:
    from cordboard.simulation.scenario import Changed, QueueLoad, Scenario

    told = set(re.findall(r"^\| `([a-zA-Z_.]+)` \|", DOC.read_text(encoding="utf-8"), re.MULTILINE))
    keys = set(Scenario.model_fields) - {"load", "shifts", "change"}
    keys |= {f"load.QUEUE.{name}" for name in QueueLoad.model_fields} | {"shifts.NUMBER", "change.agents.QUEUE"}
    keys |= {f"change.{name}" for name in Changed.model_fields} - {"change.agents"}
    assert told == keys


# Scenario files


def refusal(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "s.yaml"
    file.write_text(text)
    with pytest.raises(ConfigRefused) as refused:
        simulate_scenario(CENTRE, file, Wanted())
    return [str(problem).replace(str(file), "s.yaml") for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("load: {}\n", "s.yaml:1:1: load: dictionary should have at least 1 item after validation, not 0"),
        (
            "load:\n  sale: {calls_per_h: 5, handling_s: 60}\n",
            "s.yaml:2:3: load.sale: no such queue; there are sales, support",
        ),
        (
            "load:\n  sales: {calls_per_h: 5, handling: 60, handling_s: 60}\n",
            's.yaml:2:27: load.sales.handling: unknown key; did you mean "handling_s"?',
        ),
        ("load:\n  sales: {calls_per_h: 5}\n", "s.yaml:2:3: load.sales.handling_s: is missing"),
        (
            "hours: 3\nload:\n  sales: {calls_per_h: [5, 6], handling_s: 60}\n",
            "s.yaml:3:11: load.sales.calls_per_h: one number, or one for each of the 3 hours; there are 2",
        ),
        (
            "load:\n  sales: {calls_per_h: 0, handling_s: 60}\n",
            "s.yaml:2:11: load.sales.calls_per_h: nobody ever calls",
        ),
        (
            "load:\n  sales: {calls_per_h: 5, handling_s: 60}\nshifts:\n  1009: ['08:00-09:00']\n",
            "s.yaml:4:3: shifts.1009: no such agent; there are 1001, 1002, 1003",
        ),
        (
            "load:\n  sales: {calls_per_h: 5, handling_s: 60}\nshifts:\n  1001: ['10:00-09:00']\n",
            "s.yaml:4:10: shifts.1001.0: ends before it begins",
        ),
        (
            "load:\n  sales: {calls_per_h: 5, handling_s: 60}\nchange:\n  set: {queues.sales.strategy: best}\n",
            "s.yaml:3:1: change: queues.sales.strategy: input should be 'longest_idle', ",
        ),
        (
            "load:\n  sales: {calls_per_h: 5, handling_s: 60}\nchange:\n  agents: {sales: -3}\n",
            "s.yaml:3:1: change: queue sales has 2 agents: 3 cannot go",
        ),
    ],
)
def test_a_mistake_is_said_at_its_place(tmp_path: Path, text: str, problem: str) -> None:
    (said,) = refusal(tmp_path, text)
    assert said.startswith(problem)


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match=r"nowhere.yaml:1:1: cannot be read: No such file"):
        load_scenario(tmp_path / "nowhere.yaml", load_config(CENTRE))


# Changes


def test_keys_are_set_and_checked() -> None:
    changed = set_keys(CENTRE, {"queues.sales.strategy": "fewest_calls", "figures.service_level_s": 30})
    assert changed.queues["sales"].strategy == "fewest_calls"
    assert changed.queues["support"] == load_config(CENTRE).queues["support"]
    assert changed.figures.service_level_s == 30
    for key, value, words in (
        ("queues.sales.ring_s", "long", "queues.sales.ring_s: must be a whole number"),
        ("queues.sale.ring_s", 20, "agents"),
        ("company.name", "x", "company.name: there is no such section"),
    ):
        if key == "queues.sale.ring_s":
            assert "sale" in set_keys(CENTRE, {key: value}).queues, "a queue more"
            continue
        with pytest.raises((ChangeRefused, ConfigRefused), match=re.escape(words)):
            set_keys(CENTRE, {key: value})


def test_the_words_of_the_command_line() -> None:
    assert setting("queues.sales.max_wait_s=120") == ("queues.sales.max_wait_s", 120)
    assert setting("queues.sales.must={spanish: 2}") == ("queues.sales.must", {"spanish": 2})
    assert more_agents("+2 sales") == ("sales", 2)
    assert more_agents("-1 support") == ("support", -1)
    for wrong in ("sales", "+2", "two sales"):
        with pytest.raises(ChangeRefused, match="write it as"):
            more_agents(wrong)
    with pytest.raises(ChangeRefused, match="write it as"):
        setting("queues.sales")


def test_agents_more_and_fewer() -> None:
    config = parse_config(CENTRE.read_text().replace("sales: {wrap_up_s: 15}", "sales: {must: {bikes: 2}}"))
    agents = {agent.id: agent for agent in staffing_of(config, {"sales": 2}).agents}
    assert list(agents) == ["1001", "1002", "1003", "sales+1", "sales+2"]
    assert (agents["sales+1"].queues, agents["sales+1"].skills) == (("sales",), {"bikes": 2})
    fewer = staffing_of(config, {"sales": -1}).agents
    assert [agent.id for agent in fewer] == ["1001", "1003"], "1002 serves nothing else"
    with pytest.raises(ChangeRefused, match="no queue gold"):
        staffing_of(config, {"gold": 1})


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("days: 2\nhours: 1\nload:\n  sales: {calls_per_h: 30, handling_s: 60}\n")
    told = CliRunner().invoke(app, ["simulate", str(file), "-c", str(CENTRE), "--agents", "+1 sales", "--json"])
    assert told.exit_code == 0, told.output
    figures = json.loads(told.stdout)["figures"]
    wait = next(one for one in figures if one["queue"] == "sales" and one["figure"] == "mean wait, s")
    assert wait["difference"]["value"] <= 0 <= wait["as_it_is"]["value"]
    fewer = CliRunner().invoke(app, ["simulate", str(file), "-c", str(CENTRE), "--agents", "-1 sales"])
    assert fewer.exit_code == 0, fewer.output
    alone = CliRunner().invoke(app, ["simulate", str(file), "-c", str(CENTRE)])
    assert "difference" not in alone.stdout
    for wrong in ([], [str(file), "--last", "3"], [str(file), "--set", "x"]):
        assert CliRunner().invoke(app, ["simulate", *wrong, "-c", str(CENTRE)]).exit_code == 2


# The past


def call(number: int, at: float, wait_s: float, talk_s: float, queue: str = "sales") -> CallRecord:
    return CallRecord(
        f"c-{number:05d}",
        at - 5,
        queue=queue,
        queued_at=at,
        wait_s=wait_s,
        talk_s=talk_s,
        talk_started_at=at + wait_s if talk_s else None,
        ended_at=at + wait_s + talk_s,
        outcome="talked" if talk_s else "abandoned_in_queue",
    )


def state(seq: int, at: float, agent: str, name: str) -> Event:
    return Event(seq, at, "agent.state", None, agent, None, {"state": name, "reason": ""})


def test_the_past_is_taken_as_it_was_and_the_rest_is_drawn() -> None:
    records = [
        call(1, DAY + 100, 10.0, 60.0),
        call(2, DAY + 200, 30.0, 0.0),
        call(3, DAY + 86_400 + 50, 20.0, 120.0),
        call(4, DAY + 300, 5.0, 10.0, queue="gone"),
    ]
    caller = WaitingCaller("c-00001", "sales", DAY + 100, 30.0, requirement=Requirement((Need("bikes"),)))
    states = [
        state(1, DAY - 3600, "1001", "ready"),
        state(2, DAY + 50, "1002", "ready"),
        state(3, DAY + 60, "1002", "talking"),
        state(4, DAY + 70, "1002", "not_ready"),
        state(5, DAY + 90_000, "1001", "logged_out"),
    ]
    past = compose(records, {"c-00001": caller}, states, UTC, frozenset({"sales"}), seed=1)
    assert past.left_out == 1
    first, second = past.days
    assert [(one.at, one.head_start) for one in first] == [(100.0, 30.0), (200.0, 0.0)]
    assert first[0].requirement == caller.requirement
    assert first[0].handling_s == 60.0
    assert first[0].patience_s is not None
    assert first[0].patience_s > 10.0, "they waited so long at least"
    assert first[1].patience_s == 30.0, "and these not a second longer"
    assert first[1].handling_s in (60.0, 120.0)
    assert [one.at for one in second] == [50.0]
    assert past.turns == [
        [Turn(0.0, "1001", "in"), Turn(50.0, "1002", "in"), Turn(70.0, "1002", "break")],
        [Turn(0.0, "1001", "in"), Turn(0.0, "1002", "break"), Turn(3600.0, "1001", "out")],
    ]
    learned = past.queues["sales"]
    assert (learned.calls, learned.mean_handling_s, learned.mean_patience_s) == (3, 90.0, 60.0)


async def test_the_last_days_from_the_database(tmp_path: Path) -> None:
    file = tmp_path / "cordboard.yaml"
    file.write_text(CENTRE.read_text())
    config = load_config(file, {})
    with pytest.raises(StorageError, match="has the service run with"):
        await simulate_past(file, 5, 1, Wanted())
    database = open_engine(config.database_url)
    await migrate(database)
    sink = open_sink(database)
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    chance, records = Random(1), []
    for day in range(1, 5):
        begin = now - day * 86_400 + 9 * 3600
        for number in range(120):
            wait = chance.expovariate(1 / 30)
            talk = 0.0 if wait > 80 else chance.expovariate(1 / 200)
            records.append(call(day * 1000 + number, begin + chance.random() * 4 * 3600, wait, talk))
    states = [state(n, now - 5 * 86_400 + n, agent, "ready") for n, agent in enumerate(("1001", "1002", "1003"), 1)]
    await sink.write(Batch(states, records, [AgentState("1001", "ready", "", now)]))
    await sink.close()
    await database.dispose()
    result = await simulate_past(file, 5, 1, Wanted(agents={"sales": 1}))
    assert result.after is not None
    assert len(result.before) == len(result.after) == 4
    text = result.text()
    assert text.startswith(
        "480 calls of 4 days, as they came; agents at work as they were.\n  sales: 480 calls, mean talk"
    )
    assert "(Kaplan-Meier)" in text
    wait = next(one for one in result.data()["figures"] if one["queue"] == "sales" and one["figure"] == "mean wait, s")
    assert wait["more_than_chance"]
    assert wait["difference"]["value"] < 0
