"""Every counter of the link is published, with a text that says what it counts."""

from __future__ import annotations

from dataclasses import fields

from prometheus_client import generate_latest

from cordboard.web.link_metrics import COUNTERS, GAUGES, LinkCollector
from cordboard.web.metrics import make_registry
from pbx.link import LinkCounters


def test_every_counter_is_published() -> None:
    assert GAUGES.keys() | COUNTERS.keys() | {"up"} == {field.name for field in fields(LinkCounters)}


def test_values_are_those_of_the_link() -> None:
    text = generate_latest(make_registry(LinkCollector(lambda: LinkCounters(waiting=3, orders=7)))).decode()
    assert "cordboard_link_waiting 3.0" in text
    assert "cordboard_link_orders_total 7.0" in text
