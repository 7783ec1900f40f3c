"""The ways in which a value can be spoken."""

from __future__ import annotations

from enum import StrEnum


class SpokenKind(StrEnum):
    """What a value is spoken as, and what such a value looks like."""

    DIGITS = "digits"
    """Digit by digit; every other character is passed over. A text or a whole number."""

    NUMBER = "number"
    """A quantity, perhaps negative or with decimals."""

    ORDINAL = "ordinal"
    """A place in an order: first, second."""

    MONEY = "money"
    """An amount of a currency, two decimals."""

    DATE = "date"
    """`2026-12-24`."""

    TIME = "time"
    """A time of day, `17:59`."""

    DURATION = "duration"
    """Seconds."""

    SPELL = "spell"
    """Character by character: letters, digits and the signs of an address."""

    YES_NO = "yes_no"
    """True or false."""
