"""Callers' messages over REST: which there are, the sound itself, what became of them, deleting them."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from cordboard.message import OPEN, Message, MessageState
from cordboard.storage.messages import MessageCursor, MessageFilter
from cordboard.web.ports import MessageBoxes
from cordboard.web.query import moment, whole
from cordboard.web.render import answer

LARGEST_PAGE = 500
KINDS = {".flac": "audio/flac", ".wav": "audio/wav"}


class MessagesApi:
    """One method per route."""

    def __init__(self, boxes: MessageBoxes) -> None:
        self._boxes = boxes

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/messages", self.messages),
            web.get("/api/messages/{id}", self.message),
            web.get("/api/messages/{id}/audio", self.audio),
            web.post(f"/api/messages/{{id}}/{{state:{'|'.join(OPEN)}}}", self.mark),
            web.delete("/api/messages/{id}", self.delete),
        ]

    async def messages(self, request: web.Request) -> web.Response:
        """A page, the newest first, and the cursor of the next page. Deleted ones only with `state=deleted`."""
        query = request.query
        limit = whole(query.get("limit"), "limit", 50)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        state = query.get("state")
        if state is not None and state not in set(MessageState):
            raise web.HTTPBadRequest(text=f"state must be one of {', '.join(MessageState)}.")
        wanted = MessageFilter(
            box=query.get("box"),
            call=query.get("call"),
            state=state,
            since=moment(query.get("since"), "since"),
            until=moment(query.get("until"), "until"),
        )
        found = await self._boxes.page(limit, _cursor(query.get("before")), wanted)
        after = f"{found[-1].at!r}~{found[-1].id}" if len(found) == limit else None
        return answer({"messages": [one.view() for one in found], "next": after})

    async def message(self, request: web.Request) -> web.Response:
        return answer({"message": (await self._find(request)).view()})

    async def audio(self, request: web.Request) -> web.FileResponse:
        """The sound; a part of it, when the request asks for one (`Range`)."""
        message = await self._present(request)
        if not message.file:
            raise web.HTTPConflict(text="This message is still being made.")
        file = self._file(message)
        if request.headers.get("Range", "bytes=0-").startswith("bytes=0-"):  # else the rest of what was begun
            self._boxes.fetched(message)
        return web.FileResponse(
            file,
            headers={
                "Content-Type": KINDS.get(file.suffix, "application/octet-stream"),
                "Content-Disposition": f'inline; filename="{message.id}{file.suffix}"',
            },
        )

    async def mark(self, request: web.Request) -> web.Response:
        message = await self._present(request)
        await self._boxes.mark(message, MessageState(request.match_info["state"]))
        return answer({"message": message.view()})

    async def delete(self, request: web.Request) -> web.Response:
        message = await self._present(request)
        await self._boxes.delete(message)
        return answer({"message": message.view()})

    async def _find(self, request: web.Request) -> Message:
        message = await self._boxes.find(request.match_info["id"])
        if message is None:
            raise web.HTTPNotFound(text="There is no such message.")
        return message

    async def _present(self, request: web.Request) -> Message:
        message = await self._find(request)
        if message.state is MessageState.DELETED:
            raise web.HTTPGone(text="This message was deleted.")
        return message

    def _file(self, message: Message) -> Path:
        try:
            file = self._boxes.file(message)
        except OSError:
            file = None
        if file is None or not file.is_file():
            raise web.HTTPGone(text="The file of this message is not there any more.")
        return file


def _cursor(text: str | None) -> MessageCursor | None:
    if text is None:
        return None
    at, separator, name = text.partition("~")
    if not separator:
        raise web.HTTPBadRequest(text="before must be the `next` of an earlier page.")
    return MessageCursor(moment(at, "before") or 0.0, name)
