"""What may be logged of an exception that nobody expected: of which type it is, and where it came from.

Decides that its text stays out: it may quote the value that broke something, and that may be what a caller typed.
"""

from __future__ import annotations

import traceback


def where(error: BaseException) -> str:
    """A traceback without the exception's text."""
    return "".join([*traceback.format_tb(error.__traceback__), type(error).__name__])
