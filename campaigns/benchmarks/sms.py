"""Text messages through a gateway that takes 50 ms, against a bare HTTP loop."""

import asyncio
import os
import time
from contextlib import ExitStack
from functools import partial

import aiohttp
from django.core.management import call_command

from campaigns.benchmarks import audience, texts
from campaigns.benchmarks import stack as stacks
from campaigns.domain.content import sms_parts
from campaigns.domain.content import texts as content
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport

FULL = 10_000
LATENCY_MS = 50
CONNECTIONS = 100
GOALS = (
    BenchGoal("ratio_to_bare_loop", 0.6),
    BenchGoal("duplicates", 0, at_least=False),
    BenchGoal("lost", 0, at_least=False),
)


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure on the current (own, empty) database; 1 is 10,000 messages, one a request."""
    count = max(200, int(FULL * scale))
    call_command("migrate", verbosity=0)
    audience.make_people(count, "sms")
    started = time.monotonic()
    bare: list[float] = []
    own: list[stacks.Round] = []
    with ExitStack() as resources:
        stack = stacks.start(resources, channel="sms", latency_ms=LATENCY_MS)
        url = stack.ports["sms_url"]
        options = {
            "url": url,
            "connections": CONNECTIONS,
            "messages_per_request": 1,
            "supports_idempotency": True,
        }
        audience.make_rule()
        audience.make_channel(kind="sms", backend="http_sms", options=options)
        audience.show_keys()
        for number in range(rounds):
            seconds = bench.in_processes(count, partial(_run_loop, url))
            bare.append(count / seconds)
            own.append(stacks.send_campaign(stack, number, count))
    report = BenchReport(name="dispatch_sms", scale=scale, goals=GOALS)
    report.seconds = time.monotonic() - started
    rates = [item.sent / item.seconds for item in own]
    report.figures = {
        "messages_per_second": bench.median(rates),
        "ratio_to_bare_loop": bench.median([a / b for a, b in zip(rates, bare, strict=True)]),
        "bare_messages_per_second": bench.median(bare),
        "sent": sum(item.sent for item in own),
        "duplicates": sum(item.duplicates for item in own),
        "lost": sum(item.lost for item in own),
    }
    report.ratios = {"ratio_to_bare_loop": report.figures["ratio_to_bare_loop"]}
    report.memory_mb = max(item.peak_mb for item in own)
    return report


def _run_loop(url: str, numbers: range) -> None:
    asyncio.run(_send(url, numbers))


async def _send(url: str, numbers: range) -> None:
    waiting = iter(numbers)
    template = content.compile_sms(text=texts.SMS, language="zh-hans")

    async def one_connection(session: aiohttp.ClientSession) -> None:
        for number in waiting:
            text, _parts = content.render_sms(
                template,
                texts.person(number),
                signature=texts.LENDER["brand"],
                opt_out_text=sms_parts.OPT_OUT_TEXT,
            )
            message = {"id": f"b{os.getpid()}-{number}", "to": texts.mobile(number), "text": text}
            async with session.post(url, json={"messages": [message]}) as answer:
                taken = await answer.json()
                if taken["results"][0]["status"] != "accepted":
                    raise RuntimeError(taken)

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _number in range(CONNECTIONS):
            group.create_task(one_connection(session))
