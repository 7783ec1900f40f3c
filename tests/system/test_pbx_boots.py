"""A real Asterisk, started from our rendered configuration: what it runs, whom it lets in, how it starts and stops."""

from __future__ import annotations

import asyncio
import csv
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.pbx_settings import DANGEROUS_MODULES, AgentPhone, PbxSettings
from cordboard.private_pbx import PrivatePbx, PrivatePbxError
from tests.system.pbx_probe import RawAmi, ami, free_port, free_udp_range, invite

pytestmark = pytest.mark.system

VAR = Path(os.environ.get("CORDBOARD_ROOT") or Path(__file__).resolve().parents[2] / "var").absolute()
LAUNCHER = VAR / "bin" / "asterisk"
SECRET = "only-for-tests-0123"
RTP_PORTS = 20


@pytest.fixture
def settings() -> Iterator[PbxSettings]:
    # not pytest's tmp_path: the control socket's path has to stay short
    with tempfile.TemporaryDirectory(prefix="cordboard-pbx-") as folder:
        rtp = free_udp_range(RTP_PORTS)
        yield PbxSettings(
            root=VAR / "asterisk-root",
            var=Path(folder) / "pbx",
            prompts=Path(folder) / "prompts",
            voicemail=Path(folder) / "voicemail",
            ami_secret=SECRET,
            auditor_secret=SECRET,
            ami_port=free_port(),
            sip_port=free_port(socket.SOCK_DGRAM),
            rtp_first=rtp,
            rtp_last=rtp + RTP_PORTS - 1,
            agents=(AgentPhone("1001", SECRET, "Ada Okafor"), AgentPhone("1002", SECRET, "Bo Lindqvist")),
            dead_man_s=5,
            first_wait_s=1,
        )


@pytest.fixture
async def pbx(settings: PbxSettings) -> AsyncIterator[PrivatePbx]:
    private = PrivatePbx(settings, LAUNCHER)
    await private.start()
    yield private
    await private.stop()


@pytest.fixture
async def service(pbx: PrivatePbx) -> AsyncIterator[RawAmi]:
    async with ami(pbx.settings.ami_port, "cordboard", SECRET) as session:
        yield session


async def arrive(service: RawAmi, channel_id: str, number: str) -> str:
    """A call comes in (through a Local channel: no phone is needed); the name of the channel that waits for us."""
    reply = await service.do(
        "Originate",
        Channel=f"Local/{number}@cordboard-in/n",
        ChannelId=f"far-{channel_id}",
        OtherChannelId=channel_id,
        Application="Wait",
        Data="60",
        Async="true",
    )
    assert reply["Response"] == "Success"
    started = await service.event("AsyncAGIStart", Uniqueid=channel_id)
    assert started["Context"] == "cordboard-in"
    assert started["Exten"] == number
    return started["Channel"]


async def agi(service: RawAmi, channel: str, command: str, token: str) -> None:
    assert (await service.do("AGI", Channel=channel, Command=command, CommandID=token))["Response"] == "Success"
    await service.event("AsyncAGIExec", CommandId=token)


async def test_it_runs_what_it_should_and_nothing_dangerous(pbx: PrivatePbx) -> None:
    modules = {line.split()[0].removesuffix(".so") for line in (await pbx.cli("module show")).splitlines() if line}
    assert {"chan_pjsip", "res_agi", "app_record", "cdr_custom"} <= modules
    assert not DANGEROUS_MODULES & modules
    applications = await pbx.cli("core show applications")
    assert "System:" not in applications
    assert "live_dangerously" not in await pbx.cli("core show settings")
    endpoints = await pbx.cli("pjsip show endpoints")
    assert "1001/1001" in endpoints
    assert "demo-caller" in endpoints
    assert "default" in await pbx.cli("moh show classes")
    log = (pbx.settings.log / "messages.log").read_text()
    assert "WARNING" not in log
    assert "ERROR" not in log


async def test_the_service_looks_and_its_event_filter_hides_no_answer(service: RawAmi) -> None:
    await arrive(service, "cb-look-1", "100")
    channels = await service.listed("CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete")
    (waiting,) = [channel for channel in channels if channel["Uniqueid"] == "cb-look-1"]
    assert waiting["Application"] == "AGI"
    assert waiting["ApplicationData"] == "agi:async"
    statuses = await service.listed("Status", "Status", "StatusComplete")
    assert {status["Uniqueid"] for status in statuses} >= {"cb-look-1"}
    devices = await service.listed("DeviceStateList", "DeviceStateChange", "DeviceStateListComplete")
    assert {device["Device"] for device in devices} >= {"PJSIP/1001", "PJSIP/1002"}
    assert await service.listed("BridgeList", "BridgeListItem", "BridgeListComplete") == []
    assert not {message.get("Event") for message in service.heard} & {"Newchannel", "VarSet", "Newexten"}


@pytest.mark.parametrize("action", ["Command", "UpdateConfig"])
async def test_the_service_has_no_power_over_the_pbx_itself(service: RawAmi, action: str) -> None:
    reply = await service.do(action)
    assert reply["Response"] == "Error"
    assert "Permission denied" in reply["Message"]


@pytest.mark.parametrize("module", ["app_system.so", "{root}/app_system.so", "../../{root}/app_system.so"])
async def test_the_service_cannot_load_what_is_not_on_the_list(
    pbx: PrivatePbx, service: RawAmi, settings: PbxSettings, module: str
) -> None:
    assert (settings.modules / "app_system.so").exists()
    reply = await service.do("ModuleLoad", Module=module.format(root=settings.modules), LoadType="load")
    assert reply["Response"] == "Error"
    assert "app_system" not in await pbx.cli("module show like app_system")


async def test_the_auditor_sees_calls_and_touches_none(service: RawAmi, settings: PbxSettings) -> None:
    await arrive(service, "cb-audit-1", "100")
    async with ami(settings.ami_port, "auditor", SECRET) as auditor:
        channels = await auditor.listed("CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete")
        assert "cb-audit-1" in {channel["Uniqueid"] for channel in channels}
        assert (await auditor.do("Hangup", Channel="cb-audit-1"))["Message"] == "Permission denied"


async def test_a_talk_begins_by_redirect_and_gives_the_caller_back(service: RawAmi, settings: PbxSettings) -> None:
    caller = await arrive(service, "cb-talk-1", "200")
    await agi(service, caller, "ANSWER", "answer-caller")
    await service.do(
        "Originate",
        Channel="Local/300@cordboard-in/n",
        ChannelId="cb-leg-1",
        OtherChannelId="far-cb-leg-1",
        Context="cordboard-offer",
        Exten="s",
        Priority="1",
        Async="true",
    )
    phone = await service.event("AsyncAGIStart", Uniqueid="far-cb-leg-1")
    await agi(service, phone["Channel"], "ANSWER", "answer-leg")
    await service.event("UserEvent", UserEvent="CordboardLeg", Uniqueid="cb-leg-1")

    await service.do("Setvar", Channel=caller, Variable="CB_LEG", Value="cb-leg-1")
    await service.do("Redirect", Channel=caller, Context="cordboard-talk", Exten="s", Priority="1")
    entered = await service.event("BridgeEnter", Uniqueid="cb-talk-1")
    await service.event("BridgeEnter", Uniqueid="cb-leg-1", BridgeUniqueid=entered["BridgeUniqueid"])

    await service.do("Hangup", Channel="cb-leg-1")
    back = await service.event("AsyncAGIStart", Uniqueid="cb-talk-1", Context="cordboard-back")
    await service.do("Hangup", Channel=back["Channel"], Cause="16")
    await service.event("Hangup", Uniqueid="cb-talk-1")

    records = await lines(settings.calls_csv, "cb-talk-1", 2)
    assert {record[6] for record in records} == {"200"}, "the number that was dialled, in every part"
    assert {record[9] for record in records} == {""}
    assert {record[0] for record in read(settings.calls_csv)} <= {"cb-talk-1", "far-cb-leg-1"}, "no agent's leg"


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that only the file system tells."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def read(calls: Path) -> list[list[str]]:
    return list(csv.reader(calls.read_text().splitlines())) if calls.exists() else []


async def lines(calls: Path, channel: str, count: int) -> list[list[str]]:
    """The PBX's own records of a call, once there are `count` (they are written after the hang-up is announced)."""

    def found() -> list[list[str]]:
        return [record for record in read(calls) if record[0] == channel]

    await until(lambda: len(found()) >= count)
    return found()


async def test_a_silent_service_loses_the_caller_to_the_fallback(service: RawAmi, settings: PbxSettings) -> None:
    caller = await arrive(service, "cb-dead-1", "100")
    await service.event("AsyncAGIEnd", Uniqueid="cb-dead-1")  # the dead-man's switch, after 5 s
    await until((settings.voicemail / "cb-dead-1.wav").exists)  # the apology is over, the message is recorded
    await service.do("Hangup", Channel=caller, Cause="16")
    (record,) = await lines(settings.calls_csv, "cb-dead-1", 1)
    assert record[9] == "fallback"


async def test_without_a_service_the_caller_hears_ringing_and_then_the_fallback(
    pbx: PrivatePbx, settings: PbxSettings
) -> None:
    async with invite(settings.sip_port, "caller", "100") as caller:
        statuses = await caller.until(200)
    assert statuses[:2] == [100, 180]


async def test_a_service_that_comes_back_in_time_finds_the_caller_waiting(settings: PbxSettings) -> None:
    pbx = PrivatePbx(replace(settings, first_wait_s=30), LAUNCHER)
    await pbx.start()
    try:
        async with invite(settings.sip_port, "caller", "100") as caller:
            await caller.until(180)
            async with ami(settings.ami_port, "cordboard", SECRET) as service:
                channels = await service.listed("CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete")
                (waiting,) = channels
                assert waiting["Application"] == "AGI"
                await agi(service, waiting["Channel"], "ANSWER", "taken-over")
                await caller.until(200)
    finally:
        await pbx.stop()


@pytest.mark.parametrize(("caller", "dialled", "answer"), [("1001", "100", 401), ("caller", "h", 484)])
async def test_who_is_let_in(pbx: PrivatePbx, settings: PbxSettings, caller: str, dialled: str, answer: int) -> None:
    """An agent must prove it; a lone letter, which would be a special extension, is no number."""
    async with invite(settings.sip_port, caller, dialled) as call:
        await call.until(answer)


async def test_without_demo_callers_a_stranger_gets_nowhere(settings: PbxSettings) -> None:
    pbx = PrivatePbx(replace(settings, demo_callers=False), LAUNCHER)
    await pbx.start()
    try:
        async with invite(settings.sip_port, "stranger", "100") as call:
            await call.until(401)
    finally:
        await pbx.stop()


async def test_a_second_owner_adopts_what_runs(pbx: PrivatePbx) -> None:
    heir = PrivatePbx(pbx.settings, LAUNCHER)
    assert heir.pid is None
    assert await heir.start() is False
    assert heir.pid == pbx.pid
    await heir.stop()
    await pbx.wait()
    assert not heir.alive
    assert not pbx.alive
    assert heir.adopt() is False


async def test_after_a_kill_it_starts_again(pbx: PrivatePbx) -> None:
    before = pbx.pid
    pbx.kill()
    await pbx.wait()
    assert pbx.pid is None
    assert await pbx.start() is True
    assert pbx.pid not in (None, before)


async def test_a_pbx_that_cannot_start_says_why(settings: PbxSettings) -> None:
    broken = PrivatePbx(replace(settings, root=settings.var.parent / "nowhere"), LAUNCHER)
    with pytest.raises(PrivatePbxError, match=r"(?s)stopped while it started:.*module"):
        await broken.start()
    assert not broken.alive
