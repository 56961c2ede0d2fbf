"""The least that any sender must do: render, fill the MIME skeleton, SMTP; no database at all.

Its client is what one would write by hand with asyncio: connections that stay open, commands
pipelined (RFC 2920), the next envelope travelling with the message before it. It checks every reply
and knows nothing of retries, time limits or relays that offer less.
"""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import islice
from typing import cast

from campaigns.benchmarks import texts
from campaigns.channels.base import EmailPayload, Outbound, SendResult
from campaigns.channels.smtp import SmtpChannel
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.domain.content import texts as content
from campaigns.domain.content.mime import Addressee, EmailSkeleton
from loancrm.kernel.commands import bench

UNDER_WAY = 4


def send(numbers: range, options: SmtpOptions) -> None:
    """Send messages to a sink on loopback over several connections at once."""
    asyncio.run(_send(messages(numbers), options))


def send_with_own_client(numbers: range, options: SmtpOptions) -> None:
    """Send the same messages through loancrm's own SMTP client, several batches under way."""
    channel = SmtpChannel("bare", options)
    waiting = messages(numbers)
    futures: list[Future[list[SendResult]]] = []
    while batch := list(islice(waiting, options.batch_size)):
        futures.append(channel.submit(batch))
        if len(futures) >= UNDER_WAY:
            futures.pop(0).result()
    for future in futures:
        future.result()
    channel.close()


async def _send(messages: Iterator[Outbound], options: SmtpOptions) -> None:
    async with asyncio.TaskGroup() as group:
        for _number in range(options.connections):
            group.create_task(_connection(messages, options))


async def _connection(messages: Iterator[Outbound], options: SmtpOptions) -> None:
    """Send messages over one connection until none is left."""
    reader, writer = await asyncio.open_connection(options.host, options.port)
    await _expect(reader, b"220")
    writer.write(b"EHLO localhost\r\n")
    await _expect(reader, b"250")
    message = next(messages, None)
    if message is not None:
        writer.write(_envelope(message))
    while message is not None:
        for code in (b"250", b"250", b"354"):
            await _expect(reader, code)
        following = next(messages, None)
        raw = cast("EmailPayload", message.payload).raw
        writer.write(b"%s.\r\n%s" % (raw, _envelope(following) if following else b""))
        await _expect(reader, b"250")
        message = following
    writer.write(b"QUIT\r\n")
    writer.close()


def _envelope(message: Outbound) -> bytes:
    sender = cast("EmailPayload", message.payload).sender
    return b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (sender.encode(), message.to.encode())


async def _expect(reader: asyncio.StreamReader, code: bytes) -> None:
    """Read one reply, of several lines where it has them."""
    while True:
        line = await reader.readline()
        if not line.startswith(code):
            raise RuntimeError(line)
        if line[3:4] != b"-":
            return


def messages(numbers: range) -> Iterator[Outbound]:
    """Render messages one after the other, as they are sent."""
    skeleton = EmailSkeleton(
        sender_name="示例消费金融",
        sender_address="news@lender.example",
        language="zh-hans",
        has_html=True,
    )
    at = datetime.fromtimestamp(time.time(), tz=UTC)
    for number in numbers:
        context = texts.person(number)
        subject, text, html = content.render_email(texts.compiled(), context)
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


def run(*, count: int, options: SmtpOptions, has_own_client: bool = False) -> float:
    """Let two processes share the messages; return the seconds until all are sent."""
    work = send_with_own_client if has_own_client else send
    return bench.in_processes(count, lambda numbers: work(numbers, options))
