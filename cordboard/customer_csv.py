"""Customers from a CSV file, as spreadsheets write them. A file with a mistake is refused whole, with every line told.

Columns: id, name, and perhaps language, tier, tags, numbers, in any order. Several tags or numbers in one field stand
between semicolons or bars.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator
from pathlib import Path

from cordboard.customer import FIELDS, BadCustomer, Customer, customer_of

MOST_BYTES = 100 * 1024 * 1024
MOST_PROBLEMS = 50

_LISTS = ("tags", "numbers")


class CsvRefused(Exception):
    """`problems`: what is wrong, each at file:line. Nothing of the file was taken."""

    def __init__(self, problems: list[str]) -> None:
        shown = problems[:MOST_PROBLEMS]
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown)} more")
        super().__init__("\n".join(shown))
        self.problems = problems


def read_customers(file: Path, region: str | None) -> dict[int, Customer]:
    """Customers by the line where each stands. Raises `CsvRefused`."""
    text = _text(file)
    head, _, _ = text.partition("\n")
    reader = csv.reader(
        text.splitlines(keepends=True), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True
    )
    problems: list[str] = []
    customers: dict[int, Customer] = {}
    try:
        columns = _columns(file, next(reader, []))
        for row in reader:
            if any(field.strip() for field in row):
                problems += _take(f"{file}:{reader.line_num}", reader.line_num, columns, row, region, customers)
    except csv.Error as error:
        problems.append(f"{file}:{reader.line_num}: is not CSV: {error}")
    problems += _twice(file, customers)
    if problems:
        raise CsvRefused(problems)
    return customers


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise CsvRefused([f"{file}: is larger than {MOST_BYTES // 2**20} MB"])
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CsvRefused([f"{file}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise CsvRefused([f"{file}:{line}: is not UTF-8 text; save it as CSV UTF-8"]) from None


def _columns(file: Path, head: list[str]) -> list[str]:
    columns = [name.strip().lower() for name in head]
    problems = []
    for name in columns:
        if name not in FIELDS:
            near = difflib.get_close_matches(name, FIELDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(FIELDS)}"
            problems.append(f"{file}:1: unknown column {name!r}; {hint}")
    problems += [f"{file}:1: column {name!r} is there twice" for name in FIELDS if columns.count(name) > 1]
    problems += [f"{file}:1: there is no column {name!r}" for name in ("id", "name") if name not in columns]
    if problems:
        raise CsvRefused(problems)
    return columns


def _take(
    where: str, line: int, columns: list[str], row: list[str], region: str | None, customers: dict[int, Customer]
) -> Iterator[str]:
    if len(row) != len(columns):
        yield f"{where}: {len(row)} fields, and the first line has {len(columns)}"
        return
    given = {
        name: re.split(r"[;|]", field) if name in _LISTS else field for name, field in zip(columns, row, strict=True)
    }
    try:
        customers[line] = customer_of(given, region)
    except BadCustomer as bad:
        yield from (f"{where}: {problem}" for problem in bad.problems)


def _twice(file: Path, customers: dict[int, Customer]) -> Iterator[str]:
    ids: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for line, customer in customers.items():
        if customer.id in ids:
            yield f"{file}:{line}: id {customer.id!r} stands in line {ids[customer.id]} already"
        ids.setdefault(customer.id, line)
        for number in customer.numbers:
            if number in numbers:
                yield f"{file}:{line}: number {number} stands in line {numbers[number]} already"
            numbers.setdefault(number, line)
