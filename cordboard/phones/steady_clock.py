"""Unix seconds that never jump.

A call's moments are compared with the service's event times (unix seconds) and with each other. `time.time()` follows
every correction of the system clock; this clock reads it once and goes on with the monotonic one.
"""

from __future__ import annotations

import time

_EPOCH = time.time() - time.monotonic()


def now() -> float:
    """Unix seconds, steady within this process."""
    return _EPOCH + time.monotonic()
