"""Who is in which bridge, and who left it first: the sign by which a talk's beginning and its end are told apart.

When one side hangs up, the PBX takes both out of the bridge and hangs them up on two threads: the hang-ups come in
either order. Whoever LEFT the bridge first ended the talk.
"""

from __future__ import annotations


class Bridges:
    def __init__(self) -> None:
        self._bridge_of: dict[str, str] = {}
        self._left_first: dict[str, str] = {}  # leg -> the channel of its talk that left first

    def entered(self, channel: str, bridge: str, leg: str) -> None:
        """`leg` is that of the talk, whichever of the two entered."""
        self._bridge_of[channel] = bridge
        self._left_first.pop(leg, None)  # the PBX had only moved them to another bridge

    def left(self, channel: str, leg: str) -> None:
        if self._bridge_of.pop(channel, None) is not None:
            self._left_first.setdefault(leg, channel)

    def together(self, call: str, leg: str) -> bool:
        bridge = self._bridge_of.get(call)
        return bridge is not None and bridge == self._bridge_of.get(leg)

    def put_together(self, call: str, leg: str, bridge: str) -> None:
        self._bridge_of[call] = self._bridge_of[leg] = bridge

    def left_first(self, leg: str) -> str | None:
        return self._left_first.get(leg)

    def forget(self, call: str, leg: str) -> None:
        self._bridge_of.pop(call, None)
        self._bridge_of.pop(leg, None)
        self._left_first.pop(leg, None)
