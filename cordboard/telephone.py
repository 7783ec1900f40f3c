"""Telephone numbers as people and trunks write them, in the one form in which they can be compared: E.164."""

from __future__ import annotations

import phonenumbers

from cordboard.allowed import is_number


def e164(text: str, region: str | None) -> str | None:
    """`+12025550142`; None for what is no number that somebody can have.

    `region`: the country in which a number without + is meant; None: such numbers are not understood.
    """
    if not is_number(text):  # no letters, no extensions: the library would take them
        return None
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
