"""What currencies and their hundredths are called, by ISO 4217 code.

The names are those that callers use where the currency is: a caller of a shop in Toronto hears "dollars".
"""

from __future__ import annotations

from ivr.spoken.words import Currency, Noun

_CENT, _CENTAVO = Noun("cent", "cents"), Noun("centavo", "centavos")
_DOLLARS = Currency(Noun("dollar", "dollars"), _CENT)
_PESOS = Currency(Noun("peso", "pesos"), _CENTAVO)

ENGLISH = {
    "ARS": _PESOS,
    "AUD": _DOLLARS,
    "BRL": Currency(Noun("real", "reais"), _CENTAVO),
    "CAD": _DOLLARS,
    "CHF": Currency(Noun("franc", "francs"), Noun("centime", "centimes")),
    "CLP": Currency(Noun("peso", "pesos"), None),
    "COP": _PESOS,
    "DOP": _PESOS,
    "EUR": Currency(Noun("euro", "euros"), _CENT),
    "GBP": Currency(Noun("pound", "pounds"), Noun("penny", "pence")),
    "JPY": Currency(Noun("yen", "yen"), None),
    "MXN": _PESOS,
    "NZD": _DOLLARS,
    "PEN": Currency(Noun("sol", "soles"), Noun("centimo", "centimos")),
    "USD": _DOLLARS,
    "UYU": Currency(Noun("peso", "pesos"), Noun("centesimo", "centesimos")),
}

_CENTIMO = Noun("céntimo", "céntimos")
_DOLARES = Currency(Noun("dólar", "dólares"), _CENTAVO)

SPANISH = {
    "ARS": _PESOS,
    "AUD": _DOLARES,
    "BRL": Currency(Noun("real", "reales"), _CENTAVO),
    "CAD": _DOLARES,
    "CHF": Currency(Noun("franco", "francos"), _CENTIMO),
    "CLP": Currency(Noun("peso", "pesos"), None),
    "COP": _PESOS,
    "DOP": _PESOS,
    "EUR": Currency(Noun("euro", "euros"), _CENTIMO),
    "GBP": Currency(Noun("libra", "libras", feminine=True), Noun("penique", "peniques")),
    "JPY": Currency(Noun("yen", "yenes"), None),
    "MXN": _PESOS,
    "NZD": _DOLARES,
    "PEN": Currency(Noun("sol", "soles"), _CENTIMO),
    "USD": _DOLARES,
    "UYU": Currency(Noun("peso", "pesos"), Noun("centésimo", "centésimos")),
}

CURRENCIES = frozenset(ENGLISH.keys() & SPANISH.keys())
"""Those that can be spoken in every language that speaks values."""
