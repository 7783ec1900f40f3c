"""`cordboard serve`: the service as a process, from its signals to its exit status.

Decides when it ends and what its end means to whoever started it: 0 asked to, 2 it can never run with this
configuration, 1 anything else, where another try may help. It refuses to know what the service consists of.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cordboard.config import Config
from cordboard.logs import configure_logs
from cordboard.secrets import Secrets
from cordboard.service import Service
from cordboard.storage.errors import DatabaseUnavailable, StorageError
from cordboard.web_wiring import serve_web
from ivr.errors import DialplanErrors, VoiceError

TRY_AGAIN = 1
REFUSED = 2


class StopAskedError(Exception):
    """Somebody wants the service to end before it has begun to serve."""


async def run_service(config: Config, secrets: Secrets) -> int:
    """Until SIGTERM or SIGINT (drain, end the calls; a second one: at once) or SIGHUP (leave them to a successor)."""
    configure_logs(config.logs.level, config.log_file, keep_personal=config.logs.personal_data)
    loop = asyncio.get_running_loop()
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, signals.put_nowait, number)
    service = Service(config, secrets)
    try:
        await _unless_stopped(service.prepare(), signals)
        await service.start()
        async with serve_web(service):
            # Only now: whoever cannot have the port may be the second of two, and must not touch the first one's calls.
            service.connect()
            await _serve(service, signals)
    except StopAskedError:
        return 0
    except DialplanErrors as errors:
        return _say(REFUSED, *map(str, errors.problems))
    except VoiceError as error:
        return _say(REFUSED, f"voices: {error}")
    except (DatabaseUnavailable, SQLAlchemyError) as error:
        return _say(TRY_AGAIN, f"the database cannot be used now: {_reason(error)}")
    except StorageError as error:
        return _say(REFUSED, f"database: {error}")
    except OSError as error:
        never = error.errno in {errno.EADDRNOTAVAIL, errno.EACCES}
        return _say(REFUSED if never else TRY_AGAIN, f"the service cannot start: {error}")
    finally:
        await service.stop()
    return 0


async def _serve(service: Service, signals: asyncio.Queue[signal.Signals]) -> None:
    asked = asyncio.create_task(signals.get(), name="stop asked")
    try:
        await asyncio.wait((asked, service.failed), return_when=asyncio.FIRST_COMPLETED)
        if service.failed.done():
            service.failed.result()
    finally:
        asked.cancel()
    if asked.result() is not signal.SIGHUP:
        with contextlib.suppress(StopAskedError):
            await _unless_stopped(service.drain(), signals)
        await service.end_calls()


async def _unless_stopped(work: Coroutine[Any, Any, None], signals: asyncio.Queue[signal.Signals]) -> None:
    """Do it to the end, or raise `StopAskedError` at the next signal."""
    asked = asyncio.create_task(signals.get(), name="stop asked")
    working = asyncio.create_task(work, name="interruptible")
    try:
        await asyncio.wait((asked, working), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise StopAskedError
        working.result()
    finally:
        asked.cancel()
        working.cancel()
        await asyncio.gather(asked, working, return_exceptions=True)


def _say(status: int, *lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr, flush=True)
    return status


def _reason(error: Exception) -> str:
    """The database's own first words: a statement's text may hold a caller's number, and a URL a password."""
    text = str(error.orig) if isinstance(error, DBAPIError) else ""
    return text.splitlines()[0] if text else type(error).__name__
