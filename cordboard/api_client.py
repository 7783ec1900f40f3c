"""The running service as the command line sees it: its address and token, and REST calls with readable errors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp


class ServiceError(Exception):
    """The service could not be asked, or said no; the text is for a person."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where the service listens, and the token that it asks for. `base`: its URL, where that is another one."""

    host: str
    port: int
    token: str
    base: str = ""

    @property
    def url(self) -> str:
        return self.base or f"http://{self.host}:{self.port}"

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None, limit_s: float = 10) -> Any:
        """One REST call; the decoded JSON answer. Raises `ServiceError`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=limit_s)) as http,
                http.request(method, self.url + path, json=body) as answer,
            ):
                content = await _json(self.url, answer)
        except TimeoutError as error:
            raise ServiceError(f"the service at {self.url} has not answered within {limit_s:g} s") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise ServiceError(f"no service at {self.url}: start it with `make up` ({error})") from error
        if answer.status >= 400:
            raise ServiceError(_said(content))
        return content

    async def fetch(self, path: str, to: Path) -> int:
        """Write what is at `path` into a file; its size. Raises `ServiceError`, `OSError`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            async with (
                aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(sock_read=30)) as http,
                http.get(self.url + path) as answer,
            ):
                if answer.status >= 400:
                    raise ServiceError(_said(await _json(self.url, answer)))
                size = 0
                with to.open("wb") as file:
                    async for piece in answer.content.iter_chunked(1 << 16):
                        size += file.write(piece)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise ServiceError(f"no service at {self.url}: start it with `make up` ({error})") from error
        return size


async def _json(url: str, answer: aiohttp.ClientResponse) -> Any:
    """Raises `ServiceError`: somebody else listens there, or stands in between."""
    try:
        return await answer.json()
    except (aiohttp.ContentTypeError, ValueError):
        raise ServiceError(f"what answers at {url} is no Cordboard: status {answer.status}, and not JSON") from None


def _said(content: Any) -> str:
    return str(content.get("error", content) if isinstance(content, dict) else content)
