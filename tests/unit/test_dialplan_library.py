"""Publishing dialplans: whole or not at all, and never under a call in progress."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.errors import DialplanErrors
from ivr.library import DialplanLibrary
from ivr.prompts import PromptStore
from ivr.voices import Voices
from ivr.wording import Silence, SoundFile
from tests.fakes.prompts import FakeSynthesiser

GOOD = """
flow: test
numbers: ["{number}"]
language: en
start: hello
nodes:
  hello: {{say: "{text}", next: wait}}
  wait: {{to_queue: {{queue: sales, then: done, otherwise: done}}}}
  done: {{hangup: {{}}}}
"""


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "dialplans"
        self.folder.mkdir()
        self.synthesiser = FakeSynthesiser()
        self.queues = {"sales"}
        self.prompts = PromptStore(folder / "prompts", Voices(), self.synthesiser)
        self.library = DialplanLibrary(self.folder, self.prompts, lambda: self.queues)

    def write(self, number: str = "100", text: str = "Hello") -> None:
        (self.folder / "test.yaml").write_text(GOOD.format(number=number, text=text))


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_before_the_load_no_number_is_answered(rig: Rig) -> None:
    assert rig.library.flow_for("100") is None


async def test_a_load_publishes(rig: Rig) -> None:
    rig.write()
    published = await rig.library.load()
    assert published.ok
    assert published.numbers == ("100",)
    assert rig.library.flow_for("100") is not None


async def test_a_sound_that_cannot_be_played_is_told_where_it_is_used(rig: Rig) -> None:
    flow = GOOD.replace('"{text}"', "[{{silence: 300ms}}, {{file: {text}}}, Hello.]")
    own = rig.folder.parent / "prompts" / "own"
    own.mkdir(parents=True)
    (rig.folder / "test.yaml").write_text(flow.format(number="100", text="welcome"))
    with pytest.raises(DialplanErrors) as refused:
        await rig.library.load()
    (problem,) = refused.value.problems
    assert str(problem).startswith(f"{rig.folder}/test.yaml:7:42: there is no sound 'welcome' (put a file there: {own}")
    (own / "welcome.wav").write_bytes(b"broken")
    rig.synthesiser.refusing["welcome.wav"] = "it is damaged, or not a sound file"
    (problem,) = (await rig.library.reload()).problems
    assert str(problem).endswith(
        "test.yaml:7:42: the sound 'welcome.wav' cannot be played: it is damaged, or not a sound file"
    )
    (own / "welcome.wav").write_bytes(b"whole")
    rig.synthesiser.refusing.clear()
    assert (await rig.library.reload()).problems == ()
    for piece in (SoundFile("welcome"), Silence(0.3), "Hello."):
        assert rig.prompts.files("en", piece)


@pytest.mark.parametrize("name", ["../welcome", "/etc/passwd", "welcome.wav", "Welcome", '""'])
async def test_a_sounds_name_is_no_path(rig: Rig, name: str) -> None:
    flow = GOOD.replace('"{text}"', "{{file: {text}}}")
    (rig.folder / "test.yaml").write_text(flow.format(number="100", text=name))
    with pytest.raises(DialplanErrors, match="is not a sound's name"):
        await rig.library.load()


async def test_a_bad_folder_cannot_be_the_first(rig: Rig) -> None:
    with pytest.raises(DialplanErrors):
        await rig.library.load()


async def test_a_bad_folder_is_refused_and_the_running_one_stays(rig: Rig) -> None:
    rig.write()
    before = await rig.library.load()
    rig.write("200", "Hello {nobody}")
    refused = await rig.library.reload()
    assert not refused.ok
    assert refused.version == before.version
    assert [problem.message for problem in refused.problems] == ["there is no variable 'nobody'"]
    assert rig.library.flow_for("100") is not None
    assert rig.library.flow_for("200") is None


async def test_queues_are_those_of_now(rig: Rig) -> None:
    rig.write()
    await rig.library.load()
    rig.queues = {"support"}
    assert [problem.message for problem in (await rig.library.reload()).problems] == ["there is no queue 'sales'"]


async def test_a_call_keeps_the_version_that_it_began_with(rig: Rig) -> None:
    rig.write()
    await rig.library.load()
    begun_with = rig.library.flow_for("100")
    rig.write(text="Welcome")
    assert (await rig.library.reload()).ok
    now = rig.library.flow_for("100")
    assert begun_with is not None
    assert now is not None
    assert begun_with.version != now.version
    assert begun_with.texts()["en"] == {"Hello"}


async def test_a_reload_is_refused_when_a_text_cannot_be_spoken(rig: Rig) -> None:
    rig.write()
    before = await rig.library.load()
    rig.write(text="Unspeakable")
    rig.synthesiser.failing.add("Unspeakable")
    refused = await rig.library.reload()
    assert not refused.ok
    assert "cannot be spoken: no voice today" in refused.problems[0].message
    assert rig.library.current.version == before.version


async def test_the_first_load_serves_who_it_can(rig: Rig) -> None:
    rig.write()
    rig.synthesiser.failing.add("Hello")
    published = await rig.library.load()
    assert published.ok
    assert published.problems
    assert rig.library.flow_for("100") is not None
