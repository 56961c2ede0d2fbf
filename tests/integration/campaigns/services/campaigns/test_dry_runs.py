"""A dry run is what the launch then does, person by person."""

import random
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from campaigns.admin.audience import waterfall
from campaigns.domain.filing.filing import FilingStatus
from campaigns.models import Campaign, Channel, Dispatch, Filing, Message
from campaigns.selectors.filing import standing
from campaigns.services.campaigns import launch, ticking
from campaigns.services.campaigns.rehearsal import dry_runs
from campaigns.services.campaigns.rehearsal.dry_runs import DryRun
from campaigns.services.campaigns.steps_freezing import CampaignNotReady
from campaigns.services.sending import dispatch as dispatching
from customers.models import Customer
from loancrm.kernel.access import Actor
from tests.factories.campaigns import SMS, make_approved, make_channel
from tests.factories.people import make_people
from tests.integration.campaigns.services.campaigns.test_forecasts import make_mixed_people

pytestmark = [pytest.mark.django_db, pytest.mark.sql]

TWO_TEXTS = {
    "content": None,
    "variants": [
        {"key": "A", "weight": 1, "content": SMS},
        {"key": "B", "weight": 2, "content": {"zh-hans": {"text": "您好{{ name }}。" + "长" * 70}}},
    ],
}


def make_campaign(actor: Actor, now: datetime, **changes: Any) -> Campaign:
    make_channel("sms", cost_per_part=Decimal("0.05"))
    values = {"channel": "sms-memory", "content": SMS, **changes}
    source = {key: value for key, value in values.items() if value is not None}
    return make_approved(actor, now, **source)


def launch_and_drain(campaign: Campaign, actor: Actor, now: datetime, at: datetime) -> None:
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    ticking.advance(now=at)
    dispatching.drain(holder="t", clock=lambda: at, rng=random.Random(1), slice_seconds=30)


def written() -> list[tuple[Any, ...]]:
    rows = Message.objects.select_related("variant").order_by("pk")
    return [
        (row.customer_id, row.state, row.reason, row.variant.key, row.parts, row.cost_amount)
        for row in rows
    ]


def counted(found: DryRun) -> int:
    sums = found.to_json()
    return int(
        sum(sums["excluded"].values())
        + sums["later"]
        + sums["held_out"]
        + sum(sums["skipped"].values())
        + sum(sums["waiting"].values())
        + sums["messages"]
    )


@pytest.mark.parametrize(
    ("changes", "rate"),
    [
        pytest.param({"holdout_share": "0.3"}, None, id="control group"),
        pytest.param({"message_limit": 7, "holdout_share": "0.2"}, None, id="most messages"),
        pytest.param({"daily_message_limit": 7, "budget_amount": "0.3"}, 3, id="most a day"),
        pytest.param({"holdout_share": "0.2", **TWO_TEXTS}, None, id="two texts"),
        pytest.param({"budget_amount": "0.72", **TWO_TEXTS}, None, id="budget"),
        # Page by page, what a dearer message leaves over is spent by the next page.
        pytest.param({"budget_amount": "0.72", **TWO_TEXTS}, 3, id="budget of a slow channel"),
    ],
)
def test_d15_the_dry_run_is_the_list_that_the_launch_writes(
    actor: Actor, now: datetime, changes: dict[str, Any], rate: float | None
) -> None:
    make_mixed_people()
    campaign = make_campaign(actor, now, **changes)
    campaign.steps.get().touchpoint.channel.__class__.objects.update(rate_per_second=rate)
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now)
    assert not Message.objects.exists()
    launch_and_drain(campaign, actor, now, now)
    assert [tuple(line) for line in found.lines] == written()
    assert len(found.lines) == found.segment == counted(found) == 30
    assert found.to_send
    if "budget_amount" in changes:
        assert found.skipped["budget"] > 0


def test_d15_the_dry_run_of_a_night_waits_as_the_launch_does(actor: Actor, now: datetime) -> None:
    make_mixed_people()
    campaign = make_campaign(actor, now, holdout_share="0.3")
    night = now.replace(hour=20)
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=night)
    launch_and_drain(campaign, actor, night, night)
    assert [tuple(line) for line in found.lines] == written()
    # Who has no name is found out when the text is written, in the morning.
    assert found.waiting == {"quiet_hours": 22}
    assert not found.to_send


def test_d15_the_gates_are_asked_when_the_campaign_starts(actor: Actor, now: datetime) -> None:
    people = make_people(3)
    start = now + timedelta(days=2)
    Customer.objects.filter(pk=people[0].pk).update(marketing_paused_until=now + timedelta(days=1))
    Customer.objects.filter(pk=people[1].pk).update(marketing_paused_until=now + timedelta(days=3))
    campaign = make_campaign(actor, now, schedule={"start_at": start.isoformat()})
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now)
    launch_and_drain(campaign, actor, now, start)
    assert [tuple(line) for line in found.lines] == written()
    assert found.skipped == {"paused": 1}
    assert found.starts_at == start


def test_d15_sums_per_gate_are_those_of_the_launch(actor: Actor, now: datetime) -> None:
    make_mixed_people()
    campaign = make_campaign(actor, now, holdout_share="0.3")
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now).to_json()
    launch_and_drain(campaign, actor, now, now)
    states = Counter(row[1] for row in written())
    reasons = Counter(row[2] for row in written() if row[1] == "skipped")
    assert found["skipped"] == reasons
    assert sum(found["gates"].values()) == states["skipped"]
    assert (found["messages"], found["held_out"]) == (states["sent"], states["held_out"])


def test_d15_a_dry_run_is_of_a_campaign_that_was_not_launched(actor: Actor, now: datetime) -> None:
    make_people(1)
    campaign = make_campaign(actor, now)
    launch.launch_campaign(campaign=campaign, actor=actor, now=now)
    campaign.refresh_from_db()
    with pytest.raises(CampaignNotReady):
        dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now)


@pytest.mark.parametrize(
    ("text", "filed_as", "reason"),
    [
        ("${name}您好${t}", FilingStatus.APPROVED, ""),
        (None, FilingStatus.APPROVED, ""),
        (None, FilingStatus.CLEARED, "template_not_filed"),
        (None, None, "signature_not_filed"),
    ],
)
def test_d15_the_dry_run_goes_by_what_is_filed_as_the_launch_does(
    actor: Actor, now: datetime, text: str | None, filed_as: FilingStatus | None, reason: str
) -> None:
    make_people(3)
    campaign = make_campaign(actor, now)
    channel = Channel.objects.get()
    Channel.objects.update(filing_demand="template")
    at = {"channel": channel, "submitted_at": now, "decided_at": now}
    good = {"status": FilingStatus.APPROVED, **at}
    if filed_as is not None:
        Filing.objects.create(kind="signature", name=standing.signature_of(channel), **good)
        other = {"name": "x", "text": "x", "provider_code": "1"}
        Filing.objects.create(kind="template", **other, **good)
        names = {"name": "name"} | ({"t": "title"} if text else {})
        filed = text or "尊敬的${name}，您的专属服务已开通。拒收请回复R"
        values = {"name": "y", "text": filed, "provider_code": "2", "variables": names}
        Filing.objects.create(kind="template", status=filed_as, **values, **at)
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now)
    launch_and_drain(campaign, actor, now, now)
    assert found.hold_reason == found.to_json()["hold_reason"] == reason
    assert Dispatch.objects.get().hold_reason == reason
    if reason:
        assert {row[1] for row in written()} == {"planned"}
    else:
        assert [tuple(line) for line in found.lines] == written()
        assert found.skipped == ({"template_mismatch": 3} if text else {})


def test_d15_a_launch_that_waits_for_triggers_writes_to_nobody(actor: Actor, now: datetime) -> None:
    make_people(3)
    waits = {"on": "event", "event": "application_started"}
    campaign = make_campaign(actor, now, schedule={"trigger": waits})
    found = dry_runs.dry_run_campaign(campaign=campaign, actor=actor, now=now)
    launch_and_drain(campaign, actor, now, now)
    assert [tuple(line) for line in found.lines] == written() == []
    assert (found.segment, found.later, counted(found)) == (3, 3, 3)
    texts = {line.key: line.text for line in waterfall.of_dry_run(found)}
    assert texts["later"] == "等待触发"
