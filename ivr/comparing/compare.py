"""Two sets of dialplans: which caller would now hear or reach something else.

Decides by walking both at once, the same keys and reasons in both, the shortest ways first. A difference is told once,
at the first place where a caller meets it. Names of nodes, and how flows are cut into files, are no difference.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ivr.comparing import words
from ivr.comparing.contents import Content, content
from ivr.comparing.places import CASE, KEY, REASON, Exit, Place, Plans
from ivr.dialplans import Dialplans

MOST_AHEAD = 3
"""So many steps that were put in or taken out in a row are seen as that."""

PASSING = frozenset({"say", "set", "wait"})
"""Verbs that lead on to one place, whatever the caller does."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`way`: what the caller does to meet it, from the number on. `what`: hears, reaches, keys, conditions, settings,
    values, or numbers. `old_node` and `new_node`: FLOW/NODE, "" where the call is over. `about`: which of the node's
    things, the same in every language but for what is heard."""

    way: tuple[str, ...]
    what: str
    text: str
    old_node: str = ""
    new_node: str = ""
    about: str = ""

    def __str__(self) -> str:
        return f"{words.caller(self.way)}: {self.text}"


@dataclass(order=True, slots=True)
class _Pair:
    """The two places of one and the same caller. Ordered by how much the caller had to do."""

    length: int
    number: int
    old: Place = field(compare=False)
    new: Place = field(compare=False)
    way: tuple[str, ...] = field(compare=False)


def compare(old: Dialplans, new: Dialplans) -> list[Difference]:
    return list(_Comparison(Plans(old), Plans(new)).differences())


class _Comparison:
    def __init__(self, old: Plans, new: Plans) -> None:
        self.old = old
        self.new = new
        self.contents: dict[tuple[bool, str, str, str], Content] = {}
        self.open: list[_Pair] = []
        self.seen: set[tuple[Place, Place]] = set()
        self.told: set[tuple[str, str, str, str]] = set()
        self.added = 0

    @cached_property
    def old_contents(self) -> dict[Content, Place]:
        return self._all_contents(self.old, new=False)

    @cached_property
    def new_contents(self) -> dict[Content, Place]:
        return self._all_contents(self.new, new=True)

    # The walk

    def differences(self) -> Iterator[Difference]:
        yield from self._numbers()
        walked: list[_Pair] = []
        yield from self._walk(walked)
        # What happens when something breaks or the caller hangs up comes last: it is the same in many places.
        for pair in list(walked):
            for hung_up, way in ((False, "meets a fault of ours"), (True, "hangs up")):
                before = self.old.handler(pair.old, hung_up=hung_up)
                after = self.new.handler(pair.new, hung_up=hung_up)
                self._go(before, after, (*pair.way, way))
        yield from self._walk([])

    def _numbers(self) -> Iterator[Difference]:
        before, after = set(self.old.dialplans.numbers), set(self.new.dialplans.numbers)
        for number in sorted(before - after):
            yield Difference((f"dials {number}",), "numbers", "is no longer answered")
        for number in sorted(after - before):
            there = words.what(self.new, *self._met(self.new.settled(self.new.start(number))[0], new=True))
            yield Difference((f"dials {number}",), "numbers", f"is answered now, with {there}")
        together: dict[tuple[Place, Place], list[str]] = {}
        for number in sorted(before & after):
            together.setdefault((self.old.start(number), self.new.start(number)), []).append(number)
        for (start, new_start), numbers in together.items():
            self._go(start, new_start, (f"dials {' or '.join(numbers)}",))

    def _go(self, old: Place, new: Place, way: tuple[str, ...]) -> None:
        if (old, new) not in self.seen:
            self.seen.add((old, new))
            self.added += 1
            heapq.heappush(self.open, _Pair(len(way), self.added, old, new, way))

    def _walk(self, walked: list[_Pair]) -> Iterator[Difference]:
        while self.open:
            pair = heapq.heappop(self.open)
            walked.append(pair)
            for difference in self._judge(pair):
                key = (difference.what, difference.old_node, difference.new_node, difference.about)
                if key not in self.told:
                    self.told.add(key)
                    yield difference

    # One pair

    def _judge(self, pair: _Pair) -> Iterator[Difference]:
        old, given = self.old.settled(pair.old)
        new, now_given = self.new.settled(pair.new)
        if given and now_given and given != now_given:
            text = "has other values passed from flow to flow"
            yield self._difference(pair.way, "values", text, pair.old, pair.new)
        if old.over or new.over:
            if old.over != new.over:
                yield self._reaches(pair.way, old, new)
            return
        skipped, skipped_now = self._put_in_or_out(old, new)
        for place in skipped:
            yield self._difference(pair.way, "hears", f"no longer {self._doing(place, new=False)}", place, new, "out")
            old = self._next(self.old, place)
        for place in skipped_now:
            yield self._difference(pair.way, "hears", f"first {self._doing(place, new=True)}", old, place, "in")
            new = self._next(self.new, place)
        yield from self._compare(pair.way, old, new)

    def _compare(self, way: tuple[str, ...], old: Place, new: Place) -> Iterator[Difference]:
        before, after = self._content(old, new=False), self._content(new, new=True)
        if before != after and not self._kin(old, new):
            led_elsewhere = after in self.old_contents or before in self.new_contents
            if before.verb != after.verb or led_elsewhere:
                yield self._reaches(way, old, new)
                known = self.old_contents.get(after)
                if known is not None:
                    # What follows is compared with what followed there, in case no other way leads to it any more.
                    self._go(known, new, way)
                return
        elif before.verb != after.verb:
            yield self._reaches(way, old, new)
            return
        for what, about, text in self._changes(before, after, len(self.new.flow(new).languages) > 1):
            yield self._difference(way, what, text, old, new, about)
        yield from self._ways_on(way, old, new)

    def _changes(self, before: Content, after: Content, several: bool) -> Iterator[tuple[str, str, str]]:
        """`several`: the flow speaks more than one language, so it is said which is meant."""
        prompts, now = dict(before.prompts), dict(after.prompts)
        for slot in dict.fromkeys((*prompts, *now)):
            text, text_now = prompts.get(slot, ""), now.get(slot, "")
            elsewhere = before.language != after.language
            if text != text_now or elsewhere:
                languages = (before.language, after.language) if several or elsewhere else ("", "")
                yield "hears", f"{slot} {after.language}", words.heard(slot, text, text_now, languages)
        facts, facts_now = dict(before.facts), dict(after.facts)
        for name in dict.fromkeys((*facts, *facts_now)):
            if facts.get(name) != facts_now.get(name):
                yield "settings", name, words.fact(name, facts.get(name), facts_now.get(name))

    # The ways on

    def _ways_on(self, way: tuple[str, ...], old: Place, new: Place) -> Iterator[Difference]:
        before = {(exit_.kind, exit_.name): exit_ for exit_ in self.old.exits(old)}
        after = {(exit_.kind, exit_.name): exit_ for exit_ in self.new.exits(new)}
        verb = self._content(new, new=True).verb
        yield from self._cases(way, old, new, list(before.values()), list(after.values()))
        moved = dict(self._moved(before, after))
        for key, exit_ in after.items():
            step = words.step(verb, exit_)
            further = (*way, step) if step else way
            if key in moved:
                origin = before[moved[key]]
                text = f"finds behind key {exit_.name} what was behind key {origin.name}"
                yield self._difference(way, "keys", text, old, new, exit_.name)
                self._go(origin.to, exit_.to, further)
            elif key in before:
                self._go(before[key].to, exit_.to, further)
            elif exit_.kind == REASON or exit_.name == "holiday":
                fallback = self.old.fallback(old, exit_.name)
                if fallback is not None:
                    self._go(fallback, exit_.to, further)
            elif exit_.kind == KEY:
                text = f"can now press {exit_.name} for {self._what(exit_.to, new=True)}"
                yield self._difference(way, "keys", text, old, new, exit_.name)
            elif exit_.kind != CASE:
                text = f"reaches {self._what(exit_.to, new=True)} now"
                yield self._difference(further, "reaches", text, old, new, exit_.name)
        for key, exit_ in before.items():
            if key in after or key in moved.values():
                continue  # it is told already
            if exit_.kind == REASON or exit_.name == "holiday":
                fallback = self.new.fallback(new, exit_.name)
                if fallback is not None:
                    self._go(exit_.to, fallback, (*way, words.step(verb, exit_)))
            elif exit_.kind == KEY:
                text = f"can no longer press {exit_.name} for {self._what(exit_.to, new=False)}"
                yield self._difference(way, "keys", text, old, new, exit_.name)

    def _moved(
        self, before: dict[tuple[str, str], Exit], after: dict[tuple[str, str], Exit]
    ) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
        """Keys that lead now where another key led, from the new key to the old one."""
        keys = {key: exit_ for key, exit_ in before.items() if exit_.kind == KEY}
        for key, exit_ in after.items():
            if exit_.kind != KEY or (key in keys and self._alike(keys[key].to, exit_.to)):
                continue
            for origin, was in keys.items():
                stayed = origin in after and self._alike(was.to, after[origin].to)
                # A new key for what its old key still does is one more key, nothing has moved.
                if self._alike(was.to, exit_.to) and (key in keys or not stayed):
                    yield key, origin
                    break

    def _cases(
        self, way: tuple[str, ...], old: Place, new: Place, before: list[Exit], after: list[Exit]
    ) -> Iterator[Difference]:
        """Conditions: which there are, and in which order they are asked."""
        asked = [exit_.name for exit_ in before if exit_.kind == CASE]
        now = [exit_.name for exit_ in after if exit_.kind == CASE]
        for exit_ in after:
            if exit_.kind == CASE and exit_.name not in asked:
                text = f"reaches {self._what(exit_.to, new=True)} on a new condition, `{exit_.name}`"
                yield self._difference(way, "conditions", text, old, new, exit_.name)
        for exit_ in before:
            if exit_.kind == CASE and exit_.name not in now:
                text = f"no longer reaches {self._what(exit_.to, new=False)} on the condition `{exit_.name}`"
                yield self._difference(way, "conditions", text, old, new, exit_.name)
        if [name for name in asked if name in now] != [name for name in now if name in asked]:
            yield self._difference(way, "conditions", "is asked the conditions in another order", old, new)

    # What belongs together

    def _put_in_or_out(self, old: Place, new: Place) -> tuple[list[Place], list[Place]]:
        """Steps that are only in the old set, or only in the new one, before both go on alike."""
        if self._alike(old, new):
            return [], []
        ahead, ahead_now = self._ahead(self.old, old), self._ahead(self.new, new)
        for steps in range(1, MOST_AHEAD + 1):
            if steps < len(ahead_now) and self._alike(old, ahead_now[steps]):
                return [], ahead_now[:steps]
            if steps < len(ahead) and self._alike(ahead[steps], new):
                return ahead[:steps], []
        return [], []

    def _ahead(self, plans: Plans, place: Place) -> list[Place]:
        """This place and those that follow it in any case."""
        places = [place]
        while len(places) <= MOST_AHEAD and not place.over and plans.node(place).verb in PASSING:
            place = self._next(plans, place)
            places.append(place)
        return places

    def _next(self, plans: Plans, place: Place) -> Place:
        return plans.settled(next(plans.exits(place)).to)[0]

    def _alike(self, old: Place, new: Place) -> bool:
        """The same content, or the same name and verb: then what is in it has changed."""
        old, new = self.old.settled(old)[0], self.new.settled(new)[0]
        if old.over or new.over:
            return old.over and new.over
        return self._content(old, new=False) == self._content(new, new=True) or self._kin(old, new)

    def _kin(self, old: Place, new: Place) -> bool:
        verbs = self.old.node(old).verb, self.new.node(new).verb
        return (old.flow, old.node) == (new.flow, new.node) and verbs[0] == verbs[1]

    def _all_contents(self, plans: Plans, *, new: bool) -> dict[Content, Place]:
        found: dict[Content, Place] = {}
        for flow in plans.flows.values():
            for node_id in flow.nodes:
                for language in flow.languages:
                    place = Place(flow.name, node_id, language)
                    if plans.settled(place)[0] == place:
                        found.setdefault(self._content(place, new=new), place)
        return found

    def _content(self, place: Place, *, new: bool) -> Content:
        key = (new, place.flow, place.node, place.language)
        if key not in self.contents:
            self.contents[key] = content(self.new if new else self.old, place)
        return self.contents[key]

    # Words

    def _met(self, place: Place, *, new: bool) -> tuple[Place, Content | None]:
        return place, None if place.over else self._content(place, new=new)

    def _what(self, place: Place, *, new: bool) -> str:
        plans = self.new if new else self.old
        return words.what(plans, *self._met(plans.settled(place)[0], new=new))

    def _doing(self, place: Place, *, new: bool) -> str:
        verb = self._content(place, new=new).verb
        return f"{'hears' if verb == 'say' else 'passes'} {self._what(place, new=new)}"

    def _reaches(self, way: tuple[str, ...], old: Place, new: Place) -> Difference:
        text = f"reaches {self._what(new, new=True)} instead of {self._what(old, new=False)}"
        return self._difference(way, "reaches", text, old, new)

    @staticmethod
    def _difference(way: tuple[str, ...], what: str, text: str, old: Place, new: Place, about: str = "") -> Difference:
        return Difference(way, what, text, _named(old), _named(new), about)


def _named(place: Place) -> str:
    return "" if place.over else f"{place.flow}/{place.node}"
