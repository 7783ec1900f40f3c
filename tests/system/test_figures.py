"""The figures of a real call: as they grow, as the log says them, and as a successor of a killed service knows them."""

from __future__ import annotations

from typing import Any

import pytest

from cordboard.phones.softphone import AnswerAfter
from tests.system.site import Site

pytestmark = pytest.mark.system

BOTH = ("offered", "answered", "abandoned", "average_wait_s")


async def test_one_call_in_the_figures_live_in_the_log_and_after_a_restart(site: Site) -> None:
    await site.agent("1001", AnswerAfter(0.5))
    call = await site.call()
    await site.event("prompt.started", node="menu")
    await call.wait_sound()
    await call.send_digits("2")
    await site.event("talk.started", agent="1001")
    await call.hang_up()
    record = await site.record()
    await site.agent_is("1001", state="ready")
    log = (await site.api.ask("GET", "/api/figures?queue=support"))["total"]["queues"]["support"]
    figures = {one["name"]: one["value"] for one in log}
    assert [figures[name] for name in ("offered", "answered", "abandoned", "handled")] == [1, 1, 0, 1]
    assert figures["average_talk_s"] == pytest.approx(record["talk_s"], abs=0.05)
    assert figures["average_wrap_up_s"] > 0
    today = await the_day(site)
    assert {name: today[name] for name in BOTH} == {name: figures[name] for name in BOTH}
    assert today["service_level"] == figures["service_level_offered"] == 1.0

    await site.kill_service()
    await site.start_service()

    async def known() -> bool:
        return await the_day(site) == today

    await site.until(known, 10, "the figures of before the restart")
    await site.audit()


async def the_day(site: Site) -> dict[str, Any]:
    views = (await site.api.ask("GET", "/api/queues"))["queues"]
    today: dict[str, Any] = next(view["today"] for view in views if view["name"] == "support")
    return today
