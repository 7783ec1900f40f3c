"""The fake Asterisk's insides: channels in async AGI, legs, bridges, phones. It speaks AMI events through `say`."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

Pairs = Iterable[tuple[str, object]]


@dataclass(frozen=True)
class Phone:
    """What a phone does when it is dialled. `answer_after=None` and no `cause`: it rings on."""

    answer_after: float | None = None
    cause: int = 0
    sip_status: int = 0
    reachable: bool = True

    @staticmethod
    def answers(after: float = 0.01) -> Phone:
        return Phone(answer_after=after)

    @staticmethod
    def rings_on() -> Phone:
        return Phone()

    @staticmethod
    def rejects(cause: int, sip_status: int) -> Phone:
        return Phone(cause=cause, sip_status=sip_status)

    @staticmethod
    def unregistered() -> Phone:
        return Phone(reachable=False)


@dataclass
class Channel:
    unique: str
    name: str
    context: str
    exten: str = "s"
    state: int = 4
    caller: str = "+15550100"
    caller_name: str = ""
    bridge: str = ""
    peer: str = ""
    in_agi: bool = False
    music: str = ""
    recorder: str = ""  # the handle of what records it
    recorder_muted: bool = False
    recorded: list[str] = field(default_factory=list)  # files
    hangs_up_at: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    commands: deque[tuple[str, str]] = field(default_factory=deque)
    playing: str = ""  # its escape digits follow
    recording_since: float | None = None  # a caller's message
    escape: str = ""
    command_id: str = ""
    timer: asyncio.TimerHandle | None = None
    dead_man: asyncio.TimerHandle | None = None
    stray_stop: bool = False
    played: list[str] = field(default_factory=list)


class World:
    """Everything that exists in the fake PBX. Tests call the verbs; AMI actions call the ones with `do_`."""

    def __init__(self, say: Callable[[str, Pairs], None]) -> None:
        self.say = say
        self.channels: dict[str, Channel] = {}
        self.phones: dict[str, Phone] = {}
        self.phone_states: dict[str, str] = {}
        self.commands: list[str] = []  # every AGI command that was run, in order
        self.prompt_seconds = 0.03
        self.beep_seconds = 0.2
        self.missing_files: set[str] = set()
        self.long_files: set[str] = set()  # these play until they are stopped
        self.garble_next = False
        self.keep_stray_stops = False  # a stop that finds no prompt waits for the next one (a race in the real one)
        self._numbers = itertools.count(1)

    # the test's verbs --------------------------------------------------------------------------------------------

    def call(
        self, dialled: str = "100", caller: str = "+15550100", name: str = "", context: str = "cordboard-in"
    ) -> str:
        number = next(self._numbers)
        channel = Channel(f"fake-{number}", f"PJSIP/trunk-{number:08x}", context, dialled, 4, caller, name)
        channel.variables["CB_DIALLED"] = dialled
        self.channels[channel.unique] = channel
        self.enter_agi(channel)
        return channel.unique

    def enter_agi(self, channel: Channel) -> None:
        channel.in_agi = True
        self.say("AsyncAGIStart", [*self.state(channel), ("Env", "agi_request%3A%20async%0A")])
        self._run_commands(channel)

    def press(self, unique: str, digit: str) -> None:
        channel = self.channels[unique]
        self.say("DTMFEnd", [*self.state(channel), ("Digit", digit), ("DurationMs", 100), ("Direction", "Received")])
        if channel.playing and digit in channel.escape:
            self._end_command(channel, f"200 result={ord(digit)} endpos=800\n")
        elif channel.recording_since is not None and digit in channel.escape:
            beeps = self.message_seconds(unique) < self.beep_seconds
            word, samples = ("randomerror", 0) if beeps else ("dtmf", self._samples(channel))
            self._end_command(channel, f"200 result={ord(digit)} ({word}) endpos={samples}\n")

    def hang_up(self, unique: str, cause: int = 16, sip_status: int = 0) -> None:
        channel = self.channels.pop(unique, None)
        if channel is None:
            return
        self._cancel(channel)
        self._cancel_dead_man(channel)
        if channel.in_agi:
            if channel.playing:
                self._agi_exec(channel, "200 result=-1 endpos=800\n")
            elif channel.recording_since is not None:
                self._agi_exec(channel, f"200 result=-1 (hangup) endpos={self._samples(channel)}\n")
            self.say("AsyncAGIEnd", self.state(channel))
        peer = self.channels.get(channel.peer)
        room = channel.bridge if channel.bridge.startswith("room-") else ""
        if channel.bridge:
            self._leave(channel)
        tech = [("TechCause", sip_status)] if sip_status else []
        self.say("Hangup", [*self.state(channel), ("Cause", cause), ("Cause-txt", "text"), *tech])
        if peer is not None and peer.bridge:
            self._leave(peer)
            self._after_talk(peer)
        if room:
            self._left_alone(room)

    def _left_alone(self, room: str) -> None:
        """With the last leg gone, a caller goes on."""
        here = [one for one in self.channels.values() if one.bridge == room]
        if not any(one.exten == "leg" for one in here):
            for one in here:
                self._leave(one)
                self._after_talk(one)

    def dead_man(self, unique: str) -> None:
        """The dead-man's timer fires: the plain dialplan takes the caller, or puts one on hold back to the agent."""
        channel = self.channels[unique]
        channel.hangs_up_at = 0
        if channel.context == "cordboard-hold":
            self.do_redirect(channel, "cordboard-talk", "s")
            return
        self._leave_agi(channel)
        channel.context, channel.exten = "cordboard-fallback", "s"

    def message_seconds(self, unique: str) -> float:
        """How long the message is that the caller is saying."""
        return self._message_seconds(self.channels[unique])

    def phone_state(self, endpoint: str, state: str) -> None:
        self.phone_states[endpoint] = state
        self.say("DeviceStateChange", [("Device", f"PJSIP/{endpoint}"), ("State", state)])

    # what AMI actions do -----------------------------------------------------------------------------------------

    def do_agi(self, channel: Channel, command: str, command_id: str) -> None:
        channel.commands.append((command, command_id))
        self._run_commands(channel)

    def do_stop(self, channel: Channel) -> None:
        if channel.playing:
            self._end_command(channel, "200 result=1000 endpos=400\n")
        elif self.keep_stray_stops:
            channel.stray_stop = True

    def do_redirect(self, channel: Channel, context: str, exten: str, to_desk: Channel | None = None) -> None:
        """`to_desk`: the leg of the same talk, sent to the desk in the same step, so that neither ends the other."""
        if channel.bridge:
            peer = self.channels.get(channel.peer)
            self._leave(channel)
            if peer is not None and peer.bridge:
                self._leave(peer)
                if peer is not to_desk:
                    self._after_talk(peer)
        if to_desk is not None:
            self.do_redirect(to_desk, "cordboard-desk", "s")
        self._cancel(channel)
        if channel.playing:
            self._agi_exec(channel, "200 result=-1 endpos=800\n")
        self._leave_agi(channel)
        channel.context, channel.exten = context, exten
        match context:
            case "cordboard-back":
                self.enter_agi(channel)
            case "cordboard-desk" | "cordboard-hold" | "cordboard-spy":
                event = f"Cordboard{context.removeprefix('cordboard-').capitalize()}"
                self.say("UserEvent", [*self.state(channel), ("UserEvent", event)])
            case "cordboard-room":
                self._enter_room(channel)
            case "cordboard-talk":
                self._bridge(channel)
            case _:
                pass

    def _enter_room(self, channel: Channel) -> None:
        channel.bridge = f"room-{channel.variables['CB_ROOM']}"
        self.say("BridgeEnter", [("BridgeUniqueid", channel.bridge), *self.state(channel)])

    def _bridge(self, channel: Channel) -> None:
        other = self.channels.get(channel.variables.get("CB_LEG", ""))
        if other is None:
            self._after_talk(channel)
            return
        bridge = f"bridge-{next(self._numbers)}"
        for one, peer in ((channel, other), (other, channel)):
            one.bridge, one.peer = bridge, peer.unique
            self.say("BridgeEnter", [("BridgeUniqueid", bridge), ("BridgeNumChannels", 1), *self.state(one)])

    def do_originate(self, endpoint: str, leg: str, seconds: float, context: str) -> None:
        phone = self.phones.get(endpoint, Phone.unregistered())
        if not phone.reachable:
            self._originate_response(leg, f"PJSIP/{endpoint}", "Failure", 0)
            return
        loop = asyncio.get_running_loop()
        channel = Channel(leg, f"PJSIP/{endpoint}-{next(self._numbers):08x}", context, "s", 0)
        self.channels[leg] = channel
        if phone.cause:
            channel.timer = loop.call_later(0.01, self._leg_ends, leg, phone.cause, phone.sip_status, 0)
            return
        channel.state = 5
        self.say("Newstate", self.state(channel))
        if phone.answer_after is not None and phone.answer_after < seconds:
            channel.timer = loop.call_later(phone.answer_after, self.answer_leg, leg)
        else:
            channel.timer = loop.call_later(seconds, self._leg_ends, leg, 19, 0, 3)

    def do_timeout(self, channel: Channel, seconds: float) -> None:
        channel.hangs_up_at = int(time.time() + seconds)
        if channel.dead_man is not None:
            channel.dead_man.cancel()
        channel.dead_man = asyncio.get_running_loop().call_later(seconds, self.dead_man, channel.unique)

    def do_record(self, channel: Channel, file: str, options: str) -> str:
        """The handle of the new recording, which the option `i` also puts into a variable."""
        channel.recorder, channel.recorder_muted = f"0x7f{next(self._numbers):010x}", False
        channel.recorded.append(file)
        channel.variables[options.partition("i(")[2].rstrip(")")] = channel.recorder
        return channel.recorder

    def do_hang_up(self, channel: Channel, cause: int) -> None:
        ringing = channel.unique.startswith("cb-") and channel.state != 6
        self.hang_up(channel.unique, cause)
        if ringing:
            self._originate_response(channel.unique, channel.name, "Failure", 0)

    def answer_leg(self, leg: str) -> None:
        channel = self.channels[leg]
        channel.state = 6
        self.say("Newstate", self.state(channel))
        self._originate_response(leg, channel.name, "Success", 4)
        self.say("UserEvent", [*self.state(channel), ("UserEvent", "CordboardLeg")])

    def status(self, channel: Channel, wanted: list[str]) -> Pairs:
        variables = [("Variable", f"{one}={channel.variables.get(one, '(null)')[:511]}") for one in wanted]
        return [
            ("Privilege", "Call"),
            *self.state(channel),
            ("Type", "PJSIP"),
            ("TimeToHangup", channel.hangs_up_at),
            ("BridgeID", channel.bridge),
            ("Application", "AGI" if channel.in_agi else "Bridge"),
            ("Data", "agi:async" if channel.in_agi else ""),
            *variables,
        ]

    # insides -----------------------------------------------------------------------------------------------------

    def state(self, channel: Channel) -> list[tuple[str, object]]:
        return [
            ("Channel", channel.name),
            ("ChannelState", channel.state),
            ("ChannelStateDesc", {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}[channel.state]),
            ("CallerIDNum", channel.caller or "<unknown>"),
            ("CallerIDName", channel.caller_name or "<unknown>"),
            ("ConnectedLineNum", "<unknown>"),
            ("ConnectedLineName", "<unknown>"),
            ("Language", channel.variables.get("CHANNEL(language)", "en")),
            ("AccountCode", ""),
            ("Context", channel.context),
            ("Exten", channel.exten),
            ("Priority", 1),
            ("Uniqueid", channel.unique),
            ("Linkedid", channel.unique),
        ]

    def _originate_response(self, leg: str, name: str, response: str, reason: int) -> None:
        self.say(
            "OriginateResponse",
            [("Response", response), ("Channel", name), ("Reason", reason), ("Uniqueid", leg), ("CallerIDNum", "1")],
        )

    def _leg_ends(self, leg: str, cause: int, sip_status: int, reason: int) -> None:
        channel = self.channels.get(leg)
        if channel is not None:
            self._originate_response(leg, channel.name, "Failure", reason)
            self.hang_up(leg, cause, sip_status)

    def _run_commands(self, channel: Channel) -> None:
        while channel.in_agi and not channel.command_id and channel.commands:
            command, channel.command_id = channel.commands.popleft()
            self.commands.append(command)
            words = command.split('"')
            if command.startswith("STREAM FILE"):
                self._stream(channel, words[1], words[3] if len(words) > 3 else "")
            elif command.startswith("RECORD FILE"):
                self._record_message(channel, words[1], words[3], words[4].split())
            elif command == "ASYNCAGI BREAK":
                self._end_command(channel, "200 result=0\n")
                self.dead_man(channel.unique)
            elif command == "ANSWER":
                channel.state = 6
                self.say("Newstate", self.state(channel))
                self._end_command(channel, "200 result=0\n")
            elif command.startswith("SET MUSIC"):
                channel.music = words[1] if "ON" in words[0] else ""
                self._end_command(channel, "200 result=0\n")
            elif command == "NOOP":
                self._end_command(channel, "200 result=0\n")
            else:
                self._end_command(channel, "510 Invalid or unknown command\n")

    def _stream(self, channel: Channel, file: str, escape: str) -> None:
        if file in self.missing_files:
            self._end_command(channel, "200 result=-1 endpos=0\n")
            self._leave_agi(channel)
            return
        channel.playing, channel.escape = file, escape
        channel.played.append(file)
        if channel.stray_stop:
            channel.stray_stop = False
            self._end_command(channel, "200 result=1000 endpos=160\n")
            return
        if file in self.long_files:
            return
        done = "200 result=0 endpos=8000\n"
        channel.timer = asyncio.get_running_loop().call_later(self.prompt_seconds, self._end_command, channel, done)

    def _record_message(self, channel: Channel, file: str, escape: str, options: list[str]) -> None:
        if file.rpartition("/")[0] in self.missing_files:
            self._end_command(channel, "200 result=-1 (writefile)\n")
            self._leave_agi(channel)
            return
        channel.recorded.append(file)
        channel.recording_since, channel.escape = time.monotonic(), escape
        limit = int(options[0]) / 1000
        silent = [int(option.removeprefix("s=")) for option in options if option.startswith("s=")]
        seconds, kept = min([(limit, limit), *((one, 1.0) for one in silent)])  # this caller never says a word
        done = f"200 result=17 (timeout) endpos={round(kept * 8000)}\n"
        channel.timer = asyncio.get_running_loop().call_later(seconds, self._end_command, channel, done)

    @staticmethod
    def _message_seconds(channel: Channel) -> float:
        since = channel.recording_since
        return 0.0 if since is None else time.monotonic() - since

    def _samples(self, channel: Channel) -> int:
        return round(self._message_seconds(channel) * 8000)

    def _end_command(self, channel: Channel, result: str) -> None:
        self._cancel(channel)
        if channel.unique in self.channels:
            self._agi_exec(channel, result)
            self._run_commands(channel)

    def _agi_exec(self, channel: Channel, result: str) -> None:
        if self.garble_next:
            self.garble_next, result = False, "endpos=12\n200 result=0\n"
        command_id, channel.command_id, channel.playing = channel.command_id, "", ""
        channel.recording_since = None
        encoded = quote(result, safe="-_.!~*'()")
        self.say("AsyncAGIExec", [*self.state(channel), ("CommandId", command_id), ("Result", encoded)])

    def _leave_agi(self, channel: Channel) -> None:
        self._cancel(channel)
        if channel.in_agi:
            channel.in_agi, channel.command_id, channel.playing = False, "", ""
            channel.recording_since = None
            self.say("AsyncAGIEnd", self.state(channel))

    def _leave(self, channel: Channel) -> None:
        self.say("BridgeLeave", [("BridgeUniqueid", channel.bridge), ("BridgeNumChannels", 0), *self.state(channel)])
        channel.bridge = channel.peer = ""

    def _after_talk(self, channel: Channel) -> None:
        if channel.unique.startswith("cb-"):
            self.hang_up(channel.unique)
            return
        channel.context, channel.exten = "cordboard-back", "s"
        self.enter_agi(channel)

    def _cancel_dead_man(self, channel: Channel) -> None:
        if channel.dead_man is not None:
            channel.dead_man.cancel()
            channel.dead_man = None

    def close(self) -> None:
        for channel in self.channels.values():
            self._cancel(channel)
            self._cancel_dead_man(channel)

    def _cancel(self, channel: Channel) -> None:
        if channel.timer is not None:
            channel.timer.cancel()
            channel.timer = None
