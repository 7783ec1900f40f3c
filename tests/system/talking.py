"""A caller and an agent who talk, each with a tone of their own, and what is done with their talk."""

from __future__ import annotations

from typing import Any

from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter, Softphone
from tests.system.mixed_sound import hears
from tests.system.site import Site

CALLER, ANA, BEN, CAT = 600.0, 900.0, 1300.0, 1700.0  # what each of them says


async def talk(site: Site, key: str = "1") -> tuple[PhoneCall, PhoneCall, str]:
    """A caller talks with agent 1001: the caller's call, the agent's, and its id."""
    agent = await site.agent("1001")
    call = await site.call()
    await site.event("prompt.started", node="menu")
    await call.send_digits(key)
    theirs = await agent.wait_incoming()
    started = await site.event("talk.started", agent="1001")
    call.say_tone(CALLER)
    theirs.say_tone(ANA)
    await hears(call, ANA)
    await hears(theirs, CALLER)
    return call, theirs, started["call_id"]


async def other(site: Site, number: str = "1002", tone: float = BEN) -> Softphone:
    """An agent who is logged in, whose phone answers with a tone. Callers of the test go to 1001, who was first."""
    phone = await site.agent(number, AnswerAfter(0.3))
    phone.on_incoming(lambda call: call.say_tone(tone))
    return phone


async def command(site: Site, call: str, name: str, to: str = "") -> Any:
    return await site.api.ask("POST", f"/api/calls/{call}/talk/{name}", {"to": to} if to else {})


async def legs(site: Site, call: str) -> list[dict[str, Any]]:
    """Who talked, once the call is over."""
    await site.event("call.ended")
    found: list[dict[str, Any]] = (await site.api.ask("GET", f"/api/calls/{call}"))["legs"]
    return found
