"""Figures of the systems that flows ask, for Prometheus. The counters exist anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from cordboard.lookups.breaker import State
from cordboard.lookups.lane import BUCKETS_S, Lane

LABELS = ["service", "origin"]
BOUNDS = [*map(str, BUCKETS_S), "+Inf"]


class LookupCollector(Collector):
    def __init__(self, lanes: Callable[[], Iterable[Lane]], clock: Callable[[], float]) -> None:
        self._lanes = lanes
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        outcomes = CounterMetricFamily(
            "cordboard_lookups", "Requests of flows, by what they came to.", labels=[*LABELS, "outcome"]
        )
        tries = CounterMetricFamily("cordboard_lookup_tries", "Requests sent, retries included.", labels=LABELS)
        spared = CounterMetricFamily(
            "cordboard_lookups_spared", "Requests answered from the cache or by another's answer.", labels=LABELS
        )
        running = GaugeMetricFamily("cordboard_lookups_running", "Requests under way.", labels=LABELS)
        alone = GaugeMetricFamily(
            "cordboard_lookups_left_alone",
            "1 while a service is not asked because it fails: alarm on it.",
            labels=LABELS,
        )
        seconds = HistogramMetricFamily(
            "cordboard_lookup_seconds", "How long an answer took, retries included.", labels=LABELS
        )
        for lane in self._lanes():
            labels = [lane.service, lane.origin]
            for outcome, count in sorted(lane.outcomes.items()):
                outcomes.add_metric([*labels, outcome], count)
            tries.add_metric(labels, lane.tries)
            spared.add_metric(labels, lane.spared)
            running.add_metric(labels, lane.running)
            alone.add_metric(labels, lane.state(self._clock()) is not State.CLOSED)
            buckets = list(zip(BOUNDS, map(float, accumulate(lane.counts)), strict=True))
            seconds.add_metric(labels, buckets, lane.seconds)
        yield from (outcomes, tries, spared, running, alone, seconds)
