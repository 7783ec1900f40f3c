"""The composition root: everything is made here, once, with plain constructors, and stopped here in reverse.

Decides what exists and in which order it starts and stops. It refuses to decide anything about a call.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import itertools
import secrets as random_bits
from collections.abc import Coroutine, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.replay import Began
from acd.service import Distributor, QueueResult
from cordboard.call import CallServices
from cordboard.call_import import CallFiles, CallImport
from cordboard.callback_calls import CallbackDialler
from cordboard.callback_desk import CallbackDesk
from cordboard.calls import CallBook
from cordboard.clock import SteadyClock
from cordboard.config import Config
from cordboard.customer_desk import CustomerDesk
from cordboard.dispatcher import Dispatcher
from cordboard.doors import Doors
from cordboard.figures.days import day_in
from cordboard.figures.desk import FiguresDesk
from cordboard.figures.fold import Thresholds
from cordboard.figures.reading import catch_up
from cordboard.figures.today import Today
from cordboard.journal import Journal
from cordboard.last_agents import LastAgents
from cordboard.lookups.exchange import HttpExchange
from cordboard.lookups.lookups import Lookups
from cordboard.loop_timers import LoopTimers
from cordboard.messages import Messages
from cordboard.outside import Done, OutsideDesks
from cordboard.publishing import Publisher, begun_with
from cordboard.recorder import TalkNow
from cordboard.recordings import Recordings
from cordboard.replay_jobs import ReplayJobs
from cordboard.routing_log import RoutingLog
from cordboard.secrets import Secrets
from cordboard.site import (
    PROMPTS,
    VOICEMAIL,
    agents_of,
    allow_list_of,
    allowed_of,
    calls_csv,
    comfort_of,
    feature_codes_of,
    hours_of,
    link_settings,
    lookup_limits_of,
    notices_of,
    queue_texts,
    queues_of,
    reach_of,
    record_rules_of,
    rules_of,
    service_secrets_of,
    skills_of,
    talk_site,
)
from cordboard.storage.callbacks import CallbackStore
from cordboard.storage.customers import CustomerStore
from cordboard.storage.dialplans import VersionStore
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.storage.routing import RoutingStore
from cordboard.storage.sink import open_sink
from cordboard.storage.surveys import SurveyStore
from cordboard.storage.switches import SwitchStore
from cordboard.storage.writer import Writer
from cordboard.surroundings import ServiceSurroundings
from cordboard.survey_desk import SurveyDesk
from cordboard.switches import Switches
from cordboard.talk_desk import TalkDesk
from cordboard.talk_keys import TalkKeys
from cordboard.transfers import Transfers
from cordboard.wrap_ups import talks_in_wrap_up
from ivr.library import DialplanLibrary
from ivr.ports import Handle
from ivr.prompts import PromptStore
from ivr.requests import CallbackRequest, CustomerRequest, HttpRequest, SurveyAnswer, TransferRequest
from ivr.voices import Voices
from pbx.facts import Fact, LinkUp
from pbx.link import PbxLink
from pbx.live import OUR_LEG, LiveChannels
from pbx.orders import Look

log = structlog.get_logger()

RENEW_EVERY_S = 1.0
LAST_HANGUPS_S = 3.0
PRIMED_TALKS = 20_000


class Service:
    """`prepare`, `start`, `connect`, each once; `stop` in any state."""

    def __init__(self, config: Config, secrets: Secrets) -> None:
        self.config = config
        self.secrets = secrets
        self.clock = SteadyClock()
        self.live = LiveChannels()
        self._tasks: list[asyncio.Task[Any]] = []
        self._undo = contextlib.AsyncExitStack()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def prepare(self) -> None:
        """Database, dialplans and prompts: everything without which no call can be served."""
        config = self.config
        self.database: AsyncEngine = open_engine(config.database_url)
        self._undo.push_async_callback(self.database.dispose)
        await migrate(self.database)
        self.reader = Reader(self.database, self.clock)
        self.writer = Writer(open_sink(self.database))
        self._seq_before = await self.reader.last_seq()
        self.journal = Journal(self.clock, self.writer, last_seq=self._seq_before)
        unclosed = await self.reader.unclosed()
        self.journal.restore(unclosed)
        figures = config.figures
        self.thresholds = Thresholds(float(figures.service_level_s), float(figures.short_abandon_s))
        self.figures = FiguresDesk(config.database_url, config.time_zone, self.thresholds, self.clock)
        self.today = Today(self.clock(), day_in(ZoneInfo(config.time_zone)), self.thresholds)
        self.journal.listen(self.today.note)
        self.routing_log = RoutingLog(self.writer.routing, last=await RoutingStore(self.database).last())
        self.replays = ReplayJobs(config.database_url, config.database.routing_log_days, self.clock, config.time_zone)
        self.prompts = PromptStore(
            config.recordings_dir / PROMPTS, Voices(config.voices, config.var_dir / "bin" / "espeak-ng")
        )
        self.library = DialplanLibrary(
            self.prompts,
            config.queues.keys,
            config.languages,
            lambda: skills_of(config),
            queue_texts(config),
            config.transfers.prefixes,
            reach_of(config),
        )
        self.publisher = Publisher(
            config.dialplans_dir,
            self.library,
            VersionStore(self.database),
            note=self.journal.note,
            clock=self.clock,
            folder_wins=config.dialplans_at_start == "folder",
            keep=config.dialplans_keep,
        )
        for problem in await self.publisher.begin(begun_with(unclosed)):
            log.warning("dialplan", problem=str(problem))
        self.switches = Switches(
            SwitchStore(self.database), self.journal.note, self.clock, lambda: [*self.library.versions.loaded.values()]
        )
        await self.switches.load()

    async def start(self) -> None:
        """Everything there is, but for the PBX: from here on it can be asked, and notes are written."""
        config, timers = self.config, LoopTimers()
        self.link = PbxLink(link_settings(config, self.secrets), self._fact)
        legs = itertools.count(1)
        boot = random_bits.token_hex(4)

        def new_leg_id() -> str:
            # fixed width: Bridge() (Asterisk 22) takes the first channel whose id BEGINS with what it is given
            return f"{OUR_LEG}{boot}-{next(legs):08d}"

        queues, agents, rules = tuple(queues_of(config)), tuple(agents_of(config)), rules_of(config)
        program = importlib.metadata.version("cordboard")
        self.routing_log.began(self.clock(), Began(queues, agents, rules, program))
        self.distributor = Distributor(
            queues,
            agents,
            switch=self.link,
            timers=timers,
            clock=self.clock,
            note=self._distributor_note,
            on_result=self._queue_ended,
            on_transfer=lambda call, to: self.calls.transferred(call, to),  # noqa: PLW0108 - not made yet
            number_ring_s=config.transfers.ring_s,
            dead_man_s=config.pbx.dead_man_s,
            new_leg_id=new_leg_id,
            rules=rules,
            record=self.routing_log.told,
            rung_by_others=lambda leg: self.transfers.owns(leg),  # noqa: PLW0108 - not made yet
        )
        self.transfers = Transfers(
            self.link, timers, self.distributor.phones, allowed_of(config), self.journal.note, new_leg_id
        )
        states = await self.reader.agent_states()
        self.distributor.restore_agents(
            ((one.agent, one.state, one.reason, one.since) for one in states.values() if one.agent in config.agents),
            await talks_in_wrap_up(states.values(), self.journal.records, self.reader),
        )
        self.callbacks = CallbackDesk(
            CallbackStore(self.database),
            allowed_of(config),
            config.region,
            config.agents.keys(),
            clock=self.clock,
            note=self.journal.note,
            own=self._own,
            dialler=CallbackDialler(self.transfers, lambda agent: config.agents[agent].name),
        )
        self.doors = Doors(hours_of(config), self.distributor, timers, self.clock)
        self.last_agents = LastAgents()
        self.last_agents.prime(await self.reader.last_talks(PRIMED_TALKS))
        notices = notices_of(config)
        self.outside = OutsideDesks(timers)
        self.customers = CustomerDesk(
            CustomerStore(self.database), config.region, clock=self.clock, note=self.journal.note
        )
        service_secrets = service_secrets_of(config)
        exchange = HttpExchange(config.lookups.at_once)
        self._undo.push_async_callback(exchange.close)
        self.lookups = Lookups(
            exchange,
            allow_list_of(config),
            service_secrets,
            self.journal.note,
            self.clock,
            lookup_limits_of(config),
        )
        services = CallServices(
            self.link,
            timers,
            self.clock,
            self.journal.note,
            self.library,
            self.prompts,
            self.distributor,
            ServiceSurroundings(self.clock, self.switches.switched_on),
            self.outside,
            config.pbx.dead_man_s,
            self.transfers,
            self.last_agents.agent_of,
            comfort_of(config).get,
            lambda queue: notices.get(queue, {}),
            lambda call: self.recordings.recorder.forbid(call),  # noqa: PLW0108 - not made yet
            lambda call, on: self.recordings.recorder.secure(call, on),  # noqa: PLW0108 - not made yet
        )
        self.calls = CallBook(services, feature_codes_of(config))
        self.outside.add(TransferRequest, self.calls.transfer)
        self.outside.add(CallbackRequest, self._promise_callback)
        self.outside.add(HttpRequest, self.lookups.begin)
        self.surveys = SurveyDesk(
            SurveyStore(self.database),
            self.writer.survey,
            self.writer.flush,
            self.journal.records,
            self.journal.note,
            timers,
            self.clock,
            config.time_zone,
        )
        self.outside.add(SurveyAnswer, self.surveys.begin)
        self.publisher.in_use = lambda: {call.version for call in self.calls}
        self.outside.add(CustomerRequest, self.customers.begin)
        self.talk_desk = TalkDesk(self.distributor, talk_site(config, lambda: tuple(self.library.current)))
        keys = TalkKeys(
            {code: command for command, code in config.talk_codes.model_dump().items()},
            self.talk_desk,
            self.distributor.control,
            self.distributor.supervision,
            timers,
            record=lambda call: self.recordings.recorder.press(call),  # noqa: PLW0108 - not made yet
        )
        self.dispatcher = Dispatcher(
            self.live,
            self.calls,
            self.distributor,
            self.journal.note,
            self._close_unseen,
            keys,
            transfers=self.transfers,
        )
        self.call_import = CallImport(
            CallFiles(calls_csv(config), config.recordings_dir / VOICEMAIL),
            config.agents,
            self.journal,
            self.writer,
            self.reader,
            self.live,
            lambda: self.dispatcher.linked,
            self.clock,
            config.timers.unattended_s,
        )
        self.doors.begin()
        self.recordings = Recordings(
            config.recordings_dir,
            self.database,
            self.reader,
            self.journal,
            switch=self.link,
            clock=self.clock,
            rules=record_rules_of(config),
            talks=self._talks,
            keep_days=config.recordings_days,
            min_free_bytes=config.recordings_min_free_mb * 1_000_000,
        )
        await self.recordings.prepare()
        self.messages = Messages(
            config.recordings_dir,
            self.database,
            self.reader,
            self.journal,
            self.outside,
            switch=self.link,
            timers=timers,
            clock=self.clock,
            refusal=self.recordings.archive.refusal,
            here=lambda call: call in self.live,
            keep_days=config.recordings_days,
        )
        await self.messages.prepare()
        writing = self._own(self.writer.run(), "writer")
        self._undo.push_async_callback(self._stop_writing, writing)
        self._undo.push_async_callback(self.lookups.close)
        self._undo.push_async_callback(self.customers.close)

    def connect(self) -> None:
        """Take the PBX's calls over and serve."""
        self._undo.push_async_callback(self._disconnect)
        for work, name in (
            (self.link.run(), "link"),
            (self._renew(), "dead-man's timers"),
            (self._look(), "reconciler"),
            (self._catch_up(), "today's figures"),
            (self.replays.run(), "routing log"),
            (self.recordings.run(), "recordings"),
            (self.messages.run(), "messages"),
        ):
            self._tasks.append(self._own(work, name))
        if self.config.pbx.private:
            self._tasks.append(self._own(self.call_import.run(), "call import"))

    async def drain(self) -> None:
        """Refuse new callers and let the others finish, at most as long as configured."""
        self.calls.refuse_new()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.timers.drain_s):
                await self.calls.empty.wait()

    async def end_calls(self) -> None:
        """Hang up whoever is still here, and hear of it."""
        self.calls.stop()
        if self.dispatcher.linked:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_HANGUPS_S):
                    await self.calls.empty.wait()

    async def stop(self) -> None:
        """Leave the PBX as it is and write down everything that was noted."""
        await self._undo.aclose()

    async def _disconnect(self) -> None:
        await self.link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.recordings.close()

    async def _stop_writing(self, writing: asyncio.Task[Any]) -> None:
        await self.writer.close()
        await asyncio.gather(writing, return_exceptions=True)

    def _fact(self, fact: Fact) -> None:
        self.dispatcher(fact)
        self.recordings.fact(fact)
        self.messages.fact(fact)
        if isinstance(fact, LinkUp):
            self.call_import.wake()

    def _talks(self) -> Iterator[TalkNow]:
        offers = self.distributor.engine.offers
        for call, leg in offers.talks.items():
            offer = offers.open[leg]
            yield TalkNow(call, offer.agent, offer.queue, offer.held)

    def _queue_ended(self, call: str, result: QueueResult) -> None:
        self.calls.queue_ended(call, result)

    def _promise_callback(self, call: str, what: CallbackRequest, done: Done) -> Handle:
        return self.callbacks.begin(
            call,
            what.number,
            what.queue,
            what.language,
            self.calls.waits_since(call, what.queue),
            dict(what.data),
            lambda outcome: done(outcome, ()),
        )

    def _distributor_note(
        self, kind: str, call: str | None, agent: str | None, queue: str | None, data: dict[str, Any]
    ) -> None:
        self.journal.note(kind, call_id=call, agent=agent, queue=queue, data=data)
        if kind == "talk.started" and call is not None and agent is not None:
            known = self.calls.get(call)
            if known is not None:
                self.last_agents.talked(known.info.caller_number, agent)

    def _close_unseen(self, here: set[str]) -> None:
        """Calls that a predecessor left open and that we did not find ended while nobody looked."""
        for call_id in list(self.journal.records):
            if call_id not in here:
                self.journal.note(
                    "call.ended", call_id=call_id, data={"outcome": "unseen", "ended_by": "unknown", "cause": 0}
                )

    async def _catch_up(self) -> None:
        self.distributor.waits.remember(await catch_up(self.reader, self.today, self._seq_before))

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            self.calls.renew(self.clock())
            self.distributor.talks.renew(self.clock())

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(self.config.timers.look_s)
            if self.dispatcher.linked:
                self.link.send(Look())

    def _own(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """A part that ends by itself takes the service with it: half a service is worse than a restart."""
        if not task.cancelled() and (error := task.exception()) is not None and not self.failed.done():
            self.failed.set_exception(error)
