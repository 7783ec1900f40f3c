"""What a flow does when its caller has hung up: its `on_hangup`, without a channel, and not for long.

Decides how long that may take and that nothing of it reaches the PBX. It refuses to know when a caller counts as gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cordboard.call_services import CallServices
from ivr.flow import Flow
from ivr.inputs import Position
from ivr.ports import Timer
from ivr.session import CallInfo, FlowSession, Outcome
from pbx.orders import Order

LIMIT_S = 10.0
"""Whatever is not answered by then stays undone."""


class _NoSwitch:
    """The channel is gone: nobody is there who could be ordered about."""

    def send(self, order: Order) -> None:
        pass


def after_hang_up(
    services: CallServices,
    call: str,
    info: CallInfo,
    flow: Flow,
    position: Position,
    note: Callable[[str, dict[str, Any]], None],
) -> None:
    """Take the flow on from where the caller hung up; it ends by itself, and at the latest when the time is over."""
    limit: Timer | None = None

    def over(_outcome: Outcome | None = None) -> None:
        if limit is not None:
            limit.cancel()
        session.close()

    session = FlowSession(
        call,
        info,
        flow,
        services.prompts,
        _NoSwitch(),
        services.timers,
        note,
        over,
        lambda _position: None,
        around=services.around,
        outside=services.outside,
        position=position,
    )
    if session.hung_up():
        limit = services.timers.after(LIMIT_S, over)
    else:
        session.close()
