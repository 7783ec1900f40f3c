"""Real callers walk through the account line as it is shipped: another system, secure digits, a queue, a survey."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.demo_billing import Billing, serve_billing
from cordboard.message import RATE
from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter
from ivr.loader import load_folder
from ivr.prompts import PromptStore
from ivr.voices import Voices
from tests.system.site import INSTALLED, PROJECT, Site

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]
"""The first time, more than a thousand pieces of numbers, dates and amounts are spoken."""

ALWAYS = {"mon-sun": ["00:00-24:00"]}
CARD = "4111111111111111"
KNOWN = "+12125550142"


def shipped(folder: Path, port: int, hours: dict[str, list[str]]) -> Path:
    """The shipped dialplans, with a billing system at another port and hours that do not depend on when this runs."""
    copy = folder / "dialplans"
    shutil.copytree(PROJECT / "dialplans", copy)
    for file in copy.rglob("*.yaml"):
        file.write_text(file.read_text().replace("http://127.0.0.1:8090", f"http://127.0.0.1:{port}"))
    office = {"office": {"time_zone": "America/New_York", "weekly": hours}}
    (copy / "shared" / "hours.yaml").write_text(f"hours: {json.dumps(office)}\n")
    return copy


class Line:
    """A site with the shipped dialplans, its billing system, and what one caller has pressed so far."""

    def __init__(self, site: Site, billing: Billing) -> None:
        self.site = site
        self.billing = billing
        self.seen = 0

    async def at(self, node: str, prompt: str = "") -> None:
        """The caller is at this node, and something is being said to them there."""
        fields = {"node": node} | ({"prompt": prompt} if prompt else {})
        await self.site.event("prompt.started", after=self.seen, **fields)
        self.seen = 1 + max(
            index
            for index, event in enumerate(self.site.events)
            if event["kind"] == "prompt.started" and event["data"]["node"] == node
        )

    async def press(self, call: PhoneCall, node: str, keys: str, prompt: str = "") -> None:
        await self.at(node, prompt)
        await call.send_digits(keys)


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    billing = Billing()
    runner = await serve_billing(billing, 0)
    port = runner.addresses[0][1]
    folder = shipped(tmp_path, port, ALWAYS)
    store = PromptStore(PROJECT / "recordings" / "prompts", Voices({}, INSTALLED / "bin" / "espeak-ng"))
    assert (await store.prepare(load_folder(folder), ("en", "es"))).failures == []
    site = Site(
        {
            "languages": ["en", "es"],
            "lookups": {"allow": [f"http://127.0.0.1:{port}"]},
            "transfers": {"prefixes": ["+1212555"]},
            "queues.support.when_empty": "leave",
        },
        folder,
    )
    try:
        await site.start()
        yield Line(site, billing)
        await site.audit()
    finally:
        await site.close()
        await runner.cleanup()


async def test_balance_payment_a_person_and_a_survey(line: Line) -> None:
    site = line.site
    agent = await site.agent("1001", AnswerAfter(0.2))
    call = await site.call("200")
    await line.press(call, "language", "1")
    await line.press(call, "main", "1")
    await line.press(call, "ask", "100001")
    await line.press(call, "ask", "1", "ask.confirm")
    await line.at("tell-balance")
    await line.press(call, "offer-payment", "1")
    await line.press(call, "card", f"{CARD}#")
    await line.press(call, "expiry", "1227")
    await line.at("thank-for-payment")
    assert line.billing.payments == [("100001", 84.5)]
    await line.press(call, "main", "0")
    talk = await site.event("talk.started")
    assert (await site.agents())["1001"]["data"] == {"account": "100001", "paid": "7001"}
    await agent.live_calls[0].hang_up()
    await line.press(call, "ask-opinion", "5")
    await line.press(call, "ask-opinion", "10")
    await line.at("bye")
    await call.wait_closed()
    ended = await site.event("call.ended")
    assert ended["data"]["outcome"] == "talked"
    scores = [one for one in site.events if one["kind"] == "survey.answered"]
    assert {one["data"]["question"] for one in scores} == {"satisfied", "recommend"}
    assert {one["agent"] for one in scores} == {talk["agent"]}
    assert CARD not in json.dumps(site.events)


async def test_nobody_is_there_a_callback_a_message_and_who_gave_up(line: Line) -> None:
    site = line.site
    await site.api.ask("POST", "/api/switches/outage", {"on": True})
    call = await site.call("200", await site.caller(KNOWN))
    await line.at("outage")
    await line.press(call, "language", "2")
    await line.press(call, "main", "0")
    await line.press(call, "offer-callback", "1")
    await line.at("promised")
    (promised,) = (await site.api.ask("GET", "/api/callbacks"))["callbacks"]
    assert (promised["number"], promised["queue"], promised["language"]) == (KNOWN, "support", "es")
    await call.wait_closed()

    other = await site.call("200")
    await line.press(other, "language", "1")
    await line.press(other, "main", "0")
    await line.press(other, "offer-callback", "2")
    await line.at("message")
    await site.event("prompt.ended", after=line.seen)
    other.say_tone(700)
    await site.until(lambda: speaks(site), 5, "the PBX writes what is said")
    await other.send_digits("#")
    await line.press(other, "message", "1", "message.review")
    await line.at("bye")
    await other.wait_closed()

    async def kept() -> bool:
        return [one["box"] for one in (await site.api.ask("GET", "/api/messages"))["messages"]] == ["support"]

    await site.until(kept, 5, "the message is on the list")

    third = await site.call("200")
    await line.at("language")
    await third.hang_up()
    await site.until(lambda: line.billing.visits == 1, 5, "billing is told of the caller who gave up")


def speaks(site: Site) -> bool:
    """Half a second is on disk."""
    return any(path.stat().st_size > RATE for path in (site.folder / "recordings" / "messages").glob("*.sln"))
