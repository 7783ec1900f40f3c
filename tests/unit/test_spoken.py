"""Values as callers hear them: against an independent library where it agrees, by table where it does not."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from num2words import num2words

from ivr.spoken import CURRENCIES, LANGUAGES, SpokenKind, can_speak, pieces, speak
from ivr.spoken.speaking import MOST_DAYS
from ivr.spoken.words import FIRST_YEAR, LAST_YEAR, MOST, MOST_ORDINAL

K = SpokenKind
numbers = st.one_of(st.integers(-2000, 2000), st.integers(-MOST, MOST), st.integers(1, 999).map(lambda n: n * 10**6))
anything = st.one_of(
    st.text(max_size=40),
    st.integers(-(10**15), 10**15),
    st.integers(-400_000, 400_000),
    st.floats(),
    st.floats(-10_000, 10_000),
    st.booleans(),
    st.dates().map(str),
    st.times().map(lambda time: f"{time:%H:%M}"),
    st.from_regex(r"\A[0-9+*#.]{1,20}\Z"),
)


def said(kind: SpokenKind, value: str | float | bool, language: str, currency: str = "", today: str = "") -> str:
    return " ".join(speak(kind, value, language, currency=currency, today=today))


def plain(words: str) -> str:
    """What the other library says, without the British "and" and commas."""
    return words.replace(",", "").replace(" and ", " ")


def apocope(words: str) -> str:
    """It knows no "veintiún mil"."""
    words = re.sub(r"veintiuno (?=mil|millones)", "veintiún ", words)
    return re.sub(r"\buno (?=mil|millones)", "un ", words)


# the closed set


@settings(deadline=None)  # the closed sets are made by whoever asks first
@given(anything, st.sampled_from(SpokenKind), st.sampled_from(["en", "es", "fr"]), st.sampled_from(sorted(CURRENCIES)))
def test_whatever_is_said_was_prepared(
    value: str | float | bool, kind: SpokenKind, language: str, currency: str
) -> None:
    for today in ("", "2026-11-24"):
        assert set(speak(kind, value, language, currency=currency, today=today)) <= pieces(
            kind, language, currency=currency
        )


@settings(deadline=None)  # the closed sets are made by whoever asks first
@given(numbers, st.integers(0, 99), st.sampled_from(sorted(LANGUAGES)), st.sampled_from(sorted(CURRENCIES)))
def test_every_amount_was_prepared(units: int, cents: int, language: str, currency: str) -> None:
    found = speak(K.MONEY, f"{units}.{cents:02}", language, currency=currency)
    assert found
    assert set(found) <= pieces(K.MONEY, language, currency=currency)


@settings(deadline=None)  # the closed sets are made by whoever asks first
@given(st.integers(0, (MOST_DAYS + 2) * 86_400), st.sampled_from(sorted(LANGUAGES)))
def test_every_duration_was_prepared(seconds: int, language: str) -> None:
    found = speak(K.DURATION, seconds, language)
    assert found
    assert set(found) <= pieces(K.DURATION, language)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("kind", SpokenKind)
def test_the_sets_are_small_and_every_piece_can_be_spoken(kind: SpokenKind, language: str) -> None:
    found = pieces(kind, language, currency="GBP")
    assert 0 < len(found) < 700
    assert all(piece == piece.strip() and any(letter.isalpha() for letter in piece) for piece in found)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_currency_has_words_in_every_language(language: str) -> None:
    assert {"USD", "EUR", "GBP", "MXN", "COP", "CAD", "ARS"} <= CURRENCIES
    assert all(can_speak(K.MONEY, language, currency) for currency in CURRENCIES)


def test_what_has_no_words_is_known_before_a_call() -> None:
    assert not can_speak(K.MONEY, "en", "XYZ")
    assert not can_speak(K.MONEY, "en")
    assert not can_speak(K.DATE, "fr")
    assert can_speak(K.DIGITS, "fr"), "a figure is read by any voice"
    assert pieces(K.DIGITS, "fr") == frozenset("0123456789")
    assert speak(K.DATE, "2026-12-24", "fr") == ()


# against num2words


@given(numbers)
def test_numbers_in_english(number: int) -> None:
    assert said(K.NUMBER, number, "en") == plain(num2words(number, lang="en"))


@given(numbers)
def test_numbers_in_spanish(number: int) -> None:
    assert said(K.NUMBER, number, "es") == apocope(num2words(number, lang="es"))


@given(st.decimals(-100_000, 100_000, places=3).filter(lambda number: not -1 < number < 0))  # it forgets their minus
def test_decimals(number: Decimal) -> None:
    written = number.normalize() if number % 1 else number.to_integral_value()
    assert said(K.NUMBER, str(number), "en") == plain(num2words(written or abs(written), lang="en"))


@pytest.mark.parametrize("number", range(1, MOST_ORDINAL + 1, 7))
def test_ordinals_in_english(number: int) -> None:
    assert said(K.ORDINAL, number, "en") == plain(num2words(number, lang="en", to="ordinal"))


def test_ordinals_in_spanish() -> None:
    for number in range(1, MOST_ORDINAL + 1):
        # It writes "décimoprimero", "cuadrigentésimo", "septigentésimo" and "octigentésimo".
        if number % 100 not in range(11, 20) and number // 100 not in {4, 7, 8}:
            other = num2words(number, lang="es", to="ordinal").replace("quadragésimo", "cuadragésimo")
            assert said(K.ORDINAL, number, "es") == other


def test_years() -> None:
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        english, spanish = num2words(year, lang="en", to="year"), num2words(year, lang="es", to="year")
        assert said(K.DATE, f"{year}-12-24", "en", today="1800-01-01") == f"December twenty-fourth {plain(english)}"
        assert said(K.DATE, f"{year}-12-24", "es", today="1800-01-01") == f"veinticuatro de diciembre de {spanish}"


@given(st.integers(1, MOST - 1), st.integers(1, 99))
def test_money_in_english(units: int, cents: int) -> None:
    amount = Decimal(f"{units}.{cents:02}")
    other = num2words(amount, lang="en", to="currency", currency="USD", separator=" &")
    assert said(K.MONEY, str(amount), "en", "USD") == plain(other).replace(" & ", " and ")


# by table


@pytest.mark.parametrize(
    ("kind", "value", "english", "spanish"),
    [
        (K.DIGITS, "0042", "zero zero four two", "cero cero cuatro dos"),
        (K.DIGITS, "+1 (555) *9#", "one five five five nine", "uno cinco cinco cinco nueve"),
        (K.DIGITS, "", "", ""),
        (K.DIGITS, 70, "seven zero", "siete cero"),
        (K.NUMBER, 0, "zero", "cero"),
        (K.NUMBER, "0042", "forty-two", "cuarenta y dos"),
        (K.NUMBER, -21, "minus twenty-one", "menos veintiuno"),
        (K.NUMBER, -0.0, "zero", "cero"),
        (K.NUMBER, 0.1 + 0.2, "zero point three", "cero punto tres"),
        (K.NUMBER, 3.05, "three point zero five", "tres punto cero cinco"),
        (K.NUMBER, 1_000_000, "one million", "un millón"),
        (K.NUMBER, 21_000_000, "twenty-one million", "veintiún millones"),
        (K.NUMBER, MOST + 1, "one" + " zero" * 9, "uno" + " cero" * 9),
        (K.NUMBER, True, "", ""),
        (K.NUMBER, float("nan"), "", ""),
        (K.NUMBER, float("inf"), "", ""),
        (K.NUMBER, 1e300, "", ""),
        (K.NUMBER, "many", "", ""),
        (K.ORDINAL, 1, "first", "primero"),
        (K.ORDINAL, 11, "eleventh", "undécimo"),
        (K.ORDINAL, 12, "twelfth", "duodécimo"),
        (K.ORDINAL, 13, "thirteenth", "décimo tercero"),
        (K.ORDINAL, 30, "thirtieth", "trigésimo"),
        (K.ORDINAL, 0, "zero", "cero"),
        (K.ORDINAL, 1000, "one zero zero zero", "uno cero cero cero"),
        (K.DATE, "2026-12-24", "Thursday, December twenty-fourth twenty twenty-six",
         "jueves veinticuatro de diciembre de dos mil veintiséis"),
        (K.DATE, "2024-02-29", "Thursday, February twenty-ninth twenty twenty-four",
         "jueves veintinueve de febrero de dos mil veinticuatro"),
        (K.DATE, "1999-05-01", "Saturday, May first nineteen ninety-nine",
         "sábado primero de mayo de mil novecientos noventa y nueve"),
        (K.DATE, "2101-01-31", "Monday, January thirty-first two one zero one",
         "lunes treinta y uno de enero dos uno cero uno"),
        (K.DATE, "2023-02-29", "", ""),
        (K.DATE, "0000-01-01", "", ""),
        (K.DATE, "24.12.2026", "", ""),
        (K.TIME, "17:59", "five fifty-nine p.m.", "las cinco y cincuenta y nueve de la tarde"),
        (K.TIME, "00:00", "midnight", "las doce de la noche"),
        (K.TIME, "12:00", "noon", "las doce del mediodía"),
        (K.TIME, "00:05", "twelve oh five a.m.", "las doce y cinco de la noche"),
        (K.TIME, "12:30", "twelve thirty p.m.", "las doce y media de la tarde"),
        (K.TIME, "01:00", "one a.m.", "la una de la madrugada"),
        (K.TIME, "13:01", "one oh one p.m.", "la una y uno de la tarde"),
        (K.TIME, "06:15", "six fifteen a.m.", "las seis y cuarto de la mañana"),
        (K.TIME, "9:00", "nine a.m.", "las nueve de la mañana"),
        (K.TIME, "19:00", "seven p.m.", "las siete de la noche"),
        (K.TIME, "24:00", "", ""),
        (K.TIME, "12:60", "", ""),
        (K.TIME, 17, "", ""),
        (K.DURATION, 0, "zero seconds", "cero segundos"),
        (K.DURATION, 1, "one second", "un segundo"),
        (K.DURATION, 61, "one minute and one second", "un minuto y un segundo"),
        (K.DURATION, 1260, "twenty-one minutes", "veintiún minutos"),
        (K.DURATION, 3900, "one hour and five minutes", "una hora y cinco minutos"),
        (K.DURATION, 3629, "one hour", "una hora"),
        (K.DURATION, 3630, "one hour and one minute", "una hora y un minuto"),
        (K.DURATION, 75_600, "twenty-one hours", "veintiuna horas"),
        (K.DURATION, 86_369, "twenty-three hours and fifty-nine minutes",
         "veintitrés horas y cincuenta y nueve minutos"),
        (K.DURATION, 86_370, "one day", "un día"),
        (K.DURATION, 90_000, "one day and one hour", "un día y una hora"),
        (K.DURATION, 400 * 86_400, "four hundred days", "cuatrocientos días"),
        (K.DURATION, -60, "minus one minute", "menos un minuto"),
        (K.DURATION, -0.4, "zero seconds", "cero segundos"),
        (K.SPELL, "Ñu-7_@x.", "N U dash seven underscore at X dot",
         "eñe u guion siete guion bajo arroba equis punto"),
        (K.SPELL, "Ábv Wy", "A. B V W Y", "a be uve uve doble ye"),
        (K.SPELL, "n\u0303", "N", "eñe"),
        (K.SPELL, "€ß", "", ""),
        (K.YES_NO, True, "yes", "sí"),
        (K.YES_NO, False, "no", "no"),
        (K.YES_NO, "x", "", ""),
    ],
)  # fmt: skip
def test_values(kind: SpokenKind, value: str | float | bool, english: str, spanish: str) -> None:
    assert said(kind, value, "en") == english
    assert said(kind, value, "es") == spanish


@pytest.mark.parametrize(
    ("amount", "currency", "english", "spanish"),
    [
        (0, "USD", "zero dollars", "cero dólares"),
        (1, "USD", "one dollar", "un dólar"),
        (21, "USD", "twenty-one dollars", "veintiún dólares"),
        (31.01, "USD", "thirty-one dollars and one cent", "treinta y un dólares con un centavo"),
        (0.5, "USD", "fifty cents", "cincuenta centavos"),
        (1.005, "USD", "one dollar and one cent", "un dólar con un centavo"),
        (0.001, "USD", "zero dollars", "cero dólares"),
        (-12.5, "CAD", "minus twelve dollars and fifty cents", "menos doce dólares con cincuenta centavos"),
        (100, "ARS", "one hundred pesos", "cien pesos"),
        (101, "ARS", "one hundred one pesos", "ciento un pesos"),
        (200, "GBP", "two hundred pounds", "doscientas libras"),
        (0.01, "GBP", "one penny", "un penique"),
        (1.21, "GBP", "one pound and twenty-one pence", "una libra con veintiún peniques"),
        (321_521, "GBP", "three hundred twenty-one thousand five hundred twenty-one pounds",
         "trescientas veintiuna mil quinientas veintiuna libras"),
        (500_000_000, "GBP", "five hundred million pounds", "quinientos millones de libras"),
        (1_000_000, "COP", "one million pesos", "un millón de pesos"),
        (2_000_000, "MXN", "two million pesos", "dos millones de pesos"),
        (1_500_000, "COP", "one million five hundred thousand pesos", "un millón quinientos mil pesos"),
        (1_000, "MXN", "one thousand pesos", "mil pesos"),
        (2.22, "EUR", "two euros and twenty-two cents", "dos euros con veintidós céntimos"),
        (1500.4, "CLP", "one thousand five hundred pesos", "mil quinientos pesos"),
        (1.5, "JPY", "two yen", "dos yenes"),
        (10**12, "USD", "one" + " zero" * 12, "uno" + " cero" * 12),
    ],
)  # fmt: skip
def test_amounts(amount: float, currency: str, english: str, spanish: str) -> None:
    assert said(K.MONEY, amount, "en", currency) == english
    assert said(K.MONEY, amount, "es", currency) == spanish


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2026-12-24", "Thursday, December twenty-fourth"),
        ("2027-05-23", "Sunday, May twenty-third"),
        ("2027-05-24", "May twenty-fourth twenty twenty-seven"),
        ("1984-05-24", "May twenty-fourth nineteen eighty-four"),
    ],
)
def test_a_date_near_today_needs_no_year_and_a_far_one_no_weekday(date: str, expected: str) -> None:
    assert said(K.DATE, date, "en", today="2026-11-24") == expected
