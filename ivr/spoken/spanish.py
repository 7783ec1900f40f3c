"""Values in Spanish, in words that every country of it understands.

A number takes the gender of what it counts (doscientas libras), loses its last vowel before it (veintiún dólares), and
wants "de" after round millions (un millón de pesos). Millions themselves are masculine, whatever they are millions of.
"""

from __future__ import annotations

from ivr.spoken.currencies import SPANISH
from ivr.spoken.words import Fixed, Noun, listed

_SMALL = listed(
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
    "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
    "veintiocho veintinueve"
)
_TENS = listed("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
_HUNDREDS = listed(
    "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_ORDINALS = listed("primero segundo tercero cuarto quinto sexto séptimo octavo noveno")
_ORDINAL_TENS = listed(
    "décimo vigésimo trigésimo cuadragésimo quincuagésimo sexagésimo septuagésimo octogésimo nonagésimo"
)
_ORDINAL_HUNDREDS = listed(
    "centésimo ducentésimo tricentésimo cuadringentésimo quingentésimo sexcentésimo septingentésimo octingentésimo "
    "noningentésimo"
)
_WEEKDAYS = listed("lunes martes miércoles jueves viernes sábado domingo")
_MONTHS = listed("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
_MILLIONS = Noun("millón", "millones")
_THOUSAND = Noun("mil", "mil")
_THOUSANDS_OF_FEMININE = Noun("mil", "mil", feminine=True)


def _below_hundred(number: int, noun: Noun | None = None) -> str:
    if number < 30:
        said = _SMALL[number]
    else:
        tens, ones = divmod(number, 10)
        said = _TENS[tens - 3] + (f" y {_SMALL[ones]}" if ones else "")
    if noun is None or not said.endswith("uno"):
        return said
    if noun.feminine:
        return f"{said[:-1]}a"
    return "veintiún" if number == 21 else said[:-1]


def _group(number: int, noun: Noun | None, counted: str) -> list[str]:
    """1 to 999 of something, whose name is one piece with the last of it."""
    hundreds, rest = divmod(number, 100)
    last = f" {counted}" if counted else ""
    if number == 100:
        return [f"cien{last}"]
    hundred = _HUNDREDS[hundreds - 1] if hundreds else ""
    if noun is not None and noun.feminine and hundreds > 1:
        hundred = f"{hundred[:-2]}as"
    if not rest:
        return [f"{hundred}{last}"]
    return ([hundred] if hundred else []) + [_below_hundred(rest, noun) + last]


def _below_million(number: int, noun: Noun | None, counted: str) -> list[str]:
    """1 to 999,999 of something."""
    thousands, ones = divmod(number, 1000)
    said: list[str] = []
    if thousands:
        of = _THOUSANDS_OF_FEMININE if noun is not None and noun.feminine else _THOUSAND
        said += ["mil"] if thousands == 1 else _group(thousands, of, "mil")
    if ones:
        return said + _group(ones, noun, counted)
    return said + ([counted] if counted else [])


_LETTERS = {
    "a": "a",
    "b": "be",
    "c": "ce",
    "d": "de",
    "e": "e",
    "f": "efe",
    "g": "ge",
    "h": "hache",
    "i": "i",
    "j": "jota",
    "k": "ka",
    "l": "ele",
    "m": "eme",
    "n": "ene",
    "ñ": "eñe",
    "o": "o",
    "p": "pe",
    "q": "cu",
    "r": "erre",
    "s": "ese",
    "t": "te",
    "u": "u",
    "v": "uve",
    "w": "uve doble",
    "x": "equis",
    "y": "ye",
    "z": "zeta",
    "@": "arroba",
    ".": "punto",
    "-": "guion",
    "_": "guion bajo",
    "/": "barra",
    "+": "más",
    "#": "numeral",
    "*": "asterisco",
}


class Spanish:
    """See `Language`."""

    fixed = Fixed(
        minus="menos",
        point="punto",
        and_="y",
        with_="con",
        yes="sí",
        no="no",
        day=Noun("día", "días"),
        hour=Noun("hora", "horas", feminine=True),
        minute=Noun("minuto", "minutos"),
        second=Noun("segundo", "segundos"),
        currencies=SPANISH,
        letters=_LETTERS,
    )

    def cardinal(self, number: int, noun: Noun | None = None) -> list[str]:
        counted = "" if noun is None else noun.one if number == 1 else noun.many
        if number == 0:
            return [f"cero {counted}".strip()]
        millions, rest = divmod(number, 1_000_000)
        said: list[str] = []
        if millions:
            of = _MILLIONS.one if millions == 1 else _MILLIONS.many
            said += _below_million(millions, _MILLIONS, of)
        if rest:
            return said + _below_million(rest, noun, counted)
        return said + ([f"de {counted}"] if counted else [])

    def ordinal(self, number: int) -> list[str]:
        hundreds, rest = divmod(number, 100)
        tens, ones = divmod(rest, 10)
        words = [_ORDINAL_TENS[tens - 1]] if tens else []
        words += [_ORDINALS[ones - 1]] if ones else []
        irregular = {11: "undécimo", 12: "duodécimo"}.get(rest, " ".join(words))
        return ([_ORDINAL_HUNDREDS[hundreds - 1]] if hundreds else []) + ([irregular] if rest else [])

    def day(self, month: int, day: int) -> list[str]:
        return ["primero" if day == 1 else _below_hundred(day), f"de {_MONTHS[month - 1]}"]

    def weekday(self, weekday: int) -> str:
        return _WEEKDAYS[weekday]

    def year(self, year: int) -> list[str]:
        said = self.cardinal(year)
        if year % 100 == 0:
            return [f"de {' '.join(said)}"]
        return [f"de {' '.join(said[:-1])}", said[-1]]

    def time(self, hour: int, minute: int) -> list[str]:
        twelve = hour % 12 or 12
        said = "la una" if twelve == 1 else f"las {_below_hundred(twelve)}"
        if not minute:
            return [said, "del mediodía" if hour == 12 else _part_of_day(hour)]
        minutes = {15: "cuarto", 30: "media"}.get(minute) or _below_hundred(minute)
        return [said, f"y {minutes}", _part_of_day(hour)]


def _part_of_day(hour: int) -> str:
    if 1 <= hour < 6:
        return "de la madrugada"
    if 6 <= hour < 12:
        return "de la mañana"
    return "de la tarde" if 12 <= hour < 19 else "de la noche"
