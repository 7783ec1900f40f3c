"""How the process logs: structlog, readable on a terminal, JSON lines otherwise, and nobody's number in a message.

Decides the form and what is left out. Personal data may be passed in one marked field only, `pii={...}`, which is
dropped unless the configuration keeps it.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import IO, Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MARKED = "pii"

NUMBER_LIKE = re.compile(r"\+?\d(?:[ ().-]?\d){5,}")
"""Six digits or more in a message, however they are spaced: messages are constant texts and need none."""


class PersonalDataGuard:
    """A structlog processor: the last line of defence, not a licence to be careless."""

    def __init__(self, *, keep_marked: bool) -> None:
        self._keep_marked = keep_marked

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        if not self._keep_marked:
            event.pop(MARKED, None)
        message = event.get("event")
        if isinstance(message, str) and NUMBER_LIKE.search(message):
            event["event"] = NUMBER_LIKE.sub("[withheld]", message)
        return event


def configure_logs(
    level: str = "info", file: Path | None = None, *, keep_personal: bool = False, stream: IO[str] | None = None
) -> None:
    """Set up structlog and the standard library's logging (libraries use it) to one destination."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        PersonalDataGuard(keep_marked=keep_personal),
    ]
    out = stream or sys.stderr
    readable = file is None and out.isatty()
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(out)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8")
    render: list[Any] = (
        # With rich installed the default shows the variables of every frame: keys that callers press among them.
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if readable
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("cordboard").setLevel(level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=lambda *_args: logging.getLogger("cordboard"),
        cache_logger_on_first_use=True,
    )
