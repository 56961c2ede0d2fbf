"""An SMS gateway on the loopback: takes JSON messages, answers, delays and fails as told."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time
from typing import Any

import msgspec
from aiohttp import web

from campaigns.channels import signatures
from campaigns.channels.base import WebhookRequest
from campaigns.channels.errors import WebhookRefused
from campaigns.simulators.behaviour import Behaviour, Fate


@dataclass(frozen=True, slots=True)
class TakenSms:
    """A message as the gateway took it."""

    key: str
    message_id: str
    to: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ForcedAnswer:
    """An answer that the gateway gives instead of reading the request."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


class _WireMessage(msgspec.Struct):
    id: str
    to: str
    text: str


class _WireBody(msgspec.Struct):
    messages: list[_WireMessage]


_decoder = msgspec.json.Decoder(_WireBody)


class SmsGateway:
    """A gateway in a thread of its own.

    Args:
        host: Address to listen on.
        port: 0 takes a free one; `port` holds it after `start`.
        behaviour: Latency and failures.
        secret: Standard Webhooks secret of requests; empty takes unsigned ones.
        on_message: Called in the gateway's thread for every new message.
        max_messages: Most messages in one request; more are answered 413.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        behaviour: Behaviour | None = None,
        secret: str = "",
        on_message: Callable[[TakenSms], object] | None = None,
        max_messages: int = 1000,
    ) -> None:
        """Keep the settings."""
        self.host = host
        self.port = port
        self.behaviour = behaviour or Behaviour()
        self.secret = secret
        self.on_message = on_message
        self.max_messages = max_messages
        self.forced: deque[ForcedAnswer] = deque()
        self.requests = 0
        self.repeated = 0
        self.messages: dict[str, TakenSms] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where messages are posted."""
        return f"http://{self.host}:{self.port}/messages"

    def start(self) -> "SmsGateway":
        """Listen; returns when requests are taken."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        if not ready.wait(timeout=10):
            raise RuntimeError("the gateway did not start")
        return self

    def stop(self) -> None:
        """Stop listening."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)
            self._loop = self._thread = None

    def __enter__(self) -> "SmsGateway":
        """Start."""
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self.stop()

    async def serve(self) -> web.AppRunner:
        """Listen in the running loop; the caller cleans the runner up."""
        application = web.Application(client_max_size=4 * 1_048_576)
        application.router.add_post("/messages", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, self.host, self.port, backlog=512)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    def _run(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        runner = loop.run_until_complete(self.serve())
        self._loop = loop
        ready.set()
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(runner.cleanup())
            loop.close()

    async def _handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        body = await request.read()
        if self.behaviour.latency_seconds:
            await asyncio.sleep(self.behaviour.latency_seconds)
        if self.forced:
            forced = self.forced.popleft()
            return web.Response(status=forced.status, headers=forced.headers, body=forced.body)
        if not self._is_signed(request, body):
            return web.Response(status=401)
        try:
            messages = _decoder.decode(body).messages
        except msgspec.DecodeError:
            return web.Response(status=400)
        if len(messages) > self.max_messages:
            return web.Response(status=413)
        return await self._answer(request, messages)

    async def _answer(self, request: web.Request, messages: list[_WireMessage]) -> web.Response:
        results = []
        for message in messages:
            fate = self.behaviour.fate(message.to)
            if fate is Fate.HANG:
                await asyncio.sleep(3600)
            results.append(self._take(message, fate))
            if fate is Fate.DROP and request.transport is not None:
                request.transport.abort()
        return web.Response(
            body=msgspec.json.encode({"results": results}), content_type="application/json"
        )

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        if not self.secret:
            return True
        headers = {name.lower(): value for name, value in request.headers.items()}
        received_at = datetime.fromtimestamp(time(), tz=UTC)
        try:
            signatures.verify(WebhookRequest(headers, body, received_at), secrets=[self.secret])
        except WebhookRefused:
            return False
        return True

    def _take(self, message: _WireMessage, fate: Fate) -> dict[str, Any]:
        if fate is Fate.REJECT:
            return {"id": message.id, "status": "rejected", "code": "number_invalid"}
        if fate is Fate.RETRY:
            return {"id": message.id, "status": "retry", "code": "busy"}
        known = self.messages.get(message.id)
        if known is not None:
            self.repeated += 1
            return {"id": message.id, "status": "accepted", "message_id": known.message_id}
        taken = TakenSms(message.id, f"gw-{message.id}", message.to, message.text)
        self.messages[message.id] = taken
        if self.on_message is not None:
            self.on_message(taken)
        return {"id": message.id, "status": "accepted", "message_id": taken.message_id}
