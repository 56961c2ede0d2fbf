"""An SMS gateway on the loopback: takes JSON messages, answers, delays and fails as told."""

import asyncio
import gzip
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from time import time
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import web

from campaigns.channels import signatures
from campaigns.channels.base import WebhookRequest
from campaigns.channels.errors import WebhookRefused
from campaigns.simulators import evidence
from campaigns.simulators.behaviour import Behaviour, SimulatedFate
from campaigns.simulators.evidence import EvidenceEntry
from campaigns.simulators.moods import MoodBox, Turn
from campaigns.simulators.sms_answers import ForcedAnswer, TakenSms

# What a refused request is told; nothing of it is taken.
_REFUSALS = {
    Turn.THROTTLE: (429, b'{"error": "too many requests"}'),
    Turn.UNAVAILABLE: (503, b'{"error": "maintenance"}'),
    Turn.ERROR: (500, b"<html>internal error</html>"),
    Turn.ERROR_INSIDE: (200, b'{"error": "account is busy"}'),
    Turn.BLOCK: (403, b'{"error": "account is suspended"}'),
}
_UNHEARD = frozenset(
    {Turn.ERROR_AFTER, Turn.UNAVAILABLE_AFTER, Turn.CUT, Turn.DROP_AFTER, Turn.SILENT}
)
# What a proxy answers after the gateway behind it took everything.
_BY_PROXY = {Turn.ERROR_AFTER: 502, Turn.UNAVAILABLE_AFTER: 503}
# In which words every other message is told that the account is too busy.
_BUSY = {Turn.BUSY_IN_PART: ("retry", "busy"), Turn.BUSY_REJECTED: ("rejected", "http_429")}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class WireMessage(msgspec.Struct):
    """One message of a request."""

    id: str
    to: str
    text: str = ""
    # Of a message that is a filed template, instead of its text.
    signature: str = ""
    template_id: str = ""
    variables: dict[str, str] = {}


class _WireBody(msgspec.Struct):
    messages: list[WireMessage]


class _Question(msgspec.Struct):
    ids: list[str]


_decoder = msgspec.json.Decoder(_WireBody)
_question_decoder = msgspec.json.Decoder(_Question)


class SmsGateway:
    """A gateway in a thread of its own.

    Args:
        host: Address to listen on.
        port: 0 takes a free one; `port` holds it after `start`.
        behaviour: Latency and failures.
        secret: Standard Webhooks secret of requests; empty takes unsigned ones.
        on_message: Called in the gateway's thread for every new message.
        max_messages: Most messages in one request; more are answered 413.
        moods: Its mood, which may be changed at any time.
        log: Where every message is written down, or None.
    """

    path = "/messages"

    def __init__(  # noqa: PLR0913 - settings of a simulator
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        behaviour: Behaviour | None = None,
        secret: str = "",
        on_message: Callable[[TakenSms], object] | None = None,
        max_messages: int = 1000,
        moods: MoodBox | None = None,
        log: evidence.Log | None = None,
    ) -> None:
        """Keep the settings."""
        self.host = host
        self.port = port
        self.behaviour = behaviour or Behaviour()
        self.secret = secret
        self.on_message = on_message
        self.max_messages = max_messages
        self.moods = moods or MoodBox()
        self.log = log
        self.taken_count = 0
        self.forced: deque[ForcedAnswer] = deque()
        self.requests = 0
        self.repeated = 0
        self.questions = 0
        self.messages: dict[str, TakenSms] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where messages are posted."""
        return f"http://{self.host}:{self.port}/messages"

    @property
    def status_url(self) -> str:
        """Where it is asked what became of messages."""
        return f"http://{self.host}:{self.port}/status"

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
        application.router.add_post(self.path, self._handle)
        application.router.add_post("/status", self._report)
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

    async def _handle(self, request: web.Request) -> web.StreamResponse:
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
            messages = self._read(body)
        except msgspec.DecodeError:
            return web.Response(status=400)
        if len(messages) > self.max_messages:
            return web.Response(status=413)
        return await self._answer(request, messages)

    def _read(self, body: bytes) -> list[WireMessage]:
        """Return the messages of a request; another form of gateway reads its own."""
        return _decoder.decode(body).messages

    def _written(self, results: list[dict[str, Any]], turn: Turn) -> bytes:
        """Return the body of an answer about messages."""
        return _body(results, turn)

    async def _report(self, request: web.Request) -> web.Response:
        """Tell what became of messages; of those it forgot it says nothing clear."""
        body = await request.read()
        self.questions += 1
        if not self._is_signed(request, body):
            return web.Response(status=401)
        try:
            keys = _question_decoder.decode(body).ids
        except msgspec.DecodeError:
            return web.Response(status=400)
        absent = "never_taken" if self.moods.mood.remembers_keys else "not_known"
        told = [{"id": key, "status": "taken" if key in self.messages else absent} for key in keys]
        return web.json_response({"results": told})

    async def _answer(
        self, request: web.Request, messages: list[WireMessage]
    ) -> web.StreamResponse:
        # Its caller cannot know that nothing of the request was read.
        turn = Turn.DROP_BEFORE if self.moods.refuses_connection() else self.moods.turn()
        if turn in _REFUSALS:
            self._note(request, messages, turn, is_taken=False, answer=str(_REFUSALS[turn][0]))
            return self._refusal(turn)
        if turn is Turn.DROP_BEFORE:
            self._note(request, messages, turn, is_taken=False, answer="")
            return await self._hang_up(request)
        results = []
        for position, message in enumerate(messages[: self._answered_count(turn, len(messages))]):
            fate = self.behaviour.fate(message.to)
            if turn is Turn.GREYLIST or (turn in _BUSY and position % 2):
                fate = SimulatedFate.RETRY
            if fate is SimulatedFate.HANG:
                await asyncio.sleep(3600)
            results.append(self._take(request, message, fate, turn))
            if fate is SimulatedFate.DROP and request.transport is not None:
                request.transport.abort()
        if turn is Turn.PART:
            self._note(request, messages[len(results) :], turn, is_taken=False, answer="")
        body = self._written(results, turn)
        await self._wait(self.moods.wait_seconds(len(messages)))
        return await self._reply(request, turn, body)

    @staticmethod
    def _answered_count(turn: Turn, count: int) -> int:
        return max(1, count // 2) if turn is Turn.PART else count

    @staticmethod
    async def _wait(seconds: float) -> None:
        if seconds:
            await asyncio.sleep(seconds)

    def _refusal(self, turn: Turn) -> web.Response:
        status, body = _REFUSALS[turn]
        headers = {}
        if turn in {Turn.THROTTLE, Turn.UNAVAILABLE} and self.moods.mood.retry_after_seconds:
            headers["Retry-After"] = f"{self.moods.mood.retry_after_seconds:g}"
        return web.Response(
            status=status, headers=headers, body=body, content_type="application/json"
        )

    async def _reply(self, request: web.Request, turn: Turn, body: bytes) -> web.StreamResponse:
        """Answer a request whose messages were taken, or fail to."""
        match turn:
            case Turn.ERROR_AFTER | Turn.UNAVAILABLE_AFTER:
                return web.Response(status=_BY_PROXY[turn], body=b"<html>error of a proxy</html>")
            case Turn.DROP_AFTER:
                return await self._hang_up(request)
            case Turn.SILENT:
                await asyncio.sleep(self.moods.mood.silence_seconds)
                return await self._hang_up(request)
            case Turn.CUT:
                return await self._hang_up(request, body[: len(body) // 2], len(body))
            case _:
                pass
        if self.moods.mood.is_calm or turn is Turn.PACKED:
            headers = {"Content-Encoding": "gzip"} if turn is Turn.PACKED else None
            return web.Response(body=body, headers=headers, content_type="application/json")
        return await self._in_pieces(request, body)

    async def _in_pieces(self, request: web.Request, body: bytes) -> web.StreamResponse:
        answer = await self._begin(request, len(body))
        for piece in self.moods.split(body):
            await answer.write(piece)
            # Even without a pause each piece becomes a packet: another task runs in between.
            await asyncio.sleep(self.moods.mood.piece_pause_seconds)
        await answer.write_eof()
        return answer

    @staticmethod
    async def _begin(request: web.Request, length: int) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": str(length)})
        answer.content_type = "application/json"
        await answer.prepare(request)
        return answer

    async def _hang_up(
        self, request: web.Request, begun: bytes = b"", length: int = 0
    ) -> web.StreamResponse:
        """Close the connection, in the middle of an answer where there is one."""
        if begun:
            answer = await self._begin(request, length)
            await answer.write(begun)
            await asyncio.sleep(0.01)
        if request.transport is not None:
            request.transport.close()
        return web.Response()

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

    def _take(
        self, request: web.Request, message: WireMessage, fate: SimulatedFate, turn: Turn
    ) -> dict[str, Any]:
        """Take one message or refuse it; return its part of the answer."""
        if fate is SimulatedFate.REJECT:
            self._note(request, [message], turn, is_taken=False, answer="rejected", is_final=True)
            return {"id": message.id, "status": "rejected", "code": "number_invalid"}
        if fate is SimulatedFate.RETRY:
            self._note(request, [message], turn, is_taken=False, answer="retry")
            status, code = _BUSY.get(turn, ("retry", "later"))
            return {"id": message.id, "status": status, "code": code}
        is_told = turn not in _UNHEARD and fate is not SimulatedFate.DROP
        answer = "accepted" if is_told else ""
        known = self.messages.get(message.id)
        if known is not None and self.moods.mood.remembers_keys:
            self.repeated += 1
            self._note(request, [message], turn, is_taken=False, answer=answer and "repeated")
            return {"id": message.id, "status": "accepted", "message_id": known.message_id}
        # An id of its own: one made from the key would be the same after the key was forgotten.
        taken = TakenSms(
            key=message.id,
            message_id=f"gw-{uuid4().hex[:16]}",
            to=message.to,
            text=message.text,
            template_id=message.template_id,
            variables=message.variables,
        )
        self.messages[message.id] = taken
        self.taken_count += 1
        self._note(request, [message], turn, is_taken=True, answer=answer)
        if self.on_message is not None:
            self.on_message(taken)
        return {"id": message.id, "status": "accepted", "message_id": taken.message_id}

    def _note(
        self,
        request: web.Request,
        messages: list[WireMessage],
        turn: Turn,
        *,
        is_taken: bool,
        answer: str,
        is_final: bool = False,
    ) -> None:
        """Write messages down, before anything is said about them."""
        if self.log is None:
            return
        peer = request.transport.get_extra_info("peername") if request.transport else None
        port = peer[1] if peer else 0
        self.log.write(
            EvidenceEntry(
                port, message.id, evidence.person(message.to), turn, is_taken, answer, is_final
            )
            for message in messages
        )


def _body(results: list[dict[str, Any]], turn: Turn) -> bytes:
    """Return the body of an answer, as odd as its turn."""
    if turn is Turn.CONTRADICTION:
        taken = [result["id"] for result in results if result["status"] == "accepted"]
        results = [*results, *({"id": key, "status": "retry", "code": "later"} for key in taken)]
    if turn is not Turn.ODD:
        body = msgspec.json.encode({"results": results})
        return gzip.compress(body) if turn is Turn.PACKED else body
    odd = [
        {
            **result,
            "status": result["status"].upper(),
            "message_id": result.get("message_id", 7_000 + number),
            "code": result.get("code"),
            "detail": {"text": None},
            "parts": [1],
        }
        for number, result in enumerate(results)
    ]
    answer = {"code": 0, "error": None, "results": [None, "x", {"id": None}, *odd]}
    return _BYTE_ORDER_MARK + msgspec.json.encode(answer)
