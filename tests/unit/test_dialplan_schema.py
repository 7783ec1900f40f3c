"""The schema that editors complete and check with: it takes every good dialplan, and no shape that is refused."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bench.generated_dialplan import files
from cordboard.yaml_source import _CoreLoader
from ivr.loader import load_text
from ivr.schema import json_schema
from ivr.verbs import VERBS

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "dialplans"
SHIPPED = sorted(path for path in (ROOT / "dialplans").rglob("*.yaml") if not path.name.endswith(".test.yaml"))


class Editor(yaml.CSafeLoader):
    """Reads as an editor does, by the core schema of YAML 1.2; keys are texts."""

    yaml_implicit_resolvers = _CoreLoader.yaml_implicit_resolvers

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(json_schema())


def fits(text: str) -> bool:
    return validator().is_valid(yaml.load(text, Loader=Editor))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", [*SHIPPED, *sorted((DATA / "good").glob("*.yaml"))], ids=lambda path: path.stem)
def test_good_ones_fit(path: Path) -> None:
    assert fits(path.read_text())


def test_every_verb_in_use_fits() -> None:
    assert all(fits(data.decode()) for data in files(60).values())


def test_every_example_of_the_documentation_fits() -> None:
    text = (ROOT / "docs" / "dialplan.md").read_text()
    examples = re.findall(r"^```yaml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert [example[:60] for example in examples if not fits(example)] == []


SHAPES = (
    "unknown-key", "unknown-top-key", "missing-key", "missing-top", "no-verb", "two-verbs", "node-not-mapping",
    "not-a-mapping", "wrong-types", "bad-names", "bad-phone-key", "path-traversal", "ranges",
)  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_bad_shapes_do_not(name: str) -> None:
    assert not fits((DATA / "bad" / f"{name}.yaml").read_text())


GOOD = """
flow: x
numbers: ["1"]
language: en
start: a
nodes:
  a: {say: Hello., next: b}
  b: {menu: {prompt: Press 1., keys: {1: a}, otherwise: c, tries: 2, bargein: no}}
  c: {hangup: {}}
"""


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("next: b", "nxt: b"),
        ("say: Hello.", "say: [Hello., {silence: 300ms}, {file: ding}]"),
        ("say: Hello.", "say: {english: Hello.}"),
        ("say: Hello.", "say: {silence: long}"),
        ("say: Hello.", "say: 5"),
        ("next: b", "next: 5"),
        ("next: b", "next: [b]"),
        ("keys: {1: a}", "keys: {10: a}"),
        ("keys: {1: a}", "keys: {1: 1}"),
        ("keys: {1: a}", "keys: {}"),
        ("tries: 2", "tries: 20"),
        ("tries: 2", "tries: many"),
        ("tries: 2", "timeout: 5"),
        ("bargein: no", "bargein: perhaps"),
        ("bargein: no", "bargein: true"),
        ("hangup: {}", "hangup: null"),
        ("hangup: {}", "hangup: {cause: tired}"),
        ("hangup: {}", "hangup: {}, say: Hi., next: a"),
        ("language: en", "language: english"),
        ("language: en", "language: [en]"),
        ("numbers: ['1']", "numbers: 1"),
        ('numbers: ["1"]', "numbers: [100]"),
        ("flow: x", "flow: X Y"),
        ("start: a", "starts: a"),
        ("flow: x", "flow: x\ninclude: [../x.yaml]"),
        ("flow: x", "flow: x\nparams: {a: word}"),
        ("flow: x", "flow: x\nhours: {h: {weekly: {}}}"),
    ],
)
def test_it_agrees_with_the_loader_on_shapes(here: str, there: str) -> None:
    """What an editor marks is refused, and what is refused for its shape is marked."""
    assert fits(GOOD)
    text = GOOD.replace(here, there)
    loaded, _ = load_text(text.encode(), "x.yaml")
    assert fits(text) == (loaded is not None or text == GOOD)


def test_it_names_every_verb_and_refuses_other_keys() -> None:
    definitions = json_schema()["$defs"]
    verbs = {verb for one in definitions.values() for verb in VERBS if verb in one.get("properties", ())}
    assert verbs == set(VERBS)
    assert all(one.get("additionalProperties") is False for one in definitions.values() if one.get("type") == "object")


def test_the_one_beside_the_shipped_dialplans_is_up_to_date() -> None:
    """`cordboard dialplan schema > dialplans/schema.json` makes it again."""
    assert json.loads((ROOT / "dialplans" / "schema.json").read_text()) == json_schema()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_editors_find_it(path: Path) -> None:
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
    assert found is not None
    assert (path.parent / found[1]).resolve() == ROOT / "dialplans" / "schema.json"
