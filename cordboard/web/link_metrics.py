"""Figures of the link to the PBX for Prometheus. The names are ours; the counters exist anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pbx.link import LinkCounters

GAUGES = {
    "waiting": "Facts that wait to be handled.",
    "held": "Channels in our hands.",
}
COUNTERS = {
    "messages": "Messages read.",
    "unknown_events": "Events that mean nothing to us.",
    "oversize_messages": "Messages that were too long and were passed over.",
    "facts_dropped": "Facts lost because too many waited: alarm on it.",
    "facts_handled": "Facts handled.",
    "handler_errors": "Facts whose handling failed: alarm on it.",
    "orders": "Orders given.",
    "orders_failed": "Orders refused, or of unknown fate.",
    "stale_replies": "Replies to commands of a predecessor.",
    "garbled_replies": "Replies that could not be read.",
    "connects": "Times that the link came up.",
    "losses": "Times that the link was lost.",
}


class LinkCollector(Collector):
    def __init__(self, counters: Callable[[], LinkCounters]) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        counters = self._counters()
        for field in fields(counters):
            name, value = f"cordboard_link_{field.name}", getattr(counters, field.name)
            if field.name in GAUGES:
                yield GaugeMetricFamily(name, GAUGES[field.name], value)
            elif field.name in COUNTERS:
                yield CounterMetricFamily(name, COUNTERS[field.name], value)
