"""The least that any sender must do: render, fill the MIME skeleton, SMTP; no database at all."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import islice

from campaigns.benchmarks import texts
from campaigns.channels.base import EmailPayload, Outbound, SendResult
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.domain import content, email_html
from campaigns.domain.mime import Addressee, EmailSkeleton

UNDER_WAY = 4


def send(*, first: int, count: int, options: SmtpOptions) -> None:
    """Send messages to a sink on loopback, several batches under way at once."""
    channel = SmtpChannel("bare", options)
    messages = _messages(first, count)
    futures: list[Future[list[SendResult]]] = []
    while batch := list(islice(messages, options.batch_size)):
        futures.append(channel.submit(batch))
        if len(futures) >= UNDER_WAY:
            futures.pop(0).result()
    for future in futures:
        future.result()
    channel.close()


def _messages(first: int, count: int) -> Iterator[Outbound]:
    compiled = content.compile_email(
        subject=texts.SUBJECT,
        text=texts.TEXT,
        html=email_html.prepare(texts.HTML),
        language="zh-hans",
    )
    skeleton = EmailSkeleton(
        sender_name="示例消费金融",
        sender_address="news@lender.example",
        language="zh-hans",
        has_html=True,
    )
    at = datetime.fromtimestamp(time.time(), tz=UTC)
    for number in range(first, first + count):
        context = texts.person(number)
        subject, text, html = content.render_email(compiled, context)
        raw = skeleton.fill(
            to=Addressee(texts.address(number), context["name"]),
            subject=subject,
            text=text,
            html=html,
            message_key=f"b{number}",
            unsubscribe_url=context["unsubscribe_url"],
            at=at,
        )
        payload = EmailPayload(sender="news@lender.example", raw=raw)
        yield Outbound(number, f"b{number}", texts.address(number), payload)


def run(*, count: int, options: SmtpOptions, processes: int = 2) -> float:
    """Fork processes that share the messages; return the seconds until all are sent."""
    share = -(-count // processes)
    started = time.monotonic()
    children = []
    for position in range(processes):
        mine = min(share, count - position * share)
        pid = os.fork()
        if pid == 0:
            try:
                send(first=position * share, count=mine, options=options)
            except BaseException:  # noqa: BLE001 - a forked child must never return into the parent
                os._exit(1)
            os._exit(0)
        children.append(pid)
    codes = [os.waitpid(pid, 0)[1] for pid in children]
    if any(codes):
        print("a bare sender failed", file=sys.stderr)  # noqa: T201 - a benchmark's own report
        raise RuntimeError(codes)
    return time.monotonic() - started
