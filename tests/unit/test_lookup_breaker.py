"""When a service is left alone, in virtual time."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.lookups.breaker import WINDOW, Breaker, Rules, State

RULES = Rules(in_a_row=3, share=0.5, pause_s=10.0)


def tell(breaker: Breaker, *results: bool, now: float = 0.0) -> None:
    for good in results:
        era = breaker.ask(now)
        assert era is not None
        breaker.tell(era, good, now)


def test_opens_after_failures_in_a_row_and_lets_nothing_through() -> None:
    breaker = Breaker(RULES)
    tell(breaker, False, False, True, False, False)
    assert breaker.state(0.0) is State.CLOSED
    tell(breaker, False)
    assert breaker.state(0.0) is State.OPEN
    assert breaker.ask(9.9) is None


def test_opens_at_a_share_of_failures_that_never_come_in_a_row() -> None:
    breaker = Breaker(RULES)
    tell(breaker, *[True, False] * (WINDOW // 2))
    assert breaker.state(0.0) is State.OPEN


def test_just_below_the_share_stays_closed() -> None:
    breaker = Breaker(RULES)
    tell(breaker, *[True, False] * (WINDOW // 2 - 1), *[True] * 2, *[True, False, True] * 20)
    assert breaker.state(0.0) is State.CLOSED


def test_one_trial_at_a_time_after_the_pause_and_a_good_one_closes() -> None:
    breaker = Breaker(RULES)
    tell(breaker, False, False, False)
    assert breaker.state(10.0) is State.TRIAL
    trial = breaker.ask(10.0)
    assert trial is not None
    assert breaker.ask(10.0) is None
    breaker.tell(trial, True, 11.0)
    assert breaker.state(11.0) is State.CLOSED
    tell(breaker, False, False, now=11.0)
    assert breaker.state(11.0) is State.CLOSED, "what failed before counts no more"


def test_a_bad_trial_opens_for_another_pause() -> None:
    breaker = Breaker(RULES)
    tell(breaker, False, False, False)
    trial = breaker.ask(10.0)
    assert trial is not None
    breaker.tell(trial, False, 12.0)
    assert breaker.ask(21.9) is None
    assert breaker.ask(22.0) is not None


def test_a_trial_that_is_given_up_leaves_the_next_one_to_try() -> None:
    breaker = Breaker(RULES)
    tell(breaker, False, False, False)
    trial = breaker.ask(10.0)
    assert trial is not None
    breaker.tell(trial, None, 11.0)
    assert breaker.ask(11.0) is not None


def test_what_was_asked_before_a_change_tells_nothing() -> None:
    breaker = Breaker(RULES)
    slow = breaker.ask(0.0)
    assert slow is not None
    tell(breaker, False, False, False)
    trial = breaker.ask(10.0)
    assert trial is not None
    breaker.tell(slow, True, 10.5)
    assert breaker.state(10.5) is State.TRIAL
    assert breaker.ask(10.5) is None, "the trial is still under way"
    breaker.tell(trial, False, 11.0)
    assert breaker.state(11.0) is State.OPEN


@settings(max_examples=100)
@given(st.lists(st.tuples(st.floats(0, 5), st.sampled_from([True, False, None]), st.booleans()), max_size=60))
def test_it_is_never_stuck(steps: list[tuple[float, bool | None, bool]]) -> None:
    """Whatever comes in whichever order: once every request has ended, a pause later one is let through."""
    breaker, now, open_ones = Breaker(RULES), 0.0, list[int]()
    for seconds, result, end_oldest in steps:
        now += seconds
        era = breaker.ask(now)
        if era is not None:
            open_ones.append(era)
        if open_ones and end_oldest:
            breaker.tell(open_ones.pop(0), result, now)
    for era in open_ones:
        breaker.tell(era, None, now)
    assert breaker.ask(now + RULES.pause_s) is not None
