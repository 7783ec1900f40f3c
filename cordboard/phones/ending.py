"""What the end of a call means, read from the SIP stack's words.

baresip 4 gives the close of a call as free text: "486 Busy Here" for a final answer, "Connection reset by peer [104]"
for the far end's BYE or CANCEL, "Rejected by user" for our own, each perhaps followed by a comma and the Reason header.
Those words stop here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_STATUS = re.compile(r"([3-6]\d\d) ([^,]*)")
_CAUSE = re.compile(r"Q\.850\s*;\s*cause=(\d+)", re.IGNORECASE)


class Who(StrEnum):
    US = "us"
    THEM = "them"
    NOBODY = "nobody"  # the network or the stack gave up


@dataclass(frozen=True, slots=True)
class Ending:
    """`status`: the final SIP answer of a call that was never answered. `cause`: the Q.850 cause, if one was given."""

    reason: str
    by: Who
    status: int | None = None
    cause: int | None = None


def ending_of(text: str, *, by_us: bool, outgoing: bool, answered: bool) -> Ending:
    cause = _CAUSE.search(text)
    code = int(cause.group(1)) if cause else None
    status = _STATUS.match(text)
    if status is not None and not answered:
        number, words = int(status.group(1)), status.group(2).strip()
        # A CANCEL of ours is answered 487, a refusal of ours is our own status.
        return Ending(f"{number} {words}".strip(), Who.US if by_us else Who.THEM, number, code)
    if by_us:
        if answered:
            return Ending("we hung up", Who.US, None, code)
        return Ending("we gave up" if outgoing else "we refused", Who.US, None if outgoing else 486, code)
    if text.startswith("Connection reset by peer") or text == "" or text[:3].isdigit():
        if answered:
            return Ending("the far end hung up", Who.THEM, None, code)
        return Ending("the far end closed the call" if outgoing else "the caller gave up", Who.THEM, None, code)
    return Ending(text, Who.NOBODY, None, code)
