"""Freezing an audience with variants and a control group, against the plain INSERT of its rows."""

import time

from django.core.management import call_command
from django.db import connection

from campaigns.benchmarks import audience, texts
from campaigns.models import Campaign, Message
from campaigns.services.campaigns import launch
from customers.models import Customer
from loancrm.kernel import clock
from loancrm.kernel.access import system_actor
from loancrm.kernel.commands import bench
from loancrm.kernel.commands.bench import BenchGoal, BenchReport
from loancrm.kernel.database import bulk

FULL = 1_000_000
GOALS = (BenchGoal("ratio_to_plain_insert", 2.0, at_least=False),)
# What one would write by hand: the rows alone, no variant, no control group, no chunks.
_PLAIN = """
    INSERT INTO campaigns_message (dispatch_id, customer_id, variant_id, is_control, state, reason,
        rule_version, planned_at, attempts, provider_message_id, parts, cost_amount)
    SELECT %s, id, NULL, false, 'planned', '', 0, %s, 0, '', 0, 0 FROM customers_customer
    ORDER BY id
"""


def run(*, scale: float, rounds: int) -> BenchReport:
    """Measure on the current (own, empty) database; 1 is a million people."""
    count = max(1000, int(FULL * scale))
    call_command("migrate", verbosity=0)
    _make_people(count)
    audience.make_rule()
    audience.make_channel(kind="email", backend="console", options={})
    started = time.monotonic()
    plain: list[float] = []
    own: list[float] = []
    for number in range(rounds):
        campaign = _experiment(number)
        began = time.monotonic()
        dispatch = launch.launch_campaign(
            campaign=campaign, actor=system_actor("bench"), now=clock.now()
        )
        own.append(time.monotonic() - began)
        _forget(dispatch.pk)
        plain.append(_plain_insert(dispatch.pk))
        _forget(dispatch.pk)
    report = BenchReport(name="plan", scale=scale, goals=GOALS)
    report.seconds = time.monotonic() - started
    report.figures = {
        "rows_per_second": bench.median([count / seconds for seconds in own]),
        "plain_rows_per_second": bench.median([count / seconds for seconds in plain]),
    }
    ratios = [mine / theirs for mine, theirs in zip(own, plain, strict=True)]
    report.ratios = {"ratio_to_plain_insert": bench.median(ratios)}
    return report


def _experiment(number: int) -> Campaign:
    """Return an approved campaign with two variants and a tenth held out."""
    content = {"zh-hans": {"subject": texts.SUBJECT, "text": texts.TEXT, "html": texts.HTML}}
    return audience.make_approved(
        number,
        kind="email",
        content=None,
        variants=[{"key": key, "weight": 1, "content": content} for key in ("A", "B")],
        holdout_share=0.1,
    )


def _make_people(count: int) -> None:
    """Write customers with nothing but what a row needs."""
    at = clock.now()
    for start in range(0, count, 50_000):
        Customer.objects.bulk_create(
            [
                Customer(external_id=f"bench{number}", created_at=at, updated_at=at)
                for number in range(start, min(start + 50_000, count))
            ],
            batch_size=5000,
        )
    bulk.refresh_statistics(Customer)


def _plain_insert(dispatch_id: int) -> float:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN, [dispatch_id, connection.ops.adapt_datetimefield_value(clock.now())])
    return time.monotonic() - began


def _forget(dispatch_id: int) -> None:
    """Empty the table, so that each contender fills the same one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE campaigns_message CASCADE")
        return
    Message.objects.filter(dispatch_id=dispatch_id).delete()
