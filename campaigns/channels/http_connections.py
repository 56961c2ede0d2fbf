"""HTTP connections of a channel that stay open, in an event loop of their own.

What is asked goes out once: no redirect is followed, no proxy of the environment used, and an
answer is read to its end, within a bound of time and size.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from time import time
from typing import Any, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver

from campaigns.channels import http_items
from campaigns.channels.loop_thread import LoopThread

_T = TypeVar("_T")
# What a request may end with that is no answer.
NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, read whole and without its compression."""

    status: int
    retry_after: str | None
    content: bytes


class Progress:
    """How far one request has come: without a connection nothing of it can have been taken."""

    __slots__ = ("is_connected",)

    def __init__(self) -> None:
        """Begin before there is a connection."""
        self.is_connected = False


class HttpConnections:
    """Kept connections of one channel, opened with the first request of each process."""

    def __init__(
        self,
        name: str,
        *,
        connections: int,
        timeout_seconds: float,
        connect_timeout_seconds: float,
        resolver: type[AbstractResolver] | None = None,
    ) -> None:
        """Keep the settings; nothing is opened yet.

        Args:
            name: Of the thread.
            connections: Most connections, and so most requests under way.
            resolver: Asked where hosts are; the system's where None.
        """
        self._connections = connections
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_seconds, sock_connect=connect_timeout_seconds
        )
        self._resolver = resolver
        self._thread = LoopThread(name)
        self._session: aiohttp.ClientSession | None = None
        self._room: asyncio.Semaphore | None = None

    def run(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Run a coroutine that posts, in the loop of the connections."""
        _loop, is_new = self._thread.ensure()
        if is_new:
            self._session = self._room = None
        return self._thread.run(work)

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str], progress: Progress
    ) -> HttpAnswer:
        """Post and read the answer to its end; called within `run`.

        Raises:
            aiohttp.ClientError, TimeoutError, OSError: There is no whole answer. A refusal counts
                without its words.
        """
        session = self._open()
        assert self._room is not None  # noqa: S101 - made together with the session
        async with (
            self._room,
            session.post(
                url,
                data=body,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as answer,
        ):
            try:
                content = await _whole(answer)
            except aiohttp.ClientPayloadError:
                if answer.status < 400:
                    raise
                content = b""  # the status alone says what a refusal means
            content = http_items.unpacked(content, answer.headers.get("Content-Encoding", ""))
            return HttpAnswer(answer.status, answer.headers.get("Retry-After"), content)

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        if not self._thread.is_running:
            return
        self._thread.run(self._close()).result(timeout=30)
        self._thread.stop()

    async def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            resolver = self._resolver() if self._resolver is not None else None
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=60, resolver=resolver
                ),
                timeout=self._timeout,
                # Answers are unpacked here, with a bound, for those that are packed all the same.
                headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
                auto_decompress=False,
                trust_env=False,
                trace_configs=[_tracing()],
            )
            self._room = asyncio.Semaphore(self._connections)
        return self._session


def _tracing() -> aiohttp.TraceConfig:
    """Return hooks that note when a request has its connection."""

    async def connected(_session: object, context: Any, _parameters: object) -> None:
        context.trace_request_ctx.is_connected = True

    hooks = aiohttp.TraceConfig()
    hooks.on_connection_create_end.append(connected)
    hooks.on_connection_reuseconn.append(connected)
    return hooks


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """Return the whole body; a single `read(n)` returns whatever has arrived so far.

    Raises:
        aiohttp.ClientPayloadError: It stopped short of its length, or is longer than any answer.
    """
    pieces, size = [], 0
    async for piece in answer.content.iter_any():
        pieces.append(piece)
        size += len(piece)
        if size > http_items.MOST_BYTES:
            raise aiohttp.ClientPayloadError("the answer is too long")
    return b"".join(pieces)


def wall_clock() -> datetime:
    """Return the system's time: a provider compares with its own, the demo's clock has no say."""
    return datetime.fromtimestamp(time(), tz=UTC)
