"""Switches: at once, found again, known to some flow, whatever the database does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.storage.errors import DatabaseUnavailable
from cordboard.switches import Switch
from cordboard.web.ports import NotFound
from tests.fakes.publishing import PublisherRig, empty_database

FLOW = """
flow: main
numbers: ["100"]
language: en
start: closed
nodes:
  closed: {switch: storm-closing, on: sorry, off: done}
  sorry: {say: Closed., next: done}
  done: {hangup: {}}
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[PublisherRig]:
    engine = await empty_database(tmp_path)
    made = PublisherRig(tmp_path, engine)
    (made.folder / "main.yaml").write_text(FLOW)
    await made.start()
    made.notes.clear()
    yield made
    await engine.dispose()


async def test_it_is_on_at_once_and_after_a_restart_until_it_is_off(rig: PublisherRig) -> None:
    assert not rig.switches.switched_on("storm-closing")
    flipped = await rig.switches.flip("storm-closing", True, note="hurricane", by="Ana")
    assert flipped["kept"]
    assert rig.switches.switched_on("storm-closing")
    await rig.start()
    assert rig.switches.on == ["storm-closing"]
    (view,) = rig.switches.views()
    assert (view["on"], view["note"], view["by"], view["used"]) == (True, "hurricane", "Ana", True)
    assert view["changed_at"] == flipped["changed_at"]
    await rig.switches.flip("storm-closing", False)
    await rig.start()
    assert rig.switches.on == []
    assert rig.notes == [
        ("switch.flipped", {"switch": "storm-closing", "on": True}),
        ("switch.flipped", {"switch": "storm-closing", "on": False}),
    ]


async def test_flipped_to_where_it_is_changes_the_note_alone(rig: PublisherRig) -> None:
    await rig.switches.flip("storm-closing", True)
    await rig.switches.flip("storm-closing", True, note="still")
    assert len(rig.notes) == 1
    assert rig.switches.views()[0]["note"] == "still"


async def test_one_that_no_flow_looks_at_is_refused(rig: PublisherRig) -> None:
    with pytest.raises(NotFound, match=r"No flow looks at a switch 'storm-closed': did you mean 'storm-closing'\?"):
        await rig.switches.flip("storm-closed", True)
    assert rig.switches.on == []


async def test_one_that_is_on_can_be_flipped_off_when_no_flow_looks_at_it_any_more(rig: PublisherRig) -> None:
    await rig.switches.flip("storm-closing", True)
    rig.library.versions = type(rig.library.versions)({}, 0)
    assert [(view["name"], view["used"]) for view in rig.switches.views()] == [("storm-closing", False)]
    await rig.switches.flip("storm-closing", False)
    assert rig.switches.views() == []
    with pytest.raises(NotFound, match="there is none"):
        await rig.switches.flip("storm-closing", True)


async def test_an_emergency_does_not_wait_for_the_database(rig: PublisherRig) -> None:
    class Away:
        async def all(self) -> list[Switch]:
            return []

        async def put(self, _switch: Switch) -> None:
            raise DatabaseUnavailable("locked")

    rig.switch_store = Away()
    await rig.start()
    flipped = await rig.switches.flip("storm-closing", True)
    assert not flipped["kept"]
    assert rig.switches.switched_on("storm-closing")
