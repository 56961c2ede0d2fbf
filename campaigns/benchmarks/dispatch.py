"""The whole sending path against a bare loop and against one task a message, in the same run.

The bare loop is pipelined SMTP (RFC 2920) as one would write it by hand with asyncio. loancrm's own
client costs less and uses CHUNKING (RFC 3030) where a relay offers it, so a bare loop over that
client is shown as well.
"""

import json
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from campaigns.benchmarks import bare_loop, texts
from campaigns.benchmarks.task_per_message import send_one
from campaigns.channels.smtp_options import SmtpOptions
from campaigns.domain.campaign import CampaignStatus, MessageState
from campaigns.models import Campaign, Channel, FrequencyRule, Message
from campaigns.services import approval, authoring, launch
from customers.models import ConsentState, ContactPoint, Customer, Product
from loancrm.kernel import bench, bulk, clock, crypto
from loancrm.kernel.access import system_actor, user_actor
from loancrm.kernel.bench import Goal, Report

FULL = 20_000
GOALS = (
    Goal("ratio_to_bare_loop", 0.6),
    Goal("ratio_to_task_per_message", 8.0),
    Goal("cpu_ms_per_message", 0.7, at_least=False),
    Goal("peak_rss_mb", 250.0, at_least=False),
    Goal("duplicates", 0, at_least=False),
    Goal("lost", 0, at_least=False),
)
BATCH = 2000


@dataclass
class _Round:
    """What one round measured."""

    seconds: float
    cpu_seconds: float
    peak_mb: float
    sent: int
    duplicates: int
    lost: int


@dataclass
class _Stack:
    """The processes that take part."""

    sink_port: int
    stats_path: Path
    worker_pid: int
    connections: int
    rounds: list[_Round] = field(default_factory=list)


def run(*, scale: float, rounds: int, latency_ms: float, name: str) -> Report:
    """Measure on the current (own, empty) database; needs its migrations applied.

    Args:
        scale: 1 is 20,000 messages.
        latency_ms: How long the relay takes to answer.
        name: `dispatch` or `dispatch_slow`.
    """
    count = max(200, int(FULL * scale))
    naive_count = max(50, count // 20)
    connections = 64 if latency_ms else 8
    call_command("migrate", verbosity=0)
    _make_people(count)
    started = time.monotonic()
    bare: list[float] = []
    with_own_client: list[float] = []
    naive: list[float] = []
    with ExitStack() as resources:
        stack = _start(resources, latency_ms, connections)
        for number in range(rounds):
            options = SmtpOptions(port=stack.sink_port, connections=connections)
            for rates, has_own_client in ((bare, False), (with_own_client, True)):
                seconds = bare_loop.run(count=count, options=options, has_own_client=has_own_client)
                rates.append(count / seconds)
            stack.rounds.append(_send_campaign(stack, number, count))
            naive.append(naive_count / _send_one_by_one(stack, naive_count))
    own = [item.sent / item.seconds for item in stack.rounds]
    report = Report(name=name, scale=scale, goals=_goals(name))
    report.seconds = time.monotonic() - started
    report.figures = {
        "messages_per_second": bench.median(own),
        "cpu_ms_per_message": bench.median(
            [1000 * item.cpu_seconds / max(item.sent, 1) for item in stack.rounds]
        ),
        "peak_rss_mb": round(max(item.peak_mb for item in stack.rounds), 1),
        "ratio_to_bare_loop": bench.median([a / b for a, b in zip(own, bare, strict=True)]),
        "ratio_to_task_per_message": bench.median([a / b for a, b in zip(own, naive, strict=True)]),
        "ratio_to_bare_loop_with_own_client": bench.median(
            [a / b for a, b in zip(own, with_own_client, strict=True)]
        ),
        "sent": sum(item.sent for item in stack.rounds),
        "duplicates": sum(item.duplicates for item in stack.rounds),
        "lost": sum(item.lost for item in stack.rounds),
        "bare_messages_per_second": bench.median(bare),
        "task_messages_per_second": bench.median(naive),
    }
    report.ratios = {
        key: report.figures[key] for key in ("ratio_to_bare_loop", "ratio_to_task_per_message")
    }
    report.memory_mb = report.figures["peak_rss_mb"]
    return report


def _goals(name: str) -> tuple[Goal, ...]:
    if name == "dispatch_slow":
        return (Goal("ratio_to_task_per_message", 8.0), *GOALS[4:])
    return GOALS


def _make_people(count: int) -> None:
    Product.objects.bulk_create(
        Product(
            code=f"product-{number}",
            name_zh=product.name,
            annual_rate=product.annual_rate,
            max_amount=product.max_amount,
            term_months=product.term_months,
        )
        for number, product in enumerate(texts.PRODUCTS)
    )
    vault = crypto.vault()
    at = datetime(2025, 1, 1, tzinfo=UTC)
    for start in range(0, count, BATCH):
        people, points = [], []
        for number in range(start, min(start + BATCH, count)):
            context = texts.person(number)
            person = Customer(
                external_id=f"bench{number}",
                gender="female" if number % 2 else "male",
                city=context["city"],
                birth_date=date(1985, 1, 1),
                created_at=at,
                updated_at=at,
            )
            person.name_sealed = vault.seal(Customer.NAME_COLUMN, person.public_id, context["name"])
            people.append(person)
        Customer.objects.bulk_create(people, batch_size=500)
        for number, person in enumerate(people, start=start):
            point = ContactPoint(row_key=uuid4(), customer=person, kind="email", created_at=at)
            value = texts.address(number)
            point.value_sealed = vault.seal(ContactPoint.VALUE_COLUMN, point.row_key, value)
            point.value_index = vault.blind_index(ContactPoint.VALUE_COLUMN, value)
            points.append(point)
        ContactPoint.objects.bulk_create(points, batch_size=500)
        ConsentState.objects.bulk_create(
            [
                ConsentState(
                    customer=person,
                    channel="email",
                    purpose="marketing",
                    is_granted=True,
                    changed_at=at,
                )
                for person in people
            ],
            batch_size=500,
        )
    for model in (Customer, ContactPoint, ConsentState):
        bulk.refresh_statistics(model)


def _start(resources: ExitStack, latency_ms: float, connections: int) -> _Stack:
    variables = {
        **os.environ,
        "LOANCRM_BRAND": texts.LENDER["brand"],
        "LOANCRM_HOTLINE": texts.LENDER["hotline"],
        "LOANCRM_POSTAL_ADDRESS": texts.LENDER["sender_address"],
    }
    folder = Path(settings.LOANCRM_VAR_DIR)
    stats_path = folder / "sink.json"
    sink = resources.enter_context(
        bench.process(
            [
                sys.executable, "manage.py", "simulate_gateways", "--smtp-port", "0",
                "--latency-ms", str(latency_ms), "--stats", str(stats_path),
            ],
            variables,
        )
    )  # fmt: skip
    assert sink.stdout is not None  # noqa: S101 - asked for with PIPE
    announced = json.loads(sink.stdout.readline())
    worker = resources.enter_context(
        bench.process(
            [
                sys.executable, "-m", "celery", "-A", "loancrm", "worker", "--concurrency", "2",
                "--queues", "dispatch,default", "--loglevel", "ERROR",
                "--include", "campaigns.benchmarks.task_per_message",
                "--without-gossip", "--without-mingle",
            ],
            variables,
        )
    )  # fmt: skip
    Channel.objects.create(
        slug="relay",
        name="relay",
        kind="email",
        backend="smtp",
        options={"port": announced["smtp_port"], "connections": connections},
        sender=texts.SENDER,
    )
    FrequencyRule.objects.create(window_hours=24, max_count=1000)
    bench.wait_until(lambda: len(bench.family(worker.pid)) > 2, seconds=60)
    return _Stack(announced["smtp_port"], stats_path, worker.pid, connections)


def _received(stack: _Stack) -> int:
    """Return how many messages the sink has taken by now."""
    seen = time.time()
    bench.wait_until(lambda: _written_at(stack) > seen, seconds=5)
    content = json.loads(stack.stats_path.read_text(encoding="utf-8"))
    return int(content["smtp"]["messages"])


def _written_at(stack: _Stack) -> float:
    return stack.stats_path.stat().st_mtime if stack.stats_path.exists() else 0.0


def _send_campaign(stack: _Stack, number: int, count: int) -> _Round:
    campaign = _approved(number)
    received_before = _received(stack)
    pids = bench.family(stack.worker_pid)
    cpu_before = bench.cpu_seconds(pids)
    peak = 0.0
    started = time.monotonic()
    launch.launch_campaign(campaign=campaign, actor=system_actor("bench"), now=clock.now())
    while time.monotonic() < started + 600:
        peak = max(peak, bench.resident_mb(pids))
        campaign.refresh_from_db()
        if campaign.status == CampaignStatus.COMPLETED:
            break
        time.sleep(0.1)
    seconds = time.monotonic() - started
    sent = Message.objects.filter(dispatch__campaign=campaign, state=MessageState.SENT).count()
    received = _received(stack) - received_before
    return _Round(
        seconds=seconds,
        cpu_seconds=bench.cpu_seconds(pids) - cpu_before,
        peak_mb=peak,
        sent=sent,
        duplicates=max(received - sent, 0),
        lost=count - min(received, sent),
    )


def _approved(number: int) -> Campaign:
    actor = system_actor("bench")
    now = clock.now()
    campaign = authoring.create_campaign(
        source={
            "slug": f"bench-{number}",
            "name": "bench",
            "goal": {"event": "application_submitted", "window_days": 7},
            "segment": {"rule": {"combinator": "and", "rules": []}},
            "channel": "relay",
            "content": {
                "zh-hans": {"subject": texts.SUBJECT, "text": texts.TEXT, "html": texts.HTML}
            },
        },
        actor=actor,
        now=now,
    )
    approver, _created = User.objects.get_or_create(username="bench", is_superuser=True)
    approval.approve_campaign(campaign=campaign, actor=user_actor(approver), now=now)
    campaign.refresh_from_db()
    return campaign


def _send_one_by_one(stack: _Stack, count: int) -> float:
    before = _received(stack)
    started = time.monotonic()
    for number in range(count):
        send_one.apply_async(kwargs={"number": number, "port": stack.sink_port}, queue="default")
    bench.wait_until(lambda: _received(stack) >= before + count, seconds=600)
    return time.monotonic() - started
