"""Puts the web application together. Who runs it must keep aiohttp's access log off: its lines would hold tokens."""

from __future__ import annotations

from aiohttp import web

from cordboard.web.agents import AgentApi
from cordboard.web.api import Api
from cordboard.web.board import Board
from cordboard.web.callbacks import CallbacksApi
from cordboard.web.customers import CustomersApi
from cordboard.web.dialplans import DialplansApi, SwitchesApi
from cordboard.web.figures import FiguresApi
from cordboard.web.guard import add_headers, errors_as_json, host_check, token_check
from cordboard.web.health import Health
from cordboard.web.live import LiveEvents
from cordboard.web.messages import MessagesApi
from cordboard.web.page import page_routes
from cordboard.web.ports import WebDeps
from cordboard.web.recordings import RecordingsApi
from cordboard.web.surveys import SurveysApi
from cordboard.web.talks import TalkApi

LARGEST_BODY = 16 * 1024


def make_app(deps: WebDeps) -> web.Application:
    """Run it with `access_log=None`."""
    app = web.Application(
        client_max_size=LARGEST_BODY,
        middlewares=[errors_as_json, host_check(deps.allowed_hosts), token_check(deps.token)],
    )
    talks = TalkApi(deps)
    live = LiveEvents(deps, talks.frame)
    board = Board(deps)
    calls = (AgentApi(deps), Api(deps), FiguresApi(deps), RecordingsApi(deps.recordings), CallbacksApi(deps.callbacks))
    dialplans = (DialplansApi(deps.dialplans), SwitchesApi(deps.switches))
    parts = (
        Health(deps),
        *calls,
        MessagesApi(deps.messages),
        SurveysApi(deps.surveys),
        *dialplans,
        CustomersApi(deps.customers),
        talks,
        live,
        board,
    )
    app.add_routes([*page_routes(deps.company), *(route for part in parts for route in part.routes())])
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(live.close)
    app.on_shutdown.append(board.close)
    return app
