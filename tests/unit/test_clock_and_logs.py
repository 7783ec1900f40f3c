"""The steady clock, and what the log withholds."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from cordboard.clock import SteadyClock
from cordboard.logs import PersonalDataGuard, configure_logs


@pytest.fixture
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_clock_does_not_follow_an_adjusted_wall_clock() -> None:
    wall, monotonic = [1_000.0], [50.0]
    clock = SteadyClock(lambda: wall[0], lambda: monotonic[0])
    assert clock() == 1_000.0
    wall[0] = 5.0
    monotonic[0] = 52.5
    assert clock() == 1_002.5


def test_marked_fields_are_dropped_unless_kept() -> None:
    event = {"event": "caller arrived", "pii": {"number": "+34600111222"}, "queue": "sales"}
    assert PersonalDataGuard(keep_marked=False)(None, "info", dict(event)) == {
        "event": "caller arrived",
        "queue": "sales",
    }
    assert "pii" in PersonalDataGuard(keep_marked=True)(None, "info", dict(event))


@pytest.mark.parametrize("number", ["+34600111222", "600 111 222", "(555) 010-0199", "555.010.0199"])
def test_a_number_in_a_message_is_withheld(number: str) -> None:
    guarded = PersonalDataGuard(keep_marked=True)(None, "info", {"event": f"call from {number} arrived"})
    assert guarded["event"] == "call from [withheld] arrived" or "[withheld]" in guarded["event"]
    assert "0199" not in guarded["event"]
    assert "222" not in guarded["event"]


def test_json_lines_with_the_library_logs_in_them(logging_restored: None) -> None:
    stream = io.StringIO()
    configure_logs("info", stream=stream)
    structlog.get_logger().info("link up", channels=3, pii={"name": "Ana"})
    structlog.get_logger().debug("too fine")
    logging.getLogger("aiohttp.server").warning("from %s", "600111222")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("link up", "info"), ("from [withheld]", "warning")]
    assert lines[0]["channels"] == 3
    assert "pii" not in lines[0]


def test_a_log_file(logging_restored: None, tmp_path: Path) -> None:
    configure_logs("debug", tmp_path / "logs" / "cordboard.log", keep_personal=True)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("failed", pii={"name": "Ana"})
    line = json.loads((tmp_path / "logs" / "cordboard.log").read_text())
    assert line["pii"] == {"name": "Ana"}
    assert "ValueError: broken" in line["exception"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_traceback_on_a_terminal_shows_no_variables(logging_restored: None) -> None:
    """Keys that callers press are such variables."""
    stream = Terminal()
    configure_logs("info", stream=stream)

    def handle(secret_key: str) -> None:
        raise ValueError("broken")

    try:
        handle("".join(["41", "11"]))
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError: broken" in stream.getvalue()
    assert "4111" not in stream.getvalue()
