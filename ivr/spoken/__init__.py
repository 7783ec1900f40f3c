"""Values as they are spoken on a telephone: numbers, money, dates, times and letters out of prepared pieces.

`speak` says in which pieces, one after another, a value is heard; `pieces` is everything that `speak` can return, so
that all of it can be made into sound before the first call. Pure: words only, no sound, no flow, no clock.
"""

from ivr.spoken.currencies import CURRENCIES
from ivr.spoken.kinds import SpokenKind
from ivr.spoken.speaking import LANGUAGES, can_speak, pieces, speak

__all__ = ["CURRENCIES", "LANGUAGES", "SpokenKind", "can_speak", "pieces", "speak"]
