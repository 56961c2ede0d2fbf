"""Measure the channel's SMTP client against a plain pool over aiosmtplib: `make bench-smtp`.

Both send the same finished messages to the same sink, with two processes and the same number of
connections in turn. The pool is what a careful reader of aiosmtplib's manual would write: clients
that stay connected, one `sendmail` after the other on each.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loancrm.settings.dev")

import django  # noqa: E402

django.setup()

from aiosmtplib import SMTP  # noqa: E402

from campaigns.benchmarks import bare_loop, stack  # noqa: E402
from campaigns.channels.base import EmailPayload, Outbound  # noqa: E402
from campaigns.channels.smtp_options import SmtpOptions  # noqa: E402
from loancrm.kernel.commands import bench  # noqa: E402

# Answering time of the relay, in milliseconds, and the connections that each process opens for it.
RELAYS = ((0.0, 8), (5.0, 32), (50.0, 64))
WORTH_OWNING = 1.2


def send_with_pool(numbers: range, options: SmtpOptions) -> None:
    """Send messages over as many plain clients as there may be connections."""
    asyncio.run(_send(bare_loop.messages(numbers), options))


async def _send(messages: Iterator[Outbound], options: SmtpOptions) -> None:
    async with asyncio.TaskGroup() as group:
        for _number in range(options.connections):
            group.create_task(_client(messages, options))


async def _client(messages: Iterator[Outbound], options: SmtpOptions) -> None:
    async with SMTP(hostname=options.host, port=options.port, use_tls=False) as client:
        for message in messages:
            payload = cast("EmailPayload", message.payload)
            await client.sendmail(payload.sender, [message.to], payload.raw)


def measure(latency_ms: float, connections: int, *, count: int, rounds: int) -> dict[str, Any]:
    """Return both clients' rates, in messages a second, and how they compare."""
    rates: dict[str, list[float]] = {"own": [], "plain": []}
    work = {"own": bare_loop.send_with_own_client, "plain": send_with_pool}
    with ExitStack() as resources:
        ports = stack.start_providers(resources, "--latency-ms", str(latency_ms))
        options = SmtpOptions(port=ports["smtp_port"], connections=connections)
        for number in range(rounds):
            for name in ("own", "plain") if number % 2 else ("plain", "own"):
                seconds = bench.in_processes(
                    count, lambda numbers, name=name: work[name](numbers, options)
                )
                rates[name].append(count / seconds)
    own, plain = statistics.median(rates["own"]), statistics.median(rates["plain"])
    return {
        "latency_ms": latency_ms,
        "connections": connections,
        "own_messages_per_second": round(own, 1),
        "plain_messages_per_second": round(plain, 1),
        "ratio": round(own / plain, 2),
        "is_worth_owning": own >= plain * WORTH_OWNING,
    }


def main() -> int:
    """Print one JSON object a relay; return 1 where the own client gains less than a fifth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    is_worth_owning = True
    for latency_ms, connections in RELAYS:
        count = options.count if latency_ms <= 5 else options.count // 4
        report = measure(latency_ms, connections, count=count, rounds=options.rounds)
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()
        is_worth_owning = is_worth_owning and report["is_worth_owning"]
    return 0 if is_worth_owning else 1


if __name__ == "__main__":
    sys.exit(main())
