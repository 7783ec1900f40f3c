"""Conditions of dialplans: how many a second are compiled, judged and run, and the memory of a thousand."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.figures import machine, save, table
from ivr.conditions import compile_condition
from ivr.conditions.verdict import verdict
from ivr.values import Kind, Value

KINDS = {
    "balance": Kind.AMOUNT,
    "tier": Kind.TEXT,
    "n": Kind.NUMBER,
    "caller_number": Kind.DIGITS,
    "vip": Kind.YES_NO,
    "due": Kind.DATE,
    "language": Kind.TEXT,
}
VALUES: dict[str, Value] = {
    "balance": 120.5,
    "tier": "gold",
    "n": 7,
    "caller_number": "+573001234567",
    "vip": True,
    "due": "2026-11-24",
    "language": "es",
}
TEXTS = (
    "balance > 100",
    'tier == "gold" && balance >= 50',
    "n > 5 && n < 30",
    'caller_number.startsWith("+57") || caller_number.startsWith("57")',
    'tier in ["gold", "silver"]',
    "!vip && n < 3",
    "balance * 2 + 1 > 100 ? vip : false",
    'caller_number.matches("^[0-9]{10}$")',
    'due < "2026-12-24"',
    'language == "es" && (tier == "gold" || n % 2 == 0)',
)
THOUSAND = TEXTS * 100


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", type=Path)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    before = _resident_mb()
    kept = [compile_condition(text, KINDS) for text in THOUSAND]
    grown = _resident_mb() - before
    figures = {
        "compile 1,000, ms": _cpu_ms(lambda: [compile_condition(text, KINDS) for text in THOUSAND], given.rounds),
        "judge 1,000 (always true, never true), ms": _cpu_ms(lambda: [verdict(one) for one in kept], given.rounds),
        "run one, us": _cpu_ms(lambda: [one.holds(VALUES) for one in kept], given.rounds),
        "memory of 1,000 with the library, MB": grown,
    }
    print(table(("CPU time, medians", ""), [(name, f"{figure:.1f}") for name, figure in figures.items()]))
    if given.json:
        save(given.json, {"machine": machine(), "figures": figures})


def _cpu_ms(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    return median(taken)


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


if __name__ == "__main__":
    main()
