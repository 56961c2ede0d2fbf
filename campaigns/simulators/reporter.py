"""Plays the world behind the simulated providers: signed reports, clicks, replies, opt-outs."""

import asyncio
import heapq
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from uuid import uuid4

import aiohttp

from campaigns.channels import signatures
from campaigns.domain.receipts.report import DeliveryKind
from campaigns.simulators.audience import ReceivedMessage, Shares, SimulatedReaction, react

_BATCH = 200
_TICK_SECONDS = 0.05
_MAX_TRIES = 120
_RETRY_SECONDS = 0.5
_REPEAT_SECONDS = 0.5
_BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari"


@dataclass(frozen=True, slots=True)
class ReporterOptions:
    """Settings of the world behind the providers.

    Attributes:
        receipts_to: Base address of loancrm, such as `http://127.0.0.1:8000`; empty sends nothing.
        secrets: {channel: Standard Webhooks secret}.
        delay_seconds: How long after the message its report leaves.
        shares: What people do.
        record: File to which every message is added as one JSON line, or None.
    """

    receipts_to: str = ""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    delay_seconds: float = 0.0
    shares: Shares = field(default_factory=Shares)
    record: Path | None = None


class _Due(NamedTuple):
    """A message whose report leaves at a time; the number keeps the order of equals."""

    at: float
    number: int
    read: Callable[[], ReceivedMessage]


class Reporter:
    """Works in a thread of its own, so that the providers stay fast.

    Args:
        options: Settings.
        clock: Returns the time that reports carry, aware.
    """

    def __init__(self, options: ReporterOptions, clock: Callable[[], datetime]) -> None:
        """Keep the settings."""
        self._options = options
        self._clock = clock
        self._incoming: list[_Due] = []
        self._numbers = count()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._record: TextIO | None = None
        self.done: Counter[str] = Counter()

    def start(self) -> "Reporter":
        """Start the thread."""
        if self._options.record is not None:
            self._options.record.parent.mkdir(parents=True, exist_ok=True)
            self._record = self._options.record.open("a", encoding="utf-8")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Deal with what is due, then stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=15)
        if self._record is not None:
            self._record.close()

    def note(
        self, read: Callable[[], ReceivedMessage], *, delay_seconds: float = 0.0, times: int = 1
    ) -> None:
        """Take a message; `read` is called later, in the reporter's thread.

        Args:
            delay_seconds: Later than the other reports by this.
            times: How often the same report is sent; 0 loses it.
        """
        due = time.monotonic() + self._options.delay_seconds + delay_seconds
        with self._lock:
            for number in range(times):
                again = number * _REPEAT_SECONDS
                heapq.heappush(self._incoming, _Due(due + again, next(self._numbers), read))

    @property
    def waiting(self) -> int:
        """How many messages have not been dealt with."""
        return len(self._incoming)

    async def _work(self) -> None:
        timeout = aiohttp.ClientTimeout(total=30)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not (self._stopping.is_set() and not self._incoming):
                batch = self._due()
                if batch:
                    await self._deal_with(session, batch)
                else:
                    await asyncio.sleep(_TICK_SECONDS)

    def _due(self) -> list[ReceivedMessage]:
        now = time.monotonic()
        batch: list[ReceivedMessage] = []
        while len(batch) < _BATCH:
            with self._lock:
                if not self._incoming:
                    break
                if self._incoming[0].at > now and not self._stopping.is_set():
                    break
                due = heapq.heappop(self._incoming)
            batch.append(due.read())
        return batch

    async def _deal_with(
        self, session: aiohttp.ClientSession, batch: list[ReceivedMessage]
    ) -> None:
        for message in batch:
            self._write(message)
        if not self._options.receipts_to:
            return
        reactions = [(message, react(message, self._options.shares)) for message in batch]
        for channel in {message.channel for message in batch}:
            reports = [
                report
                for message, reaction in reactions
                if message.channel == channel
                for report in self._reports(message, reaction)
            ]
            await self._report(session, channel, reports)
        for _message, reaction in reactions:
            if reaction.click_url:
                await self._call(session, "clicks", "GET", reaction.click_url)
            if reaction.one_click_url:
                await self._call(
                    session,
                    "unsubscribes",
                    "POST",
                    reaction.one_click_url,
                    data={"List-Unsubscribe": "One-Click"},
                )

    def _reports(
        self, message: ReceivedMessage, reaction: SimulatedReaction
    ) -> list[dict[str, Any]]:
        reports = [self._event(message, reaction.report)]
        if reaction.reply:
            reports.append(self._event(message, DeliveryKind.REPLIED, text=reaction.reply))
        if reaction.complains:
            reports.append(self._event(message, DeliveryKind.COMPLAINED))
        return reports

    def _event(
        self, message: ReceivedMessage, kind: DeliveryKind, *, text: str = ""
    ) -> dict[str, Any]:
        event = {
            "id": f"{message.key}:{kind}",
            "kind": kind.value,
            "key": message.key,
            "occurred_at": self._clock().isoformat(),
        }
        if text:
            event |= {"text": text, "address": message.to}
        return event

    async def _report(
        self, session: aiohttp.ClientSession, channel: str, events: list[dict[str, Any]]
    ) -> None:
        body = json.dumps({"events": events}).encode()
        url = f"{self._options.receipts_to.rstrip('/')}/hooks/{channel}/"
        secret = self._options.secrets.get(channel, "")

        def headers() -> dict[str, str]:
            signed_at = datetime.fromtimestamp(time.time(), tz=UTC)
            signed = signatures.sign(
                secret=secret, message_id=f"msg_{uuid4().hex}", at=signed_at, body=body
            )
            return {"Content-Type": "application/json", **signed}

        if await self._call(session, "reports", "POST", url, data=body, headers=headers):
            self.done["events"] += len(events)

    async def _call(
        self,
        session: aiohttp.ClientSession,
        name: str,
        method: str,
        url: str,
        *,
        data: Any = None,
        headers: Callable[[], dict[str, str]] | None = None,
    ) -> bool:
        """Call until it is answered; a server that is not up yet is waited for."""
        for _attempt in range(_MAX_TRIES):
            try:
                async with session.request(
                    method,
                    url,
                    data=data,
                    headers=headers() if headers is not None else {"User-Agent": _BROWSER},
                    allow_redirects=False,
                ) as answer:
                    await answer.read()
                    if answer.status < 500:
                        self.done[name if answer.status < 400 else f"{name}_refused"] += 1
                        return answer.status < 400
            except (aiohttp.ClientError, TimeoutError):
                pass
            if self._stopping.is_set():
                break
            await asyncio.sleep(_RETRY_SECONDS)
        self.done[f"{name}_lost"] += 1
        return False

    def _write(self, message: ReceivedMessage) -> None:
        if self._record is None:
            return
        line = {
            "channel": message.channel,
            "key": message.key,
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "links": message.links,
            "one_click_url": message.one_click_url,
            "at": self._clock().isoformat(),
        }
        self._record.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._record.flush()
