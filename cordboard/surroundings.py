"""What flows may know of the world outside their call: the time, and which switches are on."""

from __future__ import annotations

from collections.abc import Callable


class ServiceSurroundings:
    """Satisfies the port `Surroundings`."""

    def __init__(self, clock: Callable[[], float], switched_on: Callable[[str], bool] = lambda _switch: False) -> None:
        self._clock = clock
        self._switched_on = switched_on

    def now(self) -> float:
        return self._clock()

    def switched_on(self, switch: str) -> bool:
        return self._switched_on(switch)
