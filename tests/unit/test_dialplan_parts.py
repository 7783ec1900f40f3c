"""Dialplans of several files: what a flow takes in, and where a person is told what is wrong with that."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.loader import load_files, load_folder

FLOW = """\
flow: {name}
numbers: ["{number}"]
language: en
languages: [{languages}]
include: [{include}]
start: hello
nodes:
  hello: {{say: {say}, next: bye}}
  bye: {{hangup: {{}}}}
"""
SHARED = """\
prompts:
  welcome: {en: Welcome., es: Bienvenido.}
"""


def flow(name: str = "one", number: str = "1", include: str = "shared.yaml", **other: str) -> bytes:
    filled = {"languages": "en, es", "say": "welcome"} | other
    return FLOW.format(name=name, number=number, include=include, **filled).encode()


def load(**files: bytes | str) -> Dialplans:
    """Keywords are names without `.yaml`, `__` for a folder."""
    contents = {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()}
    return load_files({name: text.encode() if isinstance(text, str) else text for name, text in contents.items()})


def refusal(**files: bytes | str) -> list[str]:
    with pytest.raises(DialplanErrors) as refused:
        load(**files)
    return [str(problem) for problem in refused.value.problems]


def said(dialplans: Dialplans, number: str = "1", language: str = "en") -> tuple[object, ...]:
    found = dialplans.flow_for(number)
    assert found is not None
    return found.wordings["hello", "say"].pieces[language]


def test_a_prompt_of_a_part_is_heard() -> None:
    dialplans = load(one=flow(), shared=SHARED)
    assert said(dialplans) == ("Welcome.",)
    assert dialplans.warnings == ()


def test_a_part_takes_in_others_and_two_ways_to_one_are_one() -> None:
    dialplans = load(
        one=flow(include="parts/a.yaml, parts/b.yaml"),
        parts__a="include: [parts/deep.yaml]\n",
        parts__b="include: [parts/deep.yaml]\n",
        parts__deep=SHARED,
    )
    assert said(dialplans, language="es") == ("Bienvenido.",)


def test_a_flow_takes_only_its_languages_and_what_it_can_say() -> None:
    shared = SHARED + "  french: {fr: Bonjour.}\n  ticket: {en: 'Your ticket: {ticket}.', es: 'Su turno: {ticket}.'}\n"
    dialplans = load(one=flow(languages="en"), shared=shared)
    assert said(dialplans) == ("Welcome.",)
    assert dialplans.texts() == {"en": frozenset({"Welcome."})}


def test_what_a_flow_does_say_must_be_there_in_its_languages_and_the_place_is_in_the_part() -> None:
    assert refusal(one=flow(languages="en, es, fr"), shared=SHARED) == [
        "shared.yaml:2:3: no translation to 'fr'",
    ]
    shared = "prompts:\n  welcome: {en: 'Your ticket is {ticket}.', es: Hola.}\n"
    assert refusal(one=flow(), two=flow("two", "2"), shared=shared) == [
        "shared.yaml:2:17: there is no variable 'ticket' (known: caller_name, caller_number, customer_id, "
        "customer_language, customer_name, customer_tier, dialled, language, opens_at, opens_on, queue)",
    ]


def test_findings_in_a_part_come_once_however_many_flows_include_it() -> None:
    shared = "prompts:\n  welcome: {en: '', es: Hola.}\n  Bad Name: {en: x}\nextra: 1\n"
    assert refusal(one=flow(), two=flow("two", "2"), shared=shared) == [
        "shared.yaml:2:17: 'en': an empty text",
        "shared.yaml:3:3: 'Bad Name' is not a name: small letters, digits, - and _, at most 40",
        "shared.yaml:4:1: unknown key 'extra' (known: description, hours, include, prompts, services)",
    ]


def test_a_hint_may_come_from_a_part() -> None:
    assert refusal(one=flow(say="welcom"), shared=SHARED) == [
        "one.yaml:8:16: there is no prompt 'welcom' (did you mean 'welcome'?)",
    ]


def test_a_name_defined_twice_is_said_at_both_places() -> None:
    own = flow().decode() + "prompts: {welcome: {en: Hi., es: Hola.}}\n"
    assert refusal(one=own, shared=SHARED) == [
        "one.yaml:10:11: 'welcome' in 'prompts' is defined in shared.yaml, line 2, as well",
        "shared.yaml:2:3: 'welcome' in 'prompts' is defined in one.yaml, line 10, as well",
    ]
    assert refusal(one=flow(include="shared.yaml, b.yaml"), two=flow("two", "2"), shared=SHARED, b=SHARED) == [
        "b.yaml:2:3: 'welcome' in 'prompts' is defined in shared.yaml, line 2, as well",
        "shared.yaml:2:3: 'welcome' in 'prompts' is defined in b.yaml, line 2, as well",
    ]


def test_what_is_missing_or_no_part_or_named_twice() -> None:
    assert refusal(one=flow(include="shard.yaml"), shared=SHARED) == [
        "one.yaml:5:11: there is no file 'shard.yaml' (did you mean 'shared.yaml'?)",
        "shared.yaml:1:1: warning: no flow includes this file "
        "(it has no 'flow:', so it is a part for others to include)",
    ]
    assert refusal(one=flow(include="shared.yaml, two.yaml, shared.yaml"), two=flow("two", "2"), shared=SHARED) == [
        "one.yaml:5:24: 'two.yaml' is a flow, and only parts can be included (a part has 'prompts:' and no 'flow:')",
        "one.yaml:5:34: 'shared.yaml' is included twice",
    ]


@pytest.mark.parametrize(
    "name", ["../shared.yaml", "/etc/passwd", "a/../../x.yaml", "a//b.yaml", "a\\b.yaml", ".x.yaml", "x", "C:x.yaml"]
)
def test_only_a_path_within_the_folder_can_be_named(name: str) -> None:
    (problem, *_) = refusal(one=flow(include=f"'{name}'"))
    assert problem.startswith("one.yaml:5:11: ")
    assert problem.endswith("is not a file of the dialplans' folder such as shared/prompts.yaml")


def test_circles_are_found_and_said_at_every_link() -> None:
    assert refusal(
        one=flow(include="a.yaml"), a="include: [b.yaml]\n", b="include: [c.yaml]\n", c="include: [a.yaml, c.yaml]\n"
    ) == [
        "a.yaml:1:11: a circle: 'b.yaml' includes 'a.yaml' as well",
        "b.yaml:1:11: a circle: 'c.yaml' includes 'b.yaml' as well",
        "c.yaml:1:11: a circle: 'a.yaml' includes 'c.yaml' as well",
        "c.yaml:1:19: this file includes itself",
    ]


def test_a_chain_has_an_end() -> None:
    def chain(length: int) -> dict[str, str | bytes]:
        links = {f"p{n}": f"include: [p{n + 1}.yaml]\n" for n in range(length - 1)}
        return {"one": flow(include="p0.yaml"), f"p{length - 1}": SHARED} | links

    assert said(load(**chain(10))) == ("Welcome.",)
    assert refusal(**chain(11)) == ["p9.yaml:1:11: included more than 10 deep"]


def test_the_version_follows_everything_that_is_taken_in() -> None:
    def versions(shared: str) -> list[str]:
        dialplans = load(one=flow(), two=flow("two", "2", include="", say="{en: Hi., es: Hola.}"), shared=shared)
        return [dialplans.version, *(one.version for one in dialplans)]

    before, after = versions(SHARED), versions(SHARED.replace("Welcome", "Hello"))
    assert before == versions(SHARED)
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True]


def test_a_broken_part_keeps_quiet_about_what_nobody_can_know() -> None:
    own = flow(say="{en: 5, es: []}").decode()
    assert refusal(one=own, shared="prompts: [") == [
        "one.yaml:8:28: 'es' must be a text",
        "shared.yaml:1:11: not valid YAML: did not find expected node content (check the indentation and the quotes of "
        "this line and the one above)",
    ]


def test_parts_alone_are_no_dialplans() -> None:
    with pytest.raises(DialplanErrors, match="there is no dialplan"):
        load(shared=SHARED)


# The folder


def write(folder: Path, **files: bytes | str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)


def test_a_folder_is_read_with_its_folders(tmp_path: Path) -> None:
    write(tmp_path, one=flow(include="parts/shared.yaml"), parts__shared=SHARED, more__two=flow("two", "2", include=""))
    write(tmp_path, _drafts__three="flow: [", one__x="")
    (tmp_path / "one" / "x.yaml").rename(tmp_path / "one.test.yaml")
    write(tmp_path, more__two=flow("two", "2", include="", say="{en: Hi., es: Hola.}"))
    dialplans = load_folder(tmp_path)
    assert [found.name for found in dialplans] == ["one", "two"]
    write(tmp_path, parts__shared=SHARED.replace("en:", "eng:"))
    with pytest.raises(DialplanErrors) as refused:
        load_folder(tmp_path)
    assert {problem.file for problem in refused.value.problems} == {f"{tmp_path}/parts/shared.yaml"}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "dialplans", tmp_path / "secret.yaml"
    folder.mkdir()
    outside.write_text("password: hunter2\n")
    write(folder, one=flow(include="", say="{en: Hi., es: Hola.}"))
    (folder / "link.yaml").symlink_to(outside)
    with pytest.raises(DialplanErrors) as refused:
        load_folder(folder)
    (problem,) = refused.value.problems
    assert str(problem) == f"{folder}/link.yaml:1:1: a link that leads out of the folder (copy the file)"


def test_a_link_within_the_folder_and_one_to_the_folder_are_followed(tmp_path: Path) -> None:
    folder = tmp_path / "dialplans"
    folder.mkdir()
    write(folder, shared=SHARED, one=flow(include="link.yaml"))
    (folder / "link.yaml").symlink_to("shared.yaml")
    (folder / "loop").symlink_to(folder)
    (tmp_path / "also").symlink_to(folder)
    assert [found.name for found in load_folder(tmp_path / "also")] == ["one"]


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, one=flow(include="", say="{en: Hi., es: Hola.}"))
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    assert len(load_folder(tmp_path)) == 1


def test_a_folder_of_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.folder.MAX_TOTAL", 1000)
    write(tmp_path, one=b"#" * 600, two=b"#" * 600)
    with pytest.raises(DialplanErrors, match="MB of dialplans in one folder"):
        load_folder(tmp_path)


def test_many_flows_cannot_multiply_a_giant_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.loader.MAX_VALUES", 100)
    shared = SHARED + "".join(f"  p{n}: {{en: a., es: b.}}\n" for n in range(10))
    files = {f"f{n}": flow(f"f{n}", str(n)) for n in range(2)}
    assert refusal(**files, shared=shared)[0].endswith("more than 100 values in these flows and what they include")
