"""The plain dialplan serves a whole call while the service is away; the call is on record all the same."""

from __future__ import annotations

import pytest

from tests.system.site import Site

pytestmark = pytest.mark.system


async def test_a_call_that_the_service_never_saw_gets_its_record(site: Site) -> None:
    await site.kill_service()
    caller = await site.caller()
    call = await caller.dial("100")
    site.callers += 1
    await call.wait_established(timeout=30)
    voicemail = site.config.recordings_dir / "voicemail"
    await site.until(lambda: list(voicemail.glob("*.wav")), 30, "a message is being recorded")
    (message,) = voicemail.glob("*.wav")
    await call.hang_up()

    await site.start_service()
    record = await site.record()
    assert record["outcome"] == "fallback"
    assert record["call_id"] == message.stem
    assert record["dialled"] == "100"
    assert record["origin"] == "public"
    assert record["arrived_at"] < record["answered_at"] < record["ended_at"]
    imported = await site.event("call.imported", call_id=message.stem)
    assert imported["data"]["voicemail"] == f"voicemail/{message.name}"
    assert record["ended_at"] < imported["at"], "the time of the call, not that of the import"
    taken = site.pbx.settings.calls_csv.with_name("calls.csv.1")
    await site.until(lambda: not taken.exists(), 5, "the file of calls is gone")
    await site.audit()
