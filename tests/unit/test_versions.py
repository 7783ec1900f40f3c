"""Which version a call meets: the one that it began with, and for new ones a lot that can be drawn again."""

from __future__ import annotations

import pytest

from ivr.dialplans import Dialplans
from ivr.loader import load_files
from ivr.versions import NONE, Canary, Versions
from tests.fakes.publishing import good


def numbered(*numbers: str) -> Dialplans:
    return load_files({f"f{n}.yaml": good(n, f"On {n}", f"f{n}").encode() for n in numbers})


ONE, TWO, THREE = numbered("100"), numbered("100", "200"), numbered("300")


def version_of(versions: Versions, number: str = "100", call: str = "c", caller: str = "", kept: int = 0) -> int | None:
    chosen = versions.flow_for(number, call, caller, kept)
    return None if chosen is None else chosen.version


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_a_canary_gets_its_share_of_the_calls_within_one_in_a_hundred(share: float) -> None:
    versions = Versions({1: ONE, 2: TWO}, 1, Canary(2, share))
    calls = [f"cordboard-{1_764_000_000 + n * 7}.{n}" for n in range(10_000)]
    drawn = [version_of(versions, call=call) for call in calls]
    assert abs(drawn.count(2) / len(calls) - share) < 0.01
    assert [version_of(versions, call=call) for call in calls] == drawn, "drawn again, the same"


def test_another_canary_is_another_lot() -> None:
    calls = [f"cordboard-1764000000.{n}" for n in range(1_000)]
    second = {call for call in calls if Canary(2, 0.5).takes(call, "")}
    third = {call for call in calls if Canary(3, 0.5).takes(call, "")}
    assert 150 < len(second & third) < 350


def test_some_numbers_meet_the_canary_with_and_without_a_plus() -> None:
    versions = Versions({1: ONE, 2: TWO}, 1, Canary(2, numbers=frozenset({"+15550101", "15550102"})))
    assert [version_of(versions, caller=n) for n in ("+15550101", "15550101", "+15550102", "+15550103", "")] == [
        *(2, 2, 2),
        *(1, 1),
    ]


def test_a_number_that_only_the_canary_answers_is_answered_for_its_callers_alone() -> None:
    versions = Versions({1: ONE, 2: TWO}, 1, Canary(2, numbers=frozenset({"7"})))
    assert version_of(versions, "200", caller="7") == 2
    assert version_of(versions, "200", caller="8") is None
    gone = Versions({2: TWO, 1: ONE}, 2, Canary(1, numbers=frozenset({"7"})))
    assert version_of(gone, "200", caller="7") is None, "as it will be for everybody"


def test_a_call_keeps_the_version_that_it_began_with() -> None:
    versions = Versions({1: ONE, 2: TWO}, 2, Canary(3, numbers=frozenset({"7"})))
    assert version_of(versions, kept=1) == 1
    assert version_of(versions, caller="7", kept=1) == 1, "a canary is for calls that begin"


def test_who_is_sent_to_a_number_that_is_new_meets_the_live_version_there() -> None:
    assert version_of(Versions({1: ONE, 2: TWO}, 2), "200", kept=1) == 2
    assert version_of(Versions({1: ONE, 2: TWO}, 2), "999", kept=1) is None


def test_a_version_that_is_nowhere_any_more_is_replaced_by_the_live_one() -> None:
    assert version_of(Versions({2: TWO}, 2), kept=1) == 2


def test_what_is_needed_stays_at_hand() -> None:
    versions = Versions({1: ONE, 2: TWO, 3: THREE, 4: ONE}, 3, Canary(2, 0.5)).kept_down_to({4})
    assert sorted(versions.loaded) == [2, 3, 4]
    assert versions.current is THREE
    assert versions.canary == Canary(2, 0.5)


def test_before_anything_is_published_no_number_is_answered() -> None:
    assert version_of(NONE) is None
