"""Everything that can go wrong with a phone.

PhoneError
├── StackError          the SIP stack could not be started or used here
├── RegistrationFailed  the registrar said no (`status`), or nothing (`status` is None)
├── CallEnded           the call was over before what was awaited happened (`status`, `reason`)
└── WaitTimeout         what was awaited did not happen in time; says what, and what was seen instead
"""

from __future__ import annotations


class PhoneError(Exception):
    """Base of all errors of this package."""


class StackError(PhoneError):
    """The SIP stack could not be started or used here."""


class RegistrationFailed(PhoneError):
    """The phone is not registered. `status` is the registrar's SIP status, None when it never answered."""

    def __init__(self, extension: str, status: int | None, reason: str) -> None:
        answer = f"{status} {reason}".strip() if status is not None else reason
        super().__init__(f"phone {extension} could not register: {answer}")
        self.extension = extension
        self.status = status
        self.reason = reason


class CallEnded(PhoneError):
    """The call was over before what was awaited happened."""

    def __init__(self, awaited: str, status: int | None, reason: str) -> None:
        super().__init__(f"the call ended ({reason}) before {awaited}")
        self.awaited = awaited
        self.status = status
        self.reason = reason


class WaitTimeout(PhoneError):
    """What was awaited did not happen in time."""

    def __init__(self, awaited: str, timeout: float, seen: str) -> None:
        super().__init__(f"waited {timeout:g} s for {awaited}; seen instead: {seen}")
        self.awaited = awaited
        self.timeout = timeout
        self.seen = seen
