"""Publishing dialplans: whole or not at all, one after the other, under no call in progress; what a start serves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bench.generated_dialplan import files
from cordboard.dialplan_versions import Outcome, Source, State, hash_of, packed, unpacked
from cordboard.events import Event
from cordboard.publishing import begun_with, load_version
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.web.ports import CommandRefused, NotFound
from ivr.errors import DialplanErrors
from tests.fakes.publishing import PublisherRig, empty_database, good


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[PublisherRig]:
    """Not started; a good folder."""
    engine = await empty_database(tmp_path)
    made = PublisherRig(tmp_path, engine)
    made.write()
    yield made
    await engine.dispose()


def number(outcome: Outcome) -> int | None:
    return outcome.version.number if outcome.version is not None else None


async def states(rig: PublisherRig) -> dict[int, str]:
    return {one.number: one.state.value for one in await rig.store.page()}


async def of_three(rig: PublisherRig) -> None:
    """Started, and published until version 3 is live."""
    await rig.start()
    for text in ("Second", "Third"):
        rig.write(text=text)
        assert (await rig.publisher.publish()).version is not None


# what is published


async def test_the_first_start_publishes_the_folder(rig: PublisherRig) -> None:
    assert rig.hears() is None
    await rig.start()
    assert rig.hears() == "Hello"
    (version,) = await rig.store.page()
    assert (version.number, version.state, version.source) == (1, State.LIVE, Source.FOLDER)
    assert rig.notes == [("dialplan.published", {"version": 1, "before": None, "how": "start"})]


async def test_a_publish_is_kept_with_author_time_comment_and_all_files(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Welcome")
    (rig.folder / "test.test.yaml").write_text("flow: test\n")
    (rig.folder / "notes.txt").write_text("not a dialplan")
    outcome = await rig.publisher.publish(author="Ana", comment="a warmer greeting")
    assert number(outcome) == 2
    assert outcome.flows == ("test",)
    version = await rig.publisher.find(2)
    assert (version.author, version.comment, version.follows) == ("Ana", "a warmer greeting", 1)
    assert version.made_at < (version.published_at or 0)
    assert sorted(await rig.publisher.files(2)) == ["test.test.yaml", "test.yaml"]
    assert rig.hears() == "Welcome"
    assert await states(rig) == {2: "live", 1: "past"}


async def test_a_call_keeps_the_version_that_it_began_with(rig: PublisherRig) -> None:
    await rig.start()
    begun = rig.library.flow_for("100", "c-1", "")
    assert begun is not None
    rig.in_use = {1}
    for text in ("Second", "Third"):
        rig.write(text=text)
        await rig.publisher.publish()
    assert rig.hears() == "Third"
    assert rig.hears(kept=1) == "Hello"
    assert begun.flow.texts()["en"] == {"Hello"}


async def test_a_bad_folder_is_refused_and_the_running_version_stays(rig: PublisherRig) -> None:
    await rig.start()
    rig.write("200", "Hello {nobody}")
    refused = await rig.publisher.publish()
    assert refused.version is None
    assert [problem.message for problem in refused.problems] == ["there is no variable 'nobody'"]
    assert str(refused.problems[0]).startswith(f"{rig.folder}/test.yaml:7:16:")
    assert rig.hears() == "Hello"
    assert await states(rig) == {1: "live"}


async def test_a_folder_that_is_gone_is_refused(rig: PublisherRig) -> None:
    await rig.start()
    (rig.folder / "test.yaml").unlink()
    rig.folder.rmdir()
    assert "cannot be read" in (await rig.publisher.publish()).problems[0].message
    assert rig.hears() == "Hello"


async def test_a_text_that_no_voice_can_speak_refuses(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Unspeakable")
    rig.synthesiser.failing.add("Unspeakable")
    refused = await rig.publisher.publish()
    assert refused.version is None
    assert "cannot be spoken: no voice today" in refused.problems[0].message
    assert rig.hears() == "Hello"


async def test_queues_are_those_of_now(rig: PublisherRig) -> None:
    await rig.start()
    rig.queues = {"support"}
    assert [one.message for one in (await rig.publisher.publish()).problems] == ["there is no queue 'sales'"]


async def test_a_publish_of_unchanged_content_says_so_and_makes_no_version(rig: PublisherRig) -> None:
    await rig.start()
    again = await rig.publisher.publish(comment="again")
    assert again.unchanged
    assert number(again) == 1
    assert len(rig.notes) == 1
    for sound in (rig.folder.parent / "prompts").rglob("*.wav"):
        sound.unlink()
    rig.synthesiser.jobs.clear()
    await rig.publisher.publish()
    assert rig.synthesiser.jobs, "what somebody deleted is spoken again"


async def test_content_can_be_sent(rig: PublisherRig) -> None:
    await rig.start()
    sent = {"sent.yaml": good(text="Sent").encode()}
    outcome = await rig.publisher.publish(sent, author="ci")
    assert outcome.version is not None
    assert outcome.version.source is Source.REQUEST
    assert rig.hears() == "Sent"
    refused = await rig.publisher.publish({"shared/sent.yaml": b"flow: 1"})
    assert {problem.file for problem in refused.problems} == {"shared/sent.yaml"}
    assert rig.hears() == "Sent"


async def test_publishes_at_once_follow_each_other(rig: PublisherRig) -> None:
    await rig.start()
    outcomes = await asyncio.gather(
        *(rig.publisher.publish({"a.yaml": good(text=f"Text {n}").encode()}) for n in range(5))
    )
    assert sorted(number(outcome) or 0 for outcome in outcomes) == [2, 3, 4, 5, 6]
    assert list((await states(rig)).values()) == ["live", *["past"] * 5]
    assert rig.hears() == (await load_text(rig, 6))
    assert [(await rig.publisher.find(n)).follows for n in range(2, 7)] == [1, 2, 3, 4, 5]


async def load_text(rig: PublisherRig, version: int) -> str | None:
    dialplans = await load_version(rig.store, version)
    assert dialplans is not None
    return ", ".join(map(str, next(iter(dialplans)).texts()["en"]))


async def test_a_database_that_is_away_refuses_and_changes_nothing(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Welcome")
    database = rig.folder.parent / "cordboard.db"
    for name in ("cordboard.db", "cordboard.db-wal", "cordboard.db-shm"):
        (database.parent / name).unlink(missing_ok=True)
    await rig.store._engine.dispose()
    with pytest.raises(DatabaseUnavailable):
        await rig.publisher.publish()
    assert rig.hears() == "Hello"


class Everything(set[str]):
    def __contains__(self, _text: object) -> bool:
        return True


async def test_calls_do_not_notice_a_large_publish(rig: PublisherRig) -> None:
    """The loop's longest pause is a small part of the publish. On the loop itself it would be nearly all of it."""
    await rig.start()
    rig.queues = {"sales", "support"}
    rig.synthesiser.failing = Everything()
    loop = asyncio.get_running_loop()
    shares = []
    for number in range(2):
        content = files(150)
        content["more.yaml"] = good(str(200 + number), flow="more").encode()
        longest = 0.0

        async def take_turns() -> None:
            nonlocal longest
            while True:
                begun = loop.time()
                await asyncio.sleep(0.001)
                longest = max(longest, loop.time() - begun)

        turns = asyncio.create_task(take_turns())
        await asyncio.sleep(0)
        begun = loop.time()
        reading = await rig.library.read(content)
        took = loop.time() - begun
        turns.cancel()
        assert reading.dialplans is not None
        shares.append(longest / took)
    assert min(shares) < 0.4, shares


# back


async def test_a_rollback_leads_back_and_a_second_one_further(rig: PublisherRig) -> None:
    await of_three(rig)
    assert number(await rig.publisher.rollback()) == 2
    assert rig.hears() == "Second"
    assert number(await rig.publisher.rollback()) == 1
    assert rig.hears() == "Hello"
    with pytest.raises(CommandRefused, match="no version before version 1"):
        await rig.publisher.rollback()
    assert [data["how"] for _, data in rig.notes[-2:]] == ["rollback", "rollback"]


async def test_a_rollback_after_a_mended_version_skips_the_bad_one(rig: PublisherRig) -> None:
    """3 was bad, back to 2, 4 follows; back from 4 leads to 2."""
    await of_three(rig)
    await rig.publisher.rollback()
    rig.write(text="Fourth")
    assert number(await rig.publisher.publish()) == 4
    assert number(await rig.publisher.rollback()) == 2


async def test_a_rollback_to_any_version(rig: PublisherRig) -> None:
    await of_three(rig)
    assert number(await rig.publisher.rollback(1)) == 1
    assert rig.hears() == "Hello"
    with pytest.raises(NotFound, match="no version 9"):
        await rig.publisher.rollback(9)
    with pytest.raises(CommandRefused, match="meet version 1 already"):
        await rig.publisher.rollback(1)


async def test_a_rollback_needs_no_folder_and_no_voice(rig: PublisherRig) -> None:
    await of_three(rig)
    (rig.folder / "test.yaml").write_text("flow: [broken")
    rig.synthesiser.failing |= {"Hello", "Second"}
    assert number(await rig.publisher.rollback()) == 2
    assert rig.hears() == "Second"


async def test_the_folder_can_be_published_again_after_a_rollback(rig: PublisherRig) -> None:
    await of_three(rig)
    await rig.publisher.rollback()
    assert number(await rig.publisher.publish()) == 4
    assert rig.hears() == "Third"


async def test_a_version_that_is_there_is_published(rig: PublisherRig) -> None:
    await of_three(rig)
    await rig.publisher.rollback(1)
    assert number(await rig.publisher.go_live(3)) == 3
    assert (await rig.publisher.find(3)).follows == 1


# canaries


async def test_a_staged_version_meets_no_call(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Staged")
    staged = await rig.publisher.publish(stage=True)
    assert number(staged) == 2
    assert rig.hears() == "Hello"
    assert await states(rig) == {2: "staged", 1: "live"}
    again = await rig.publisher.publish(stage=True)
    assert again.unchanged
    assert number(again) == 2


async def test_a_canary_is_met_by_some_and_promoted_or_stopped(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Canary")
    await rig.publisher.publish(stage=True)
    await rig.publisher.start_canary(2, 0.0, ["+15550177"])
    assert rig.hears(caller="+15550177") == "Canary"
    assert rig.hears(caller="+15550100") == "Hello"
    assert await states(rig) == {2: "canary", 1: "live"}
    stopped = await rig.publisher.stop_canary()
    assert (stopped.number, stopped.state, stopped.numbers) == (2, State.STAGED, ())
    assert rig.hears(caller="+15550177") == "Hello"
    with pytest.raises(CommandRefused, match="no canary"):
        await rig.publisher.stop_canary()
    await rig.publisher.start_canary(2, 0.25, [])
    assert rig.notes[-1] == ("dialplan.canary_started", {"version": 2, "share": 0.25, "numbers": 0})
    promoted = await rig.publisher.promote()
    assert promoted.version is not None
    assert (promoted.version.number, promoted.version.state, promoted.version.share) == (2, State.LIVE, 0.0)
    assert rig.hears() == "Canary"
    assert number(await rig.publisher.rollback()) == 1


async def test_a_publish_leaves_the_canary_and_a_rollback_ends_it(rig: PublisherRig) -> None:
    await of_three(rig)
    rig.write(text="Canary")
    await rig.publisher.publish(stage=True)
    await rig.publisher.start_canary(4, 0.0, ["7"])
    await rig.publisher.publish({"a.yaml": good(text="Fifth").encode()})
    assert rig.hears(caller="7") == "Canary"
    assert await states(rig) == {5: "live", 4: "canary", 3: "past", 2: "past", 1: "past"}
    await rig.publisher.rollback()
    assert rig.hears(caller="7") == "Third"
    assert (await states(rig))[4] == "staged"


async def test_the_live_version_is_no_canary(rig: PublisherRig) -> None:
    await rig.start()
    with pytest.raises(CommandRefused, match="meet version 1 already"):
        await rig.publisher.start_canary(1, 0.5, [])


async def test_an_old_version_as_a_canary_is_past_again_when_it_ends(rig: PublisherRig) -> None:
    await of_three(rig)
    await rig.publisher.start_canary(1, 0.0, ["7"])
    assert rig.hears(caller="7") == "Hello"
    await rig.publisher.stop_canary()
    assert (await states(rig))[1] == "past"


# a start


async def test_what_is_published_survives_a_restart(rig: PublisherRig) -> None:
    await rig.start()
    await rig.publisher.publish({"sent.yaml": good(text="Sent").encode()})
    assert await rig.start() == []
    assert rig.hears() == "Sent"
    assert rig.publisher.trouble == ""
    assert await states(rig) == {2: "live", 1: "past"}


async def test_a_rollback_survives_a_restart_though_the_folder_is_newer(rig: PublisherRig) -> None:
    await of_three(rig)
    await rig.publisher.rollback()
    await rig.start()
    assert rig.hears() == "Second"


async def test_a_folder_that_was_changed_is_published_at_the_start(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Edited")
    await rig.start()
    assert rig.hears() == "Edited"
    assert await states(rig) == {2: "live", 1: "past"}
    assert rig.notes[-1] == ("dialplan.published", {"version": 2, "before": 1, "how": "start"})


async def test_unless_only_what_was_published_counts(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Edited")
    await rig.start(folder_wins=False)
    assert rig.hears() == "Hello"
    assert rig.publisher.trouble == ""
    (rig.folder / "test.yaml").write_text("flow: [broken")
    await rig.start(folder_wins=False)
    assert rig.hears() == "Hello"
    assert rig.publisher.trouble == ""


@pytest.mark.parametrize("broken", ["flow: [broken", good(text="Hello {nobody}"), None])
async def test_a_broken_folder_does_not_keep_the_service_from_serving(rig: PublisherRig, broken: str | None) -> None:
    await rig.start()
    if broken is None:
        (rig.folder / "test.yaml").unlink()
    else:
        (rig.folder / "test.yaml").write_text(broken)
    assert await rig.start()
    assert rig.hears() == "Hello"
    assert "version 1 is served" in rig.publisher.trouble
    assert str(rig.folder) in rig.publisher.trouble
    rig.write(text="Mended")
    await rig.publisher.publish()
    assert rig.publisher.trouble == ""


async def test_a_changed_folder_that_cannot_be_spoken_is_not_taken_over(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Unspeakable")
    rig.synthesiser.failing.add("Unspeakable")
    await rig.start()
    assert rig.hears() == "Hello"
    assert "cannot be spoken" in rig.publisher.trouble


async def test_a_bad_folder_cannot_be_the_first(rig: PublisherRig) -> None:
    rig.write(text="Hello {nobody}")
    with pytest.raises(DialplanErrors):
        await rig.start()
    assert await rig.store.page() == []


async def test_the_first_start_serves_who_it_can(rig: PublisherRig) -> None:
    rig.synthesiser.failing.add("Hello")
    (finding,) = await rig.start()
    assert "cannot be spoken" in finding
    assert rig.hears() == "Hello"


async def test_what_was_published_is_served_although_the_configuration_has_lost_a_queue(rig: PublisherRig) -> None:
    await rig.start()
    rig.queues = {"support"}
    assert await rig.start() == ["there is no queue 'sales'"]
    assert rig.hears() == "Hello"
    assert "no queue 'sales'" in rig.publisher.trouble


async def of_an_older_program(rig: PublisherRig, text: str) -> None:
    """A live version with a verb that this program does not know (any more)."""
    now = (await rig.store.page(1))[0]
    added = await rig.store.add(replace(now, content_hash="older", source=Source.REQUEST), {"test.yaml": text.encode()})
    await rig.store.go_live(added.number, 1.0, now.number)


@pytest.mark.parametrize("folder_wins", [True, False])
async def test_a_version_that_this_program_cannot_read_is_said_with_what_to_do(
    rig: PublisherRig, folder_wins: bool
) -> None:
    await rig.start()
    await of_an_older_program(rig, good().replace("say:", "announce:"))
    if folder_wins:
        rig.write(text="Hello {nobody}")
    with pytest.raises(DialplanErrors) as raised:
        await rig.start(folder_wins=folder_wins)
    first = raised.value.problems[0]
    assert first.message == "version 2, which was published last, cannot be read any more"
    assert ("dialplans_at_start" in first.hint) is not folder_wins
    assert any(one.file.startswith("version 2") for one in raised.value.problems)


async def test_a_good_folder_takes_its_place_though_it_is_not_new(rig: PublisherRig) -> None:
    await rig.start()
    await of_an_older_program(rig, good().replace("say:", "announce:"))
    assert await rig.start()
    assert rig.hears() == "Hello"
    assert rig.publisher.trouble == "version 2, which was published last, cannot be read any more; the folder is served"
    assert (await states(rig))[3] == "live"
    await rig.start()
    assert rig.publisher.trouble == ""


async def test_a_rollback_to_a_version_whose_queue_is_gone_is_refused_and_says_so(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Edited")
    (rig.folder / "test.yaml").write_text((rig.folder / "test.yaml").read_text().replace("sales", "support"))
    rig.queues = {"support"}
    await rig.publisher.publish()
    await rig.start()
    outcome = await rig.publisher.rollback()
    assert outcome.version is None
    assert [one.message for one in outcome.problems] == ["there is no queue 'sales'"]
    assert rig.hears() == "Edited"


async def test_a_canary_survives_a_restart(rig: PublisherRig) -> None:
    await rig.start()
    rig.write(text="Canary")
    await rig.publisher.publish(stage=True)
    await rig.publisher.start_canary(2, 0.0, ["7"])
    await rig.start()
    assert rig.hears(caller="7") == "Canary"
    assert rig.hears() == "Hello"


async def test_calls_of_a_predecessor_find_their_version_again(rig: PublisherRig) -> None:
    await of_three(rig)
    await rig.start(recovered={1, 0, 77})
    assert rig.hears(kept=1) == "Hello"
    assert rig.hears(kept=2) == "Third", "no call needed it: not at hand"
    for text in ("Fourth", "Fifth"):
        rig.write(text=text)
        await rig.publisher.publish()
    assert rig.hears(kept=1) == "Hello"


def test_the_versions_that_calls_began_with_are_in_their_events() -> None:
    def event(kind: str, **data: object) -> Event:
        return Event(1, 0.0, kind, "c", None, None, dict(data))

    events = [
        event("flow.started", dialplans=3),
        event("flow.started", flow="x"),
        event("node.entered", dialplans=4),
        event("flow.started", dialplans="5"),
    ]
    assert begun_with(events) == {3}


# what is kept


async def test_old_versions_go_but_none_that_is_needed(rig: PublisherRig) -> None:
    await rig.start(keep=2)
    rig.in_use = {1}
    rig.write(text="Canary")
    await rig.publisher.publish(stage=True)
    await rig.publisher.start_canary(2, 0.5, [])
    for text in ("Third", "Fourth", "Fifth", "Sixth"):
        rig.write(text=text)
        await rig.publisher.publish()
    assert await states(rig) == {6: "live", 5: "past", 2: "canary", 1: "past"}
    rig.in_use = set()
    rig.write(text="Seventh")
    await rig.publisher.publish()
    assert await states(rig) == {7: "live", 6: "past", 2: "canary"}


async def test_all_versions_are_kept_when_nothing_else_is_said(rig: PublisherRig) -> None:
    await of_three(rig)
    assert len(await rig.store.page()) == 3
    assert [one.number for one in await rig.store.page(limit=2, before=3)] == [2, 1]


async def test_a_version_can_be_loaded_without_a_service(rig: PublisherRig) -> None:
    await of_three(rig)
    assert await load_text(rig, 2) == "Second"
    assert await load_version(rig.store, 9) is None
    with pytest.raises(DialplanErrors, match=r"^version 1/test\.yaml:8:"):
        await load_version(rig.store, 1, queues={"support"})


def test_content_is_the_same_whatever_the_order_and_other_when_a_byte_moves() -> None:
    files = {"a.yaml": b"1", "b.yaml": b"2"}
    assert hash_of(files) == hash_of(dict(reversed(files.items())))
    assert len({hash_of(one) for one in (files, {"a.yaml": b"12", "b.yaml": b""}, {"a.yaml": b"1"}, {})}) == 4
    assert unpacked(packed(files)) == files
    assert packed(files) == packed(dict(reversed(files.items())))


# in any order


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_people_do_memory_and_database_agree_and_every_call_finds_its_version(
    rig: PublisherRig, seed: int
) -> None:
    chance = Random(seed)
    await rig.start()
    texts = {1: "Hello"}
    calls: set[int] = set()
    for step in range(30):
        live = rig.library.versions.live
        calls.add(live)
        rig.in_use = calls
        made = sorted(texts)
        text = f"Text {step}"
        with contextlib.suppress(CommandRefused):
            match chance.choice(["publish", "bad", "stage", "canary", "stop", "promote", "back", "to", "restart"]):
                case "publish" | "stage" as how:
                    done = await rig.publisher.publish({"a.yaml": good(text=text).encode()}, stage=how == "stage")
                    texts[number(done) or 0] = text
                case "bad":
                    assert number(await rig.publisher.publish({"a.yaml": b"flow: [x"})) is None
                case "canary":
                    await rig.publisher.start_canary(chance.choice(made), 0.0, ["7"])
                case "stop":
                    await rig.publisher.stop_canary()
                case "promote":
                    await rig.publisher.promote()
                case "back":
                    await rig.publisher.rollback()
                case "to":
                    await rig.publisher.rollback(chance.choice(made))
                case "restart":
                    await rig.start(recovered=calls)
        versions = rig.library.versions
        on_record = {state: [one for one in await rig.store.page() if one.state is state] for state in State}
        assert [one.number for one in on_record[State.LIVE]] == [versions.live]
        assert [one.number for one in on_record[State.CANARY]] == ([versions.canary.version] if versions.canary else [])
        assert rig.hears() == texts[versions.live]
        assert rig.hears(caller="7") == texts[versions.canary.version if versions.canary else versions.live]
        assert all(rig.hears(kept=version) == texts[version] for version in calls)
