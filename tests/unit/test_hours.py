"""Opening hours as functions of an instant, also when clocks change, and the doors that follow them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.config import Hours as Configured
from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.doors import LOOK_S, Doors, Hours
from cordboard.site import hours_of
from ivr.hours import OpeningHours
from ivr.opening import opening, weekdays
from tests.fakes.virtual_time import VirtualTime

SHOP = {"mon-fri": ["09:00-13:00", "14:00-18:00"], "sat": ["10:00-14:00"]}


def hours(zone: str = "Europe/Madrid", weekly: dict[str, list[str]] | None = None, **more: object) -> OpeningHours:
    return opening(Configured.model_validate({"time_zone": zone, "weekly": weekly or SHOP, **more}))


def at(text: str, zone: str = "Europe/Madrid", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("when", "is_open", "next_change", "next_opening"),
    [
        ("2026-11-24 08:59:59", False, "2026-11-24 09:00", "2026-11-24 09:00"),
        ("2026-11-24 09:00", True, "2026-11-24 13:00", "2026-11-24 14:00"),
        ("2026-11-24 12:59:59", True, "2026-11-24 13:00", "2026-11-24 14:00"),
        ("2026-11-24 13:00", False, "2026-11-24 14:00", "2026-11-24 14:00"),
        ("2026-11-24 18:00", False, "2026-11-25 09:00", "2026-11-25 09:00"),
        ("2026-11-28 14:00", False, "2026-11-30 09:00", "2026-11-30 09:00"),
        ("2026-11-29 12:00", False, "2026-11-30 09:00", "2026-11-30 09:00"),
    ],
)
def test_an_ordinary_week(when: str, is_open: bool, next_change: str, next_opening: str) -> None:
    shop = hours()
    assert shop.open_at(at(when)) is is_open
    assert shop.next_change(at(when)) == at(next_change)
    assert shop.next_opening(at(when)) == at(next_opening)


def test_since_when_it_is_closed() -> None:
    assert hours().closed_since(at("2026-11-29 12:00")) == at("2026-11-28 14:00")
    assert hours().closed_since(at("2026-11-24 13:00")) == at("2026-11-24 13:00")


def test_holidays_and_days_of_their_own() -> None:
    shop = hours(
        holidays={"country": "ES", "subdivision": "MD"},
        days={"2026-12-24": ["09:00-12:00"], "2026-12-25": ["10:00-11:00"], "2026-12-28": []},
    )
    assert not shop.open_at(at("2026-12-08 10:00")), "Immaculate Conception"
    assert not shop.open_at(at("2026-05-02 11:00")), "a holiday of Madrid, a Saturday"
    assert shop.open_at(at("2026-12-24 11:59"))
    assert not shop.open_at(at("2026-12-24 12:00"))
    assert shop.open_at(at("2026-12-25 10:30")), "a day of its own comes before a holiday"
    assert not shop.open_at(at("2026-12-28 10:00"))


def test_over_midnight_and_around_the_clock() -> None:
    bar = hours(weekly={"fri-sat": ["22:00-02:00"]})
    assert bar.open_at(at("2026-11-28 01:59"))
    assert not bar.open_at(at("2026-11-28 02:00"))
    assert bar.open_at(at("2026-11-29 01:00"))
    assert not bar.open_at(at("2026-11-27 01:00"))
    always = hours(weekly={"mon-sun": ["00:00-24:00"]})
    assert always.open_at(at("2026-11-28 00:00"))
    assert always.next_change(at("2026-11-28 12:00")) is None
    never = hours(weekly={"mon": []})
    assert never.next_change(at("2026-11-28 12:00")) is None
    assert never.closed_since(at("2026-11-28 12:00")) == 0.0


def test_the_wall_clock_rules_when_clocks_change() -> None:
    """Nine o'clock is 08:00 UTC in winter and 07:00 in summer: the hours stay, the instants move."""
    shop = hours(weekly={"mon-sun": ["09:00-18:00"]})
    assert shop.next_opening(at("2026-03-28 20:00")) == utc("2026-03-29 07:00")
    assert shop.next_opening(at("2026-03-27 20:00")) == utc("2026-03-28 08:00")
    assert shop.next_opening(at("2026-10-24 20:00")) == utc("2026-10-25 08:00")


def test_an_hour_that_comes_twice_counts_from_its_first_time_to_its_last() -> None:
    """25 October 2026: 02:00 to 03:00 comes twice, from 00:00 UTC and from 01:00 UTC."""
    night = hours(weekly={"sun": ["02:15-02:45"]})
    assert night.next_opening(utc("2026-10-24 12:00")) == utc("2026-10-25 00:15")
    assert night.next_change(utc("2026-10-25 00:15")) == utc("2026-10-25 01:45")


def test_an_hour_that_does_not_come_is_the_moment_of_the_change() -> None:
    """29 March 2026: after 01:59:59 comes 03:00, at 01:00 UTC."""
    opens_in_it = hours(weekly={"sun": ["02:30-05:00"]})
    assert opens_in_it.next_opening(utc("2026-03-28 12:00")) == utc("2026-03-29 01:00")
    closes_in_it = hours(weekly={"sun": ["00:30-02:30"]})
    assert closes_in_it.next_change(utc("2026-03-29 00:00")) == utc("2026-03-29 01:00")
    within = hours(weekly={"sun": ["02:10-02:50"]})
    assert not any(within.open_at(utc("2026-03-29 00:00") + minute * 60) for minute in range(180))


@given(
    st.sampled_from(["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
    st.integers(int(utc("2025-01-01")), int(utc("2030-01-01"))),
    st.sampled_from(["00:00-24:00", "09:00-17:30", "22:00-03:00", "01:30-02:30", "00:00-00:30"]),
)
def test_a_change_is_a_change_and_nothing_changes_before_it(zone: str, now: float, times: str) -> None:
    shop = hours(zone, {"mon-fri": [times], "sun": ["12:00-24:00"]})
    change = shop.next_change(now)
    assert change is not None
    is_open = shop.open_at(now)
    assert shop.open_at(change) is not is_open
    assert all(shop.open_at(now + (change - now) * part / 7) is is_open for part in range(7))
    if not is_open:
        since = shop.closed_since(now)
        assert since <= now
        assert shop.open_at(since - 1)
        assert not shop.open_at(since)
        assert shop.next_opening(now) == change


@pytest.mark.parametrize(
    ("days", "expected"), [("mon", [0]), ("mon-fri", [0, 1, 2, 3, 4]), ("sat-mon", [5, 6, 0]), ("sun-sun", [6])]
)
def test_weekdays(days: str, expected: list[int]) -> None:
    assert weekdays(days) == expected


CONFIG = """company: X
queues:
  sales:
    hours:
      time_zone: {zone}
      weekly: {{mon-fri: {times}, {more}}}
      holidays: {{country: {country}, subdivision: {part}}}
      days: {{"{day}": []}}
"""


def config(
    zone: str = "Europe/Madrid",
    times: str = '["09:00-18:00"]',
    more: str = "sat: []",
    country: str = "ES",
    part: str = "MD",
    day: str = "2026-12-24",
) -> str:
    return CONFIG.format(zone=zone, times=times, more=more, country=country, part=part, day=day)


def test_good_hours_are_read() -> None:
    found = hours_of(parse_config(config()))["sales"]
    assert not found.clears
    assert found.opening.days == {date(2026, 12, 24): ()}
    assert hours_of(parse_config("company: X\nqueues: {sales: {}}\n")) == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"zone": "Europe/Madird"},
            "cordboard.yaml:5:7: queues.sales.hours.time_zone: no such time zone",
        ),
        (
            {"times": '["9-18"]'},
            "cordboard.yaml:6:26: queues.sales.hours.weekly.mon-fri.0: '9-18' is not times of day such as 09:00-18:00",
        ),
        ({"times": '["09:00-09:00"]'}, 'the whole day is "00:00-24:00"'),
        ({"times": '["09:00-12:00", "11:00-18:00"]'}, "begins before the hours before it end"),
        ({"more": "fri: []"}, "fri is in mon-fri already"),
        ({"more": "holiday: []"}, "queues.sales.hours.weekly.holiday: the key: "),
        ({"country": "XX"}, 'the holidays of "XX" are not known'),
        ({"part": "Madrid"}, '"Madrid" is no part of ES that is known'),
        ({"day": "2026-02-30"}, 'there is no day "2026-02-30"'),
    ],
)
def test_wrong_hours_are_explained_at_their_place(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        parse_config(config(**wrong))
    assert said in str(refused.value)


class Told:
    """A distributor that only listens."""

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.told: list[tuple[float, str]] = []

    def close_queue(self, name: str, since: float, *, leave: bool = False) -> None:
        assert since <= self.time.now()
        self.told.append((self.time.now(), f"close {name}{' leave' if leave else ''}"))

    def open_queue(self, name: str) -> None:
        self.told.append((self.time.now(), f"open {name}"))


def test_the_doors_follow_the_hours() -> None:
    time = VirtualTime(at("2026-11-27 17:00"))  # a Friday
    told = Told(time)
    doors = Doors({"sales": Hours(hours(), clears=True)}, told, time, time.now)
    doors.begin()
    assert told.told == []
    assert doors.opens_at("sales") is None
    time.advance(timedelta(days=3).total_seconds())
    assert told.told == [
        (at("2026-11-27 18:00"), "close sales leave"),
        (at("2026-11-28 10:00"), "open sales"),
        (at("2026-11-28 14:00"), "close sales leave"),
        (at("2026-11-30 09:00"), "open sales"),
        (at("2026-11-30 13:00"), "close sales leave"),
        (at("2026-11-30 14:00"), "open sales"),
    ]


def test_a_queue_that_is_closed_at_the_start_is_told_at_once() -> None:
    time = VirtualTime(at("2026-11-29 12:00"))
    told = Told(time)
    doors = Doors({"sales": Hours(hours())}, told, time, time.now)
    doors.begin()
    assert told.told == [(time.now(), "close sales")]
    assert doors.opens_at("sales") == at("2026-11-30 09:00")
    assert doors.opens_at("support") is None
    assert time.pending() == 1
    assert at("2026-11-30 09:00") - time.now() > LOOK_S
