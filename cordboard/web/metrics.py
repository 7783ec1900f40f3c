"""Figures for Prometheus, read from counters that exist anyway: a scrape costs something, a call costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from cordboard.journal import Journal
from cordboard.storage.writer import Writer
from cordboard.web.ports import DialplanDesk, RecordingHealth, SwitchDesk, View


class ServiceCollector(Collector):
    def __init__(
        self,
        journal: Journal,
        writer: Writer,
        linked: Callable[[], bool],
        live_calls: Callable[[], int],
        queues: Callable[[], list[View]],
        agents: Callable[[], list[View]],
    ) -> None:
        self._journal = journal
        self._writer = writer
        self._linked = linked
        self._live_calls = live_calls
        self._queues = queues
        self._agents = agents

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("cordboard_pbx_linked", "1 while the link to the PBX is up.", self._linked())
        yield GaugeMetricFamily("cordboard_calls_live", "Callers who are here now.", self._live_calls())
        yield from self._distributor()
        events = CounterMetricFamily("cordboard_events", "Events noted since the start.", labels=["kind"])
        for kind, count in sorted(self._journal.counts.items()):
            events.add_metric([kind], count)
        yield events
        yield GaugeMetricFamily("cordboard_watchers", "Live subscriptions.", self._journal.watchers)
        yield from self._storage()

    def _distributor(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("cordboard_queue_waiting", "Callers waiting in a queue.", labels=["queue"])
        longest = GaugeMetricFamily(
            "cordboard_queue_longest_wait_seconds", "The longest present wait.", labels=["queue"]
        )
        for view in self._queues():
            waiting.add_metric([view["name"]], view["waiting"])
            longest.add_metric([view["name"]], view["longest_wait_s"])
        agents = GaugeMetricFamily("cordboard_agents", "Agents by state.", labels=["state"])
        states: dict[str, int] = {}
        for view in self._agents():
            states[view["state"]] = states.get(view["state"], 0) + 1
        for state, count in sorted(states.items()):
            agents.add_metric([state], count)
        yield from (waiting, longest, agents)

    def _storage(self) -> Iterator[Metric]:
        counts = self._writer.counts
        gauges: Mapping[str, tuple[str, float]] = {
            "cordboard_storage_pending": ("Things waiting to be written.", self._writer.pending),
            "cordboard_storage_failing": ("1 while the database takes nothing: alarm on it.", counts.failing),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(name, text, value)
        counters: Mapping[str, tuple[str, float]] = {
            "cordboard_storage_events": ("Events written.", counts.events),
            "cordboard_storage_records": ("Closed calls written.", counts.records),
            "cordboard_storage_commits": ("Transactions.", counts.commits),
            "cordboard_storage_failures": ("Writes that failed and were kept for later.", counts.failures),
            "cordboard_storage_dropped": ("Things lost for good: alarm on it.", counts.dropped),
        }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(name, text, value)


class DialplanCollector(Collector):
    def __init__(self, dialplans: DialplanDesk, switches: SwitchDesk) -> None:
        self._dialplans = dialplans
        self._switches = switches

    def collect(self) -> Iterator[Metric]:
        versions = self._dialplans.versions
        yield GaugeMetricFamily(
            "cordboard_dialplans_trouble",
            "1 while what is served is not what should be.",
            bool(self._dialplans.trouble),
        )
        yield GaugeMetricFamily("cordboard_dialplans_version", "The version that calls meet.", versions.live)
        canary = versions.canary.version if versions.canary is not None else 0
        yield GaugeMetricFamily("cordboard_dialplans_canary", "The version that some calls meet, or 0.", canary)
        switches = GaugeMetricFamily("cordboard_switch_on", "1 while a switch is on.", labels=["switch"])
        for view in self._switches.views():
            switches.add_metric([view["name"]], view["on"])
        yield switches


class RecordingCollector(Collector):
    def __init__(self, health: Callable[[], RecordingHealth]) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        health = self._health()
        yield GaugeMetricFamily(
            "cordboard_recordings_trouble", "1 while talks cannot be recorded: alarm on it.", bool(health.trouble)
        )
        counters: Mapping[str, tuple[str, float]] = {
            "cordboard_recordings_ready": ("Recordings finished.", health.ready),
            "cordboard_recordings_failed": ("Recordings of which there is nothing: alarm on it.", health.failed),
            "cordboard_recordings_incomplete": ("Recordings shorter than their talk.", health.incomplete),
        }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(name, text, value)


class MessageCollector(Collector):
    def __init__(self, new: Callable[[], Mapping[str, int]]) -> None:
        self._new = new

    def collect(self) -> Iterator[Metric]:
        unheard = GaugeMetricFamily("cordboard_messages_new", "Messages that nobody has heard.", labels=["box"])
        for box, number in sorted(self._new().items()):
            unheard.add_metric([box], number)
        yield unheard


def make_registry(*collectors: Collector) -> CollectorRegistry:
    """A registry of our own: nothing global, so that two services may live in one process in tests."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return registry
