"""A call's story in plain sentences.

This module decides the words, and what is left out because it says nothing new. It refuses to know how the story came
about. Agents are their numbers; callers have none here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from acd.explain.situation import Bar, Barred, Candidate, Reason, Situation
from acd.explain.story import Moment, Stay, Story, What
from acd.explain.whatif import Change, WhatIf
from acd.skills import Demand, Need
from acd.strategies import Strategy

_AGENTS = 12  # of a list
_PASSED_OVER = 4  # moments in a row of which each gets a line

LEFT = {
    "answered": "an agent has them",
    "abandoned": "the caller hung up",
    "timeout": "waited for as long as the queue lets anybody wait",
    "full": "the queue was full",
    "too_long": "the wait to expect was above the queue's limit",
    "closed": "the queue is closed",
    "empty": "none of the queue's agents was logged in",
    "unavailable": "the queue was removed",
    "by_key": "the caller went elsewhere by a key",
    "fallback": "the service was away, the fallback took the call",
    "stopped": "the service stopped",
}
STATES = {
    "logged_out": "logged out",
    "not_ready": "not ready",
    "offering": "their phone rings for another caller",
    "connecting": "being put through to another caller",
    "talking": "in another talk",
    "hold": "in another talk, with the caller on hold",
    "wrap_up": "in wrap-up",
}
FAILED = {
    "no_answer": "did not answer",
    "busy": "was busy",
    "refused": "refused",
    "unreachable": "could not be reached",
    "failed": "could not be rung",
    "unknown": "was never heard of again",
    "lost": "answered, but the two never talked",
}
_CAUSES = {
    "wrap_up": "their wrap-up was over",
    "rest": "they had been left alone long enough",
    "AgentReady": "they became ready",
    "AgentLoggedIn": "they logged in",
    "PhoneSeen": "their phone was free again",
    "TalkEnded": "a talk had ended",
    "OfferAnswered": "another agent had answered",
    "CallerLeft": "another caller had left",
}
_WITHDRAWN = {
    "caller_left": "the caller left",
    "agent_away": "the agent went away",
    "timeout": "the caller had waited long enough",
    "answered_elsewhere": "another agent answered first",
    "unavailable": "the queue was removed",
}


def lines(story: Story, what_ifs: Sequence[Sequence[WhatIf]], clock: Callable[[float], str]) -> Iterator[str]:
    """`what_ifs` for each stay; `clock` writes a time of day."""
    if not story.stays and not story.differences:
        yield f"Call {story.call} has not been in a queue."
    for stay, others in zip(story.stays, what_ifs, strict=True):
        yield f"Call {story.call} in queue {stay.caller.queue}: {_summary(stay)}"
        yield ""
        yield from _moments(stay, clock)
        yield ""
        if others:
            yield "What would have changed it:"
            yield from (f"- {_what_if(one, stay, clock)}" for one in others)
            yield ""
    if story.differences:
        version = f" (written by version {story.program})" if story.program else ""
        yield f"The log cannot be followed further{version}: {story.differences[0]}."
    else:
        yield f"Worked out again from {story.lines} lines of the routing log; every decision was the same."


def _summary(stay: Stay) -> str:
    last = stay.moments[-1]
    waited = last.at - stay.caller.joined_at
    if not stay.ended:
        return (
            f"waits, for {seconds(waited)} so far." if last.what is not What.RESTARTED else "the service was restarted."
        )
    if stay.outcome == "answered":
        agent = next(one.agent for one in reversed(stay.moments) if one.what is What.ANSWERED)
        return f"answered by {agent} after {seconds(waited)}."
    return f"{LEFT.get(stay.outcome, stay.outcome)}, after {seconds(waited)}."


def _moments(stay: Stay, clock: Callable[[float], str]) -> Iterator[str]:
    before: Situation | None = None
    passed = 0
    moments = stay.moments
    index = 0
    while index < len(moments):
        moment = moments[index]
        time = clock(moment.at)
        together = [moment]
        if moment.what is What.OFFERED:  # of one line: all their phones at once
            same = (one for one in moments[index + 1 :] if one.what is What.OFFERED and one.number == moment.number)
            together += same
        passed = passed + 1 if moment.what is What.PASSED_OVER else 0
        if passed <= _PASSED_OVER:
            said = list(_moment(together, before))
            yield from (f"{time if n == 0 else ' ' * len(time)}  {text}" for n, text in enumerate(said))
        elif index + 1 == len(moments) or moments[index + 1].what is not What.PASSED_OVER:
            yield f"{time}  (and {passed - _PASSED_OVER} more like this until now)"
        before = moment.situation or before
        index += len(together)


def _moment(together: list[Moment], before: Situation | None) -> Iterator[str]:
    moment = together[0]
    view = moment.situation
    match moment.what:
        case What.JOINED if view is not None:
            elsewhere = (
                f", and {_callers(view.before_elsewhere)} of other queues first" if view.before_elsewhere else ""
            )
            yield f"joined as number {moment.position}{elsewhere}; asks for {_demand(view.demand)}."
        case What.JOINED:
            yield f"joined as number {moment.position}, and could not stay."
        case What.WAITS if view is not None:
            yield from _waits(view)
        case What.OFFERED if view is not None:
            yield from _offered(together, view)
        case What.PASSED_OVER:
            yield f"{moment.agent}{_why_now(moment)} was offered a caller who came first by {seconds(moment.ahead_s)}."
        case What.ANSWERED:
            yield f"{moment.agent} answered."
        case What.TALK:
            yield f"talks with {moment.agent}."
        case What.FAILED:
            yield f"{moment.agent} {FAILED.get(moment.reason, moment.reason)}; the caller kept their place."
        case What.WITHDRAWN:
            yield f"{moment.agent}'s phone stopped ringing: {_WITHDRAWN.get(moment.reason, moment.reason)}."
        case What.DEMAND if view is not None:
            why = "the demand relaxed" if moment.stage is not None else "the demand changed"
            if before is not None and before.demand.agent is not None and view.demand.agent is None:
                why = f"waits no longer for {before.demand.agent} alone"
            yield f"{why}: asks for {_demand(view.demand)}."
        case What.LEFT if moment.reason == "answered":
            return  # said already
        case What.LEFT:
            yield f"left: {LEFT.get(moment.reason, moment.reason)}."
        case What.RESTARTED:
            yield "the service was restarted; who waited then joined again with their place."
        case other:
            yield f"{other}."


def _waits(view: Situation) -> Iterator[str]:
    if not view.barred:
        yield "waits: the queue has no agents."
        return
    yield "waits, because nobody is free who may have the call:"
    shown = [one for one in view.barred if one.reasons][:_AGENTS]
    width = max((len(one.agent) for one in shown), default=0)
    for one in shown:
        yield f"    {one.agent:<{width}}  {_reasons(one)}"
    more = len(view.barred) + view.more_barred - len(shown)
    if more:
        yield f"    (and {more} more)"


def _offered(together: list[Moment], view: Situation) -> Iterator[str]:
    agents = ", ".join(f"{one.agent}{_why_now(one)}" for one in together)
    number = len(view.candidates)
    if view.demand.agent is not None:
        yield f"offered to {agents}, the one the caller waits for."
        return
    if view.strategy is Strategy.RING_ALL:
        yield f"offered to {agents}{' at once' if len(together) > 1 else ''}: the phones of all who are free ring."
        return
    if number == 1:
        yield f"offered to {agents}, the only one free who may have the call."
        return
    nice = "; who has what is nice to have comes first" if view.demand.nice else ""
    yield f"offered to {agents}, the first of {number} free agents by {view.strategy}{nice}:"
    width = max(len(one.agent) for one in view.candidates[:_AGENTS])
    for one in view.candidates[:_AGENTS]:
        yield f"    {one.agent:<{width}}  {_rank(one, view)}"
    if number > _AGENTS:
        yield f"    (and {number - _AGENTS} more)"


def _why_now(moment: Moment) -> str:
    cause = _CAUSES.get(moment.cause)
    return f" ({cause})" if cause else ""


def _rank(one: Candidate, view: Situation) -> str:
    idle = f"free for {seconds(one.idle_s)}"
    had = ", ".join(f"{need.skill} {need.level}" for need in one.levels) or "nothing of what is asked for"
    match view.strategy:
        case Strategy.ROUND_ROBIN:
            words = f"turn {one.turn}"
        case Strategy.FEWEST_CALLS:
            words = f"{one.calls:.2f} calls of late, {idle}"
        case Strategy.LEAST_OCCUPIED:
            words = f"{seconds(one.work_s)} of work of late, {idle}"
        case Strategy.MOST_SKILLED:
            words = f"{had}; {idle}"
        case Strategy.LEAST_SKILLED:
            words = f"{had}; {one.skills} levels in all; {idle}"
        case _:
            words = idle
    return f"lacks {one.missing_nice} of what is nice to have; {words}" if one.missing_nice else words


def _reasons(one: Barred) -> str:
    return "; ".join(map(_reason, one.reasons))


def _reason(one: Reason) -> str:
    match one.bar:
        case Bar.QUEUE:
            return "does not serve the queue"
        case Bar.PREFERRED:
            return "the caller waits for another agent"
        case Bar.SKILL if one.need is not None:
            has = f"has {one.level}" if one.level else "has none"
            return f"{one.need.skill} {one.need.level} is needed, {has}"
        case Bar.STATE:
            state = "their phone rings for this caller" if one.this_caller else STATES.get(one.state, one.state)
            why = f" ({one.why})" if one.why else ""
            since = f" for {seconds(one.for_s)}" if one.for_s is not None and one.state != "logged_out" else ""
            return f"{state}{why}{since}"
        case Bar.UNREACHABLE:
            return "their phone cannot be reached"
        case Bar.PHONE_BUSY:
            return "their phone is in another call"
        case Bar.RESTING:
            return "left alone for a moment: a call offered to them failed"
        case _:
            return "the PBX cannot be seen"


def _demand(demand: Demand) -> str:
    if demand.agent is not None:
        return f"agent {demand.agent}"
    must = " and ".join(map(_need, demand.must)) or "anybody"
    return f"{must}, if possible {' and '.join(map(_need, demand.nice))}" if demand.nice else must


def _need(need: Need) -> str:
    return f"{need.skill} {need.level}"


def _what_if(one: WhatIf, stay: Stay, clock: Callable[[float], str]) -> str:
    if one.earlier_s is not None:
        sooner = f"{seconds(one.earlier_s)} earlier"
    else:
        waited = one.offered_at - stay.caller.joined_at
        sooner = f"after {seconds(waited)}" if waited >= 0.05 else "at once"
    result = f"{one.offered_to} would have been offered the call {sooner}"
    theirs = "they" if one.agent == one.offered_to else str(one.agent)
    result = f"{theirs} would have been offered the call {sooner}" if theirs == "they" else result
    need = one.need
    match one.change:
        case Change.READY:
            return f"Had {one.agent} been ready, {result}."
        case Change.LOGGED_IN:
            return f"Had {one.agent} been logged in, {result}."
        case Change.PHONE:
            return f"Had the phone of {one.agent} been free and reachable, {result}."
        case Change.SKILL if need is not None:
            return f"Had {one.agent} had {_need(need)} instead of {one.level or 'none'}, {result}."
        case Change.DEMAND if need is not None:
            asked = f"{need.skill} {need.level}" if need.level else f"no {need.skill}"
            return f"With {asked} instead of {one.level} asked for, {result}."
        case Change.NO_PREFERENCE:
            return f"Without waiting for {stay.caller.preferred} alone, {result}."
        case Change.HEAD_START:
            return f"With a head start of {seconds(one.seconds)} more, {result}."
        case Change.STRATEGY:
            by = " or ".join(one.strategies)
            return f"At {clock(one.offered_at)} {by} would have chosen {one.offered_to}."
        case Change.STAYED:
            longer = seconds(one.seconds)
            return f"Had the caller waited {longer} longer, {one.offered_to} would have been offered the call."
        case _:
            later = seconds(max(0.0, one.seconds))
            return f"Without the queue's limit, {one.offered_to} would have been offered the call {later} later."


def _callers(number: int) -> str:
    return "1 caller" if number == 1 else f"{number} callers"


def seconds(value: float) -> str:
    """As people say it: 0.4 s, 17 s, 4 min 10 s, 3 h 5 min."""
    if value < 10:
        return f"{value:.1f}".removesuffix(".0") + " s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
