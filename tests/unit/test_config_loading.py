"""The configuration file: what is accepted, and what a person is told about what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.config import Config, config_schema
from cordboard.config_loader import ConfigRefused, load_config, parse_config

SHIPPED = Path(__file__).parents[2] / "cordboard.yaml"

GOOD = """\
company: Test
queues:
  sales: {}
agents:
  1001: {name: Ana, queues: [sales]}
"""


def refusal(text: str) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        parse_config(text)
    return [str(problem) for problem in refused.value.problems]


def test_the_shipped_file_is_the_demo_company() -> None:
    config = load_config(SHIPPED, {})
    assert config.company == "Harbor Lane Bikes"
    assert set(config.queues) == {"sales", "support"}
    assert {number: agent.name for number, agent in config.agents.items()} == {
        "1001": "Ana",
        "1002": "Ben",
        "1003": "Carla",
    }
    assert config.languages[0] == "en"
    assert config.var_dir == SHIPPED.parent / "var"
    assert config.database_url == f"sqlite+aiosqlite:///{SHIPPED.parent}/var/cordboard.db"


def test_every_commented_default_in_the_shipped_file_is_the_default() -> None:
    lines = SHIPPED.read_text().splitlines()
    uncommented = [line[2:] for line in lines if line.startswith("# ") and ("{" in line or "  #" in line)]
    flat = "\n".join(line for line in uncommented if not line.startswith(" ") and "{" in line)
    config = parse_config(GOOD.replace("{}", "{}") + flat + "\n")
    assert config == parse_config(GOOD)


def test_paths_are_relative_to_the_file_and_the_environment_moves_var(tmp_path: Path) -> None:
    file = tmp_path / "cordboard.yaml"
    file.write_text(GOOD + "database: {url: 'sqlite+aiosqlite:///data/x.db?timeout=3'}\n")
    config = load_config(file, {"CORDBOARD_ROOT": "/big/disk"})
    assert config.var_dir == Path("/big/disk")
    assert config.dialplans_dir == tmp_path / "dialplans"
    assert config.database_url == f"sqlite+aiosqlite:///{tmp_path}/data/x.db?timeout=3"


def test_another_database_url_is_left_alone() -> None:
    url = "postgresql+asyncpg://u@h/db"
    assert parse_config(GOOD + f"database: {{url: '{url}'}}\n").database_url == url


def test_an_unknown_key_is_refused_with_its_place_and_a_hint() -> None:
    assert refusal(GOOD + "webb: {}\n") == ['cordboard.yaml:6:1: webb: unknown key; did you mean "web"?']
    assert refusal(GOOD.replace("sales: {}", "sales: {ring: 5}")) == [
        'cordboard.yaml:3:11: queues.sales.ring: unknown key; did you mean "ring_s"?'
    ]
    assert refusal(GOOD + "pbx:\n  trunk: {host: a, user: u, secret_file: f, prt: 1}\n") == [
        'cordboard.yaml:7:45: pbx.trunk.prt: unknown key; did you mean "port"?'
    ]
    assert refusal(GOOD + "database: {xyzzy: 1}\n") == [
        "cordboard.yaml:6:12: database.xyzzy: unknown key; known here: url, routing_log_days"
    ]


def test_every_error_is_reported_in_the_order_of_the_file() -> None:
    text = "company: 5\nlanguages: en\nqueues:\n  sales: {ring_s: '9'}\nagents:\n  ann: {name: Ann}\n"
    assert refusal(text) == [
        "cordboard.yaml:1:1: company: must be text (put it in quotes)",
        "cordboard.yaml:2:1: languages: must be a list",
        "cordboard.yaml:4:11: queues.sales.ring_s: must be a whole number",
        "cordboard.yaml:6:3: agents.ann: the key: string should match pattern '^[0-9]{2,10}$'",
        "cordboard.yaml:6:3: agents.ann.queues: is missing",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agents: {1001: {name: A, queues: [saels]}}", 'agents.1001.queues: no queue "saels"; did you mean "sales"?'),
        ("agents: {1001: {name: A, queues: [sales], language: de}}", '"de" is not among the languages'),
        ('feature_codes: {login: "*46"}', "feature_codes.logout: *46 is the code of login already"),
        ("pbx: {rtp: {first: 20000, last: 10000}}", "first must be below last"),
        ("pbx: {private: false}", "pbx.ami.secret_file: needed"),
        ("pbx: {ami: {secret_file: /x}}", "the private PBX's secret is generated"),
        ("voices: {de: x}", 'voices.de: "de" is not among the languages'),
        ("feature_codes: {login: *46}", "must be in quotes"),
        ("web: {port: 70000}", "web.port: input should be less than or equal to 65535"),
        ("database: {url: mysql://x}", "database.url: string should match pattern"),
        ("company: again", 'key "company" is given twice'),
        ("web:\n\tport: 1", "indent with spaces"),
        ("web: [", "7:1"),
        ("web: {port: yes}", "web.port: must be a whole number"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    problems = refusal("company: Test\nqueues:\n  sales: {}\n\n\n" + text + "\n")
    assert len(problems) == 1
    assert message in problems[0]


def test_no_is_a_language_not_a_boolean() -> None:
    assert parse_config(GOOD + "languages: [en, no]\n").languages == ["en", "no"]


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    assert refusal("") == ["cordboard.yaml:1:1: must be a mapping (key: value)"]
    with pytest.raises(ConfigRefused, match="cannot be read: No such file"):
        load_config(tmp_path / "absent.yaml", {})
    (tmp_path / "latin.yaml").write_bytes(b"company: caf\xe9\n")
    with pytest.raises(ConfigRefused, match="not UTF-8"):
        load_config(tmp_path / "latin.yaml", {})


def test_the_schema_describes_the_whole_file() -> None:
    schema = config_schema()
    assert set(schema["properties"]) == set(Config.model_fields)
    assert schema["additionalProperties"] is False
