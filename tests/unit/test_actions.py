"""Orders as AMI actions: what could mean more to the PBX than it says is refused."""

from __future__ import annotations

import pytest

from pbx.actions import agi_command, mute_recording, start_recording, stop_recording
from pbx.errors import EncodeError
from pbx.orders import StartRecording


def test_a_recording_is_a_file_below_the_folder_with_its_sides_apart() -> None:
    variable, (action, headers) = start_recording(StartRecording("c-1.2", "c-1.2-1"), "/srv/our calls")
    assert variable == ("Setvar", (("Channel", "c-1.2"), ("Variable", "CB_RECORDING"), ("Value", "c-1.2-1")))
    assert action == "MixMonitor"
    assert dict(headers) == {
        "Channel": "c-1.2",
        "File": "/srv/our calls/c-1.2-1.raw",
        "options": "Di(CB_MIXMONITOR)",
    }


@pytest.mark.parametrize(
    "recording", ["", ".", "..", "../x", "a/b", "/etc/x", "a,b", "a|b", "a b", "^{X}", "${X}", "a\nb", "-a", "x" * 121]
)
def test_names_that_are_more_than_a_name(recording: str) -> None:
    with pytest.raises(EncodeError):
        start_recording(StartRecording("c", recording), "/srv/calls")


@pytest.mark.parametrize("folder", ["", "calls", "/srv/../etc", "/srv/./x", "/srv/a,b", "/srv/${X}", "/srv/x\n", "/"])
def test_folders_that_are_none(folder: str) -> None:
    with pytest.raises(EncodeError):
        start_recording(StartRecording("c", "talk"), folder)


@pytest.mark.parametrize("handle", ["", "0x1,x", "0x1\r\nCommand: id", "0x" + "f" * 60])
def test_handles_that_are_none(handle: str) -> None:
    with pytest.raises(EncodeError):
        mute_recording("c", handle, mute=True)
    with pytest.raises(EncodeError):
        stop_recording("c", handle)


@pytest.mark.parametrize(
    "command", ["EXEC System id", "EXEC MixMonitor x.raw,,id", "SET VARIABLE X 1", "ANSWERX", "answer", " NOOP", ""]
)
def test_agi_commands_that_we_never_use(command: str) -> None:
    with pytest.raises(EncodeError):
        agi_command("c", command, "1")


@pytest.mark.parametrize("command", ["ANSWER", "NOOP", 'STREAM FILE "/p/x" "12"', "SET MUSIC OFF", "ASYNCAGI BREAK"])
def test_agi_commands_that_we_use(command: str) -> None:
    assert agi_command("c", command, "1")[0] == "AGI"
