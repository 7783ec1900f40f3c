"""The recordings that run in the PBX, by channel, and the PBX's own handle of each.

Decides that mute and stop wait until the PBX has told the handle of what was started just before. An `asyncio`-free
core that sends nothing itself. One channel has at most one recording of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pbx.facts import Snapshot


@dataclass(slots=True)
class Monitor:
    recording: str
    handle: str = ""  # "" until the PBX has answered
    waiting: list[Callable[[str], None]] = field(default_factory=list)


class Monitors:
    """`with_handle` calls back with the handle, now or as soon as it is told, or with "" when there is none."""

    def __init__(self) -> None:
        self._monitors: dict[str, Monitor] = {}

    def __len__(self) -> int:
        return len(self._monitors)

    def ordered(self, channel: str, recording: str) -> None:
        self._monitors[channel] = Monitor(recording)

    def started(self, channel: str, recording: str, handle: str) -> None:
        monitor = self._known(channel, recording)
        if monitor is not None:
            monitor.handle = handle
            self._release(monitor)

    def over(self, channel: str, recording: str) -> None:
        """It ended, or never began."""
        monitor = self._known(channel, recording)
        if monitor is not None:
            del self._monitors[channel]
            self._release(monitor)

    def with_handle(self, channel: str, recording: str, use: Callable[[str], None]) -> None:
        monitor = self._known(channel, recording)
        if monitor is not None and not monitor.handle:
            monitor.waiting.append(use)
        else:
            use(monitor.handle if monitor is not None else "")

    def looked(self, snapshot: Snapshot) -> None:
        """At the start of a link: believe the PBX."""
        self._monitors = {
            seen.channel: Monitor(seen.recording, seen.recording_handle)
            for seen in snapshot.channels
            if seen.recording and seen.recording_handle
        }

    def _known(self, channel: str, recording: str) -> Monitor | None:
        monitor = self._monitors.get(channel)
        return monitor if monitor is not None and monitor.recording == recording else None

    @staticmethod
    def _release(monitor: Monitor) -> None:
        waiting, monitor.waiting = monitor.waiting, []
        for use in waiting:
            use(monitor.handle)
