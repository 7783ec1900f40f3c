"""Our phones on our own PBX configuration, without the service: who judges others must be trusted first.

Needs only the private PBX: agents' phones register, callers from this machine come in without a password, and with the
service away the plain dialplan answers both.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from cordboard.pbx_settings import AgentPhone, PbxSettings
from cordboard.phones.errors import RegistrationFailed
from cordboard.phones.phone_call import CallState
from cordboard.phones.softphone import AnswerAfter, RefuseBusy, Softphone
from cordboard.phones.speaking import read_wav
from cordboard.private_pbx import PrivatePbx
from tests.system.pbx_probe import RawAmi, ami, free_port, free_udp_range

pytestmark = [pytest.mark.system, pytest.mark.asyncio(loop_scope="module")]

VAR = Path(os.environ.get("CORDBOARD_ROOT") or Path(__file__).resolve().parents[2] / "var").absolute()
SOUNDS = VAR / "asterisk-root/usr/share/asterisk/sounds/en_US_f_Allison"
SECRETS = {str(number): f"only-for-this-test-{number}" for number in range(1001, 1011)}
RTP_PORTS = 40


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pbx() -> AsyncIterator[PrivatePbx]:
    with tempfile.TemporaryDirectory(prefix="cordboard-phones-") as folder:
        rtp = free_udp_range(RTP_PORTS)
        settings = PbxSettings(
            root=VAR / "asterisk-root",
            var=Path(folder) / "pbx",
            prompts=Path(folder) / "prompts",
            voicemail=Path(folder) / "voicemail",
            ami_secret=SECRETS["1001"],
            ami_port=free_port(),
            sip_port=free_port(socket.SOCK_DGRAM),
            rtp_first=rtp,
            rtp_last=rtp + RTP_PORTS - 1,
            agents=tuple(AgentPhone(number, secret, f"Agent {number}") for number, secret in SECRETS.items()),
        )
        private = PrivatePbx(settings, VAR / "bin" / "asterisk")
        await private.start()
        try:
            yield private
        finally:
            await private.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def switch(pbx: PrivatePbx) -> AsyncIterator[RawAmi]:
    async with ami(pbx.settings.ami_port, "cordboard", SECRETS["1001"]) as session:
        yield session


async def phone(pbx: PrivatePbx, number: str = "1001", secret: str | None = None) -> Softphone:
    settings = pbx.settings
    return await Softphone.agent(settings.sip_host, settings.sip_port, number, secret or SECRETS[number])


async def caller(pbx: PrivatePbx) -> Softphone:
    return await Softphone.caller(pbx.settings.sip_host, pbx.settings.sip_port, "+15550100188", "Cal Ler")


async def ring(switch: RawAmi, number: str, application: str = "Wait", data: str = "60") -> None:
    """Have the PBX call an agent's phone, as it does for an offer."""
    reply = await switch.do(
        "Originate",
        Channel=f"PJSIP/{number}",
        ChannelId=f"ring-{number}",
        Application=application,
        Data=data,
        Async="true",
    )
    assert reply["Response"] == "Success"


async def test_a_phone_registers_and_unregisters(pbx: PrivatePbx) -> None:
    async with await phone(pbx) as agent:
        assert agent.registered
        assert "1001/sip:1001@" in await pbx.cli("pjsip show contacts")
        await agent.unregister()
        assert "1001/sip:1001@" not in await pbx.cli("pjsip show contacts")


@pytest.mark.parametrize(("number", "secret"), [("1001", "a-wrong-secret"), ("1999", "an-unknown-phone")])
async def test_a_phone_that_may_not_register_is_told_so(
    pbx: PrivatePbx, switch: RawAmi, number: str, secret: str
) -> None:
    with pytest.raises(RegistrationFailed, match=f"phone {number} could not register: 40[13]") as caught:
        await phone(pbx, number, secret)
    assert caught.value.status in (401, 403)
    if number in SECRETS:  # and its successor in this process gets its calls
        async with await phone(pbx, number) as agent:
            await ring(switch, number)
            await agent.wait_incoming()


async def test_a_phone_stops_ringing_when_the_pbx_cancels(pbx: PrivatePbx, switch: RawAmi) -> None:
    async with await phone(pbx) as agent:
        await ring(switch, "1001")
        call = await agent.wait_incoming()
        await switch.do("Hangup", Channel="/^PJSIP/1001-/")
        assert (await call.wait_closed(1.0)).reason == "the caller gave up"


async def test_a_phone_answers_hears_a_prompt_and_answers_again(pbx: PrivatePbx, switch: RawAmi) -> None:
    prompt = read_wav(SOUNDS / "vm-goodbye.wav")
    other = read_wav(SOUNDS / "auth-thankyou.wav")
    async with await phone(pbx) as agent:
        agent.incoming = AnswerAfter()
        for _ in range(2):
            await ring(switch, "1001", "Playback", "vm-goodbye")
            call = await agent.wait_incoming()
            await call.wait_established()
            await call.wait_closed()
            assert call.heard_prompt(prompt) == 1.0
            assert call.heard_prompt(other) == 0.0
            assert call.sound.lost_seconds == 0


async def test_a_phone_that_is_busy_says_so(pbx: PrivatePbx, switch: RawAmi) -> None:
    async with await phone(pbx) as agent:
        agent.incoming = RefuseBusy()
        await ring(switch, "1001")
        call = await agent.wait_incoming()
        assert (await call.wait_closed()).status == 486


async def test_ten_phones_in_one_process(pbx: PrivatePbx, switch: RawAmi) -> None:
    prompt = read_wav(SOUNDS / "vm-goodbye.wav")
    phones = await asyncio.gather(*(phone(pbx, number) for number in SECRETS))
    try:
        for one in phones:
            one.incoming = AnswerAfter()
            await ring(switch, one.user, "Playback", "vm-goodbye")
        calls = [await one.wait_incoming() for one in phones]
        for call in calls:
            await call.wait_prompt(prompt, share=1.0)
            assert call.sound.lost_seconds == 0
    finally:
        await asyncio.gather(*(one.close() for one in phones))
    assert "0 active channels" in await pbx.cli("core show channels count")


async def test_a_caller_needs_no_password(pbx: PrivatePbx) -> None:
    async with await caller(pbx) as stranger:
        call = await stranger.dial("100")
        await call.wait_ringing()  # the service is away: ringing for as long as its restart may take
        assert call.state is CallState.RINGING
        await call.hang_up()
