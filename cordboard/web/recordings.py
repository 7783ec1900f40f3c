"""Recordings over REST: what there is, the sound itself, deleting it, and the buttons of a talk."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from cordboard.recorder import COMMANDS
from cordboard.recording import Recording, RecordingState
from cordboard.storage.recordings import RecordingCursor, RecordingFilter
from cordboard.web.ports import RecordingDesk
from cordboard.web.query import moment, whole
from cordboard.web.render import answer

LARGEST_PAGE = 500


class RecordingsApi:
    """One method per route."""

    def __init__(self, desk: RecordingDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"/api/calls/{{call_id}}/recording/{{command:{'|'.join(COMMANDS)}}}", self.command),
            web.get("/api/recordings", self.recordings),
            web.get("/api/recordings/{recording}", self.recording),
            web.get("/api/recordings/{recording}/audio", self.audio),
            web.delete("/api/recordings/{recording}", self.delete),
        ]

    async def command(self, request: web.Request) -> web.Response:
        return answer({"recording": self._desk.command(request.match_info["call_id"], request.match_info["command"])})

    async def recordings(self, request: web.Request) -> web.Response:
        """A page, the newest first, and the cursor of the next page."""
        query = request.query
        limit = whole(query.get("limit"), "limit", 50)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        state = query.get("state")
        if state is not None and state not in set(RecordingState):
            raise web.HTTPBadRequest(text=f"state must be one of {', '.join(RecordingState)}.")
        wanted = RecordingFilter(
            call_id=query.get("call"),
            agent=query.get("agent"),
            queue=query.get("queue"),
            state=state,
            since=moment(query.get("since"), "since"),
            until=moment(query.get("until"), "until"),
        )
        found = await self._desk.page(limit, _cursor(query.get("before")), wanted)
        after = f"{found[-1].started_at!r}~{found[-1].recording}" if len(found) == limit else None
        return answer({"recordings": [one.view() for one in found], "next": after})

    async def recording(self, request: web.Request) -> web.Response:
        return answer({"recording": (await self._find(request)).view()})

    async def audio(self, request: web.Request) -> web.FileResponse:
        """FLAC, left the caller and right the agent. A part of it, when the request asks for one (`Range`)."""
        recording = await self._find(request)
        if recording.state is RecordingState.DELETED:
            raise web.HTTPGone(text="This recording was deleted.")
        if recording.state is not RecordingState.READY:
            raise web.HTTPConflict(text=f"This recording is {recording.state.value}. {recording.reason}".strip())
        file = self._file(recording)
        if request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):  # else the rest of what was begun
            self._desk.fetched(recording)
        return web.FileResponse(
            file,
            headers={
                "Content-Type": "audio/flac",
                "Content-Disposition": f'inline; filename="{recording.recording}.flac"',
            },
        )

    async def delete(self, request: web.Request) -> web.Response:
        recording = await self._find(request)
        if recording.state is RecordingState.DELETED:
            raise web.HTTPGone(text="This recording was deleted.")
        await self._desk.delete(recording)
        return answer({"recording": recording.view()})

    async def _find(self, request: web.Request) -> Recording:
        recording = await self._desk.find(request.match_info["recording"])
        if recording is None:
            raise web.HTTPNotFound(text="There is no such recording.")
        return recording

    def _file(self, recording: Recording) -> Path:
        try:
            file = self._desk.file(recording)
        except OSError:
            file = None
        if file is None or not file.is_file():
            raise web.HTTPGone(text="The file of this recording is not there any more.")
        return file


def _cursor(text: str | None) -> RecordingCursor | None:
    if text is None:
        return None
    started_at, separator, recording = text.partition("~")
    if not separator:
        raise web.HTTPBadRequest(text="before must be the `next` of an earlier page.")
    return RecordingCursor(moment(started_at, "before") or 0.0, recording)
