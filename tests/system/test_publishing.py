"""Dialplans are published, tried on some callers and taken back while real calls are in them; a switch is flipped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cordboard.api_client import ServiceError
from cordboard.phones.phone_call import PhoneCall
from tests.system.site import Site

pytestmark = pytest.mark.system

FLOW = """
flow: main
numbers: ["100"]
language: en
start: gate
nodes:
  gate: {{switch: storm, on: closed, off: menu-{name}}}
  closed: {{say: Nobody can take your call., next: done}}
  menu-{name}:
    menu:
      prompt: Press one for sales, or two for support. Take your time, this prompt is long enough to be interrupted.
      keys: {{"3": terms-{name}}}
      timeout: 30s
      otherwise: done
  terms-{name}: {{say: Goodbye., next: menu-{name}}}
  done: {{hangup: {{}}}}
"""


@pytest.fixture(autouse=True)
async def audited(site: Site) -> AsyncIterator[None]:
    yield
    await site.audit()


async def publish(site: Site, name: str, **more: Any) -> int:
    """The version that `name` became; its nodes are called after it."""
    (site.folder / "dialplans" / "main.yaml").write_text(FLOW.format(name=name))
    outcome = await site.api.ask("POST", "/api/dialplans/publish", {"comment": name, **more}, limit_s=60)
    number: int = outcome["version"]["number"]
    return number


async def health(site: Site) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{site.api.url}/health") as answer:
        content: dict[str, Any] = await answer.json()
        return content


async def meets(site: Site, version: int, number: str = "+15550100001") -> tuple[str, PhoneCall]:
    """A new call that meets this version."""
    after = len(site.events)
    call = await site.call(caller=await site.caller(number))
    started = await site.event("flow.started", after=after)
    assert started["data"]["dialplans"] == version
    await site.event("prompt.started", after=after, call_id=started["call_id"])
    return started["call_id"], call


async def goes_on_in(site: Site, call_id: str, call: PhoneCall, name: str) -> None:
    after = len(site.events)
    await call.send_digits("3")
    await site.event("node.entered", after=after, call_id=call_id, node=f"terms-{name}")


async def test_a_day_of_publishing(site: Site) -> None:
    assert await publish(site, "first") == 2
    early, early_call = await meets(site, 2)

    (site.folder / "dialplans" / "main.yaml").write_text(FLOW.format(name="bad").replace("next: menu-bad", "next: no"))
    with pytest.raises(ServiceError, match=r"main\.yaml:\d+:\d+: there is no node 'no'"):
        await site.api.ask("POST", "/api/dialplans/publish", {}, limit_s=60)
    await goes_on_in(site, early, early_call, "first")

    assert await publish(site, "second") == 3
    late, late_call = await meets(site, 3)
    await goes_on_in(site, early, early_call, "first")
    await goes_on_in(site, late, late_call, "second")

    (site.folder / "dialplans" / "main.yaml").write_text("flow: [broken")
    await site.api.ask("POST", "/api/switches/storm", {"on": True, "note": "hurricane"})
    await site.kill_service()
    after = len(site.events)
    await site.start_service()
    for call_id, version in ((early, 2), (late, 3)):
        started = await site.event("flow.started", after=after, call_id=call_id)
        assert started["data"]["dialplans"] == version
    await goes_on_in(site, early, early_call, "first")
    await goes_on_in(site, late, late_call, "second")

    assert (await health(site))["switches_on"] == ["storm"]
    assert not (await health(site))["dialplans"]["ok"]
    after = len(site.events)
    refused = await site.call()
    await site.event("node.entered", after=after, node="closed")
    await refused.wait_closed(timeout=10)
    await site.api.ask("POST", "/api/switches/storm", {"on": False})

    assert await publish(site, "third", stage=True) == 4
    await site.api.ask("POST", "/api/dialplans/canary", {"version": 4, "numbers": ["+15550100077"]})
    canary, canary_call = await meets(site, 4, "+15550100077")
    _, other_call = await meets(site, 3, "+15550100078")
    assert (await site.api.ask("POST", "/api/dialplans/rollback"))["version"]["number"] == 2
    await goes_on_in(site, canary, canary_call, "third")
    _, last_call = await meets(site, 2, "+15550100077")
    for call in (early_call, late_call, canary_call, other_call, last_call):
        await call.hang_up()
