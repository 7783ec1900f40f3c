"""Connects the web application to the running service. It decides only who answers which of the web's questions."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from aiohttp import web

from acd.aftercare import EXTEND_S
from acd.errors import AcdError
from acd.errors import UnknownAgent as NoSuchAgent
from cordboard.service import Service
from cordboard.web.app import make_app
from cordboard.web.link_metrics import LinkCollector
from cordboard.web.lookup_metrics import LookupCollector
from cordboard.web.metrics import (
    DialplanCollector,
    MessageCollector,
    RecordingCollector,
    ServiceCollector,
    make_registry,
)
from cordboard.web.ports import (
    CommandRefused,
    NoAnswer,
    PbxHealth,
    StorageHealth,
    UnknownAgent,
    View,
    WebDeps,
)
from cordboard.worker_process import WorkerFailed

FLUSH_PATIENCE_S = 2.0
SHUTDOWN_S = 2.0


@contextlib.asynccontextmanager
async def serve_web(service: Service) -> AsyncIterator[web.AppRunner]:
    """Listen where the configuration says, until the block ends."""
    runner = web.AppRunner(make_app(web_deps(service)), access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    address = service.config.web
    try:
        await web.TCPSite(runner, address.host, address.port).start()
        yield runner
    finally:
        await runner.cleanup()


def web_deps(service: Service) -> WebDeps:
    config, distributor = service.config, service.distributor

    thresholds = {
        name: {"warn_wait_s": queue.warn_wait_s, "alarm_wait_s": queue.alarm_wait_s}
        for name, queue in config.queues.items()
    }

    def queues() -> list[View]:
        now, views = service.clock(), distributor.views()["queues"]
        for view in views:
            view["today"] = service.today.queue(view["name"], now)
            view.update(thresholds.get(view["name"], {}))
            view["opens_at"] = service.doors.opens_at(view["name"])
        return views

    def agents() -> list[View]:
        """With what the flow wants the agent to see of the caller who rings or talks."""
        views = distributor.views()["agents"]
        for view in views:
            call = service.calls.get(view["call"]) if view["call"] is not None else None
            view["data"] = dict(call.waiting.data) if call is not None else {}
        return views

    def asked(agent: str, do: Callable[[], None]) -> View:
        try:
            do()
        except NoSuchAgent as error:
            raise UnknownAgent(str(error)) from None
        except AcdError as error:
            raise CommandRefused(str(error)) from None
        return next(view for view in agents() if view["id"] == agent)

    def command_agent(agent: str, command: str, reason: str) -> View:
        commands: dict[str, Callable[[], None]] = {
            "login": lambda: distributor.login(agent),
            "logout": lambda: distributor.logout(agent),
            "pause": lambda: distributor.pause(agent, reason),
            "ready": lambda: distributor.ready(agent),
        }
        return asked(agent, commands[command])

    def extend_wrap_up(agent: str, seconds: float | None) -> View:
        return asked(agent, lambda: distributor.extend_wrap_up(agent, EXTEND_S if seconds is None else seconds))

    def classify(agent: str, code: str) -> View:
        return asked(agent, lambda: distributor.classify(agent, code))

    def talk_command(call: str, command: str, to: str) -> None:
        with _refusals():
            service.talk_desk.command(call, command, to)

    def supervise(call: str, supervisor: str, mode: str) -> None:
        with _refusals():
            service.talk_desk.supervise(call, supervisor, mode)

    async def figures(queue: str | None, begin: str | None, end: str | None, step: str | None) -> View:
        try:
            return await service.figures.ask(queue=queue, begin=begin, end=end, step=step)
        except WorkerFailed as failure:
            raise NoAnswer(f"The figures cannot be computed: {failure}.") from None

    async def explain(call: str) -> View | None:
        try:
            return await service.replays.explain(call)
        except WorkerFailed as failure:
            raise NoAnswer(f"The call cannot be explained: {failure}.") from None

    async def flush() -> bool:
        return await service.writer.flush(FLUSH_PATIENCE_S)

    def pbx_health() -> PbxHealth:
        return PbxHealth(service.dispatcher.linked, detail="" if service.dispatcher.linked else "not connected")

    def storage_health() -> StorageHealth:
        counts = service.writer.counts
        return StorageHealth(counts.failing, service.writer.pending, counts.dropped, counts.last_failure)

    collector = ServiceCollector(
        service.journal,
        service.writer,
        lambda: service.dispatcher.linked,
        lambda: len(service.calls),
        queues,
        agents,
    )
    return WebDeps(
        token=service.secrets.api_token,
        company=config.company,
        versions=_versions(),
        live_calls=service.calls.views,
        queues=queues,
        agents=agents,
        command_agent=command_agent,
        extend_wrap_up=extend_wrap_up,
        classify=classify,
        talk_command=talk_command,
        supervise=supervise,
        explain=explain,
        figures=figures,
        history=service.reader,
        journal=service.journal,
        flush=flush,
        pbx_health=pbx_health,
        storage_health=storage_health,
        registry=make_registry(
            collector,
            LinkCollector(service.link.counters),
            RecordingCollector(service.recordings.health),
            MessageCollector(service.messages.new),
            LookupCollector(lambda: service.lookups.lanes, service.clock),
            DialplanCollector(service.publisher, service.switches),
        ),
        recordings=service.recordings,
        messages=service.messages,
        callbacks=service.callbacks,
        dialplans=service.publisher,
        switches=service.switches,
        customers=service.customers,
        surveys=service.surveys,
        clock=service.clock,
        allowed_hosts=frozenset(config.web.allowed_hosts),
    )


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """A person's mistake, in the web's words."""
    try:
        yield
    except NoSuchAgent as error:
        raise UnknownAgent(str(error)) from None
    except AcdError as error:
        raise CommandRefused(str(error)) from None


def _versions() -> dict[str, Any]:
    return {"cordboard": importlib.metadata.version("cordboard"), "python": platform.python_version()}
