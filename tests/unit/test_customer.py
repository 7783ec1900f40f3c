"""Customers as they are written: fields, numbers, CSV files with whatever spreadsheets make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cordboard.customer import BadCustomer, Customer, customer_of, telephone
from cordboard.customer_csv import MOST_PROBLEMS, CsvRefused, read_customers

ANA = Customer("C-1", "Ana María Ñ", "es", "gold", ("vip", "bikes"), ("+12025550142", "+573001234567"))
HINT = " (write +, or give `region` in the configuration)"
HEAD = "id,name,language,tier,tags,numbers\n"


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+1 (202) 555-0142", None, "+12025550142"),
        ("202.555.0142", "US", "+12025550142"),
        ("300 123 4567", "CO", "+573001234567"),
        ("202 555 0142", None, None),
        ("+1202555", "US", None),
        ("1001", "US", None),
        ("", "US", None),
        ("anonymous", "US", None),
        ("+12025550142;ext=5", "US", None),
    ],
)
def test_numbers_as_people_write_them(written: str, region: str | None, number: str | None) -> None:
    assert telephone(written, region) == number


def test_what_is_left_out_is_empty() -> None:
    assert customer_of({"id": "7", "name": " Bo "}, "US") == Customer("7", "Bo")
    assert customer_of(ANA.view(), None) == ANA


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": ""}, "id: is missing"),
        ({"id": "a b"}, "id: 'a b' is not an id"),
        ({"id": "x" * 41}, "is not an id"),
        ({"name": "  "}, "name: is missing"),
        ({"name": "a\nb"}, "is not a name on one line"),
        ({"name": 7}, "name: must be a text"),
        ({"language": "english"}, "language: 'english' is not a language code such as en or es"),
        ({"tier": "Gold!"}, "tier: 'Gold!' is not a word"),
        ({"tags": "vip"}, "tags: must be a list of texts"),
        ({"tags": ["V I P"]}, "tags: 'V I P' is not a word"),
        ({"tags": ["a"] * 21}, "tags: at most 20"),
        ({"numbers": ["12"]}, "numbers: '12' is no telephone number"),
        ({"numbers": [12]}, "numbers: must be a list of texts"),
    ],
)
def test_what_is_wrong_with_one(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadCustomer) as bad:
        customer_of(ANA.view() | changes, "US")
    assert len(bad.value.problems) == 1
    assert said in bad.value.problems[0]


def csv(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "customers.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "C-1,Ana María Ñ,es,gold,vip;bikes,+1 202-555-0142;+573001234567\n",
        "\ufeff" + HEAD + '"C-1","Ana María Ñ",es,gold,vip|bikes,"+12025550142; +57 300 1234567"\n\n',
        "ID; Name;language;tier;tags;numbers\r\nC-1;Ana María Ñ;es;gold;vip|bikes;+12025550142|+573001234567\r\n",
        "numbers,tags,tier,language,name,id\n+12025550142;+573001234567;+12025550142,vip;bikes,gold,es,Ana María Ñ,C-1",
    ],
)
def test_a_file_as_spreadsheets_write_it(tmp_path: Path, text: str) -> None:
    assert list(read_customers(csv(tmp_path, text), None).values()) == [ANA]


def test_columns_that_nobody_needs_may_be_missing(tmp_path: Path) -> None:
    found = read_customers(csv(tmp_path, "name,id\nBo,7\n\nAda,8\n"), "US")
    assert found == {2: Customer("7", "Bo"), 4: Customer("8", "Ada")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            HEAD + "1,Bo,,,,12\n2,,,,,\n",
            ["2: numbers: '12' is no telephone number that somebody can have", "3: name: is missing"],
        ),
        (
            HEAD + "1,Bo,,,,2025550142\n",
            ["2: numbers: '2025550142' is no telephone number that somebody can have" + HINT],
        ),
        (
            HEAD + '1,"Bo\nLarsen",,,,\n2,Ada\n',
            [
                "3: name: 'Bo\\nLarsen' is not a name on one line, at most 80 characters",
                "4: 2 fields, and the first line has 6",
            ],
        ),
        (
            HEAD + "1,Bo,,,,+12025550142\n1,Ada,,,,+12025550142\n",
            ["3: id '1' stands in line 2 already", "3: number +12025550142 stands in line 2 already"],
        ),
        ("id,nmae\n1,Bo\n", ["1: unknown column 'nmae'; did you mean 'name'?", "1: there is no column 'name'"]),
        ("id,name,id\n1,Bo,1\n", ["1: column 'id' is there twice"]),
        ("", ["1: there is no column 'id'", "1: there is no column 'name'"]),
        (HEAD + '1,"Bo\n', ["2: is not CSV: unexpected end of data"]),
        (HEAD.encode() + b"1,Ren\xe9,,,,\n", ["2: is not UTF-8 text; save it as CSV UTF-8"]),
        (HEAD + "1,B\0o,,,,\n", ["2: name: 'B\\x00o' is not a name on one line, at most 80 characters"]),
    ],
)
def test_every_line_that_is_wrong_is_told(tmp_path: Path, text: str | bytes, said: list[str]) -> None:
    file = csv(tmp_path, text)
    with pytest.raises(CsvRefused) as refused:
        read_customers(file, "US" if "12\n2" in str(text) else None)
    assert refused.value.problems == [f"{file}:{one}" for one in said]


def test_a_file_full_of_mistakes_does_not_fill_the_screen(tmp_path: Path) -> None:
    with pytest.raises(CsvRefused) as refused:
        read_customers(csv(tmp_path, HEAD + "1,,,,,\n" * 500), "US")
    assert len(str(refused.value).splitlines()) == MOST_PROBLEMS + 1
    assert "more" in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CsvRefused, match="cannot be read: No such file"):
        read_customers(tmp_path / "none.csv", "US")
