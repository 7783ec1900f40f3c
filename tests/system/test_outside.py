"""Agents send callers to numbers outside, through a real trunk: another SIP peer, which also brings the callers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.api_client import ServiceError
from cordboard.phones.softphone import AnswerAfter, Softphone
from tests.system.mixed_sound import hears
from tests.system.site import Site
from tests.system.talking import ANA, BEN, CALLER, command, legs, talk

pytestmark = pytest.mark.system

OUTSIDE = "+15550199"


@pytest.fixture
async def outside() -> AsyncIterator[Softphone]:
    """Somebody's phone behind the trunk."""
    phone = await Softphone.caller("127.0.0.1", 5060, OUTSIDE, incoming=AnswerAfter(0.3))
    phone.on_incoming(lambda call: call.say_tone(BEN))
    yield phone
    await phone.close()


@pytest.fixture
async def site(outside: Softphone, tmp_path: Path) -> AsyncIterator[Site]:
    secret = tmp_path / "trunk.secret"
    secret.write_text("of-the-trunk-only-in-tests")
    secret.chmod(0o600)
    trunk = {"host": "127.0.0.1", "port": int(outside.uri.rpartition(":")[2]), "user": "test"}
    made = Site(
        {
            "pbx.demo_callers": False,  # whoever calls from this machine comes through the trunk
            "pbx.trunk": trunk | {"secret_file": str(secret)},
            "transfers.prefixes": [OUTSIDE[:5]],
        }
    )
    try:
        await made.start()
        yield made
        await made.audit()
    finally:
        await made.close()


async def test_to_a_number_outside_and_on_with_the_flow_when_they_hang_up(outside: Softphone, site: Site) -> None:
    call, theirs, call_id = await talk(site)
    with pytest.raises(ServiceError, match="may not be dialled"):
        await command(site, call_id, "transfer", "number:+4930123")
    await theirs.send_digits(f"*2{OUTSIDE.removeprefix('+')}#")  # keys have no plus, and this prefix has one
    await site.event("talk.resumed")
    await command(site, call_id, "consult", f"number:{OUTSIDE}")
    his = await outside.wait_incoming()
    await hears(theirs, BEN)
    await hears(his, ANA)
    await theirs.hang_up()  # which hands over
    await site.event("talk.outside_started")
    await hears(call, BEN)
    await hears(his, CALLER)
    await his.hang_up()
    await site.event("talk.outside_ended")
    await site.event("prompt.started", node="survey")
    await call.hang_up()
    first, second = await legs(site, call_id)
    assert (first["agent"], first["ended_by"], second["agent"]) == ("1001", "transfer", None)
