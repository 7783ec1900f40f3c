"""Faults planted in good dialplans: how many of each kind the check finds, and what it says of the good ones.

    python -m bench.planted_faults [--each 14] [--seed 1] [--missed] [--json FILE]

One fault at a time (`bench.faults_of_flows`) in a flow that ships, in the good ones of the tests and in a made one
with every verb in two languages. A fault is caught when one of the rules that are about it says so at its line, or at
that of its key: a finding elsewhere, or about something else, does not count.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path as File
from random import Random

from bench import (
    faults_of_conditions,
    faults_of_names,
    faults_of_secrets,
    faults_of_shape,
    faults_of_values,
    faults_of_words,
    generated_dialplan,
)
from bench.faults_of_flows import PLANTS, Base, Fault
from bench.figures import machine, save, table, verdict
from ivr.folder import read_folder
from ivr.known import Known
from ivr.loader import judge_files
from ivr.problems import Problem

ROOT = File(__file__).parents[1]
BAR = 0.95
KNOWN = Known({"sales", "support"}, {"1001": {"spanish": 3, "bikes": 2}, "1002": {}, "1003": {}}, prefixes=["+1"])
GOOD = ("every-verb", "handed-over", "minimal")
"""The good flows of the tests, but for one whose menu has no way to a person: it is about values."""

KINDS = (
    faults_of_names,
    faults_of_shape,
    faults_of_words,
    faults_of_conditions,
    faults_of_secrets,
    faults_of_values,
)
"""Each fills `PLANTS` when it is imported."""


@dataclass
class Result:
    base: str
    fault: Fault
    caught: bool
    said: list[str]


def bases() -> list[Base]:
    data = ROOT / "tests" / "data" / "dialplans" / "good"
    found = [Base.of("shipped", read_folder(ROOT / "dialplans"), KNOWN)]
    found += [Base.of(name, {f"{name}.yaml": (data / f"{name}.yaml").read_bytes()}, KNOWN) for name in GOOD]
    return [*found, Base.of("made", generated_dialplan.files(60), KNOWN)]


def chosen(all_bases: list[Base], each: int, seed: int) -> list[tuple[Base, Fault]]:
    """So many of each category, as different as there are."""
    chance = Random(seed)
    found: list[tuple[Base, Fault]] = []
    for category, ways in PLANTS.items():
        kinds: dict[tuple[str, str], list[tuple[Base, Fault]]] = defaultdict(list)
        for base in all_bases:
            for file in base.plain:
                for plant in ways:
                    for one in plant(base, file):
                        named = Fault(category, one.what, one.file, one.rules, one.path, one.edit, one.rewrite)
                        kinds[plant.__name__, one.what].append((base, named))
        taken: list[tuple[Base, Fault]] = []
        groups = [kinds[kind] for kind in sorted(kinds)]
        for group in groups:
            chance.shuffle(group)
        while len(taken) < each and any(groups):
            for group in groups:
                if group and len(taken) < max(each, len(groups)):
                    taken.append(group.pop())
        found += taken
    return found


def judged(base: Base, fault: Fault) -> Result:
    files, lines = base.planted(fault)
    problems = judge_files(files, base.known, advice=True)[1]
    caught = any(_is_it(problem, fault, lines) for problem in problems)
    return Result(base.name, fault, caught, [f"[{problem.rule}] {problem}" for problem in sorted(problems)])


def _is_it(problem: Problem, fault: Fault, lines: set[int]) -> bool:
    if problem.file != fault.file or problem.line not in lines:
        return False
    return problem.rule in fault.rules or (not problem.rule and "value" in fault.rules)


def false_alarms(all_bases: list[Base]) -> list[str]:
    """Everything that is said of the good ones, and of larger made ones."""
    good = [(base.text, base.known) for base in all_bases]
    good += [(generated_dialplan.files(size, seed), KNOWN) for size, seed in ((300, 2), (1000, 3))]
    return [str(problem) for files, known in good for problem in judge_files(files, known, advice=True)[1]]


def search(each: int, seed: int) -> tuple[list[Result], list[str]]:
    all_bases = bases()
    return [judged(base, one) for base, one in chosen(all_bases, each, seed)], false_alarms(all_bases)


def report(results: list[Result], alarms: list[str]) -> str:
    rows = []
    for category in PLANTS:
        of_it = [result for result in results if result.fault.category == category]
        kinds = len({result.fault.what for result in of_it})
        caught = sum(result.caught for result in of_it)
        rows.append((category, str(len(of_it)), str(kinds), str(caught), f"{caught / len(of_it):.0%}"))
    caught = sum(result.caught for result in results)
    share = caught / len(results)
    rows.append(("all", str(len(results)), "", str(caught), f"{share:.1%}"))
    text = table(("fault", "planted", "ways to make it", "caught", "share"), rows)
    text += f"\n\nCaught: {share:.1%} (bar: {BAR:.0%}): {verdict(share >= BAR)}. "
    return f"{text}False alarms on the good ones: {len(alarms)} (bar: none): {verdict(not alarms)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--each", type=int, default=14, help="faults of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--missed", action="store_true", help="show those that were not caught, and what was said")
    parser.add_argument("--json", type=File, help="write everything that was measured to this file")
    options = parser.parse_args()
    print(machine(), flush=True)
    results, alarms = search(options.each, options.seed)
    print(report(results, alarms), flush=True)
    for result in results if options.missed else ():
        if not result.caught:
            where = ".".join(map(str, result.fault.path))
            print(f"- {result.fault.category}: {result.fault.what}: {result.base}/{result.fault.file} {where}")
            print("".join(f"    {line}\n" for line in result.said[:4]))
    print("".join(f"- {alarm}\n" for alarm in alarms), flush=True)
    save(
        options.json,
        {"results": [[one.fault.category, one.fault.what, one.caught] for one in results], "alarms": alarms},
    )


if __name__ == "__main__":
    main()
